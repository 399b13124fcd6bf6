//! Node groups.

use crate::scene::{Scene, and_more, doom, goes_in_spite_of, parks_until_mended, passes_by_itself, reads, refuse, times};
use aws_sdk_ec2::types::{Filter, ResourceType, Subnet, Tag, TagSpecification};
use cloud::account::Account;
use cloud::faults::Fault;
use engine::names::{OWNER_TAG, RESOURCE_TAG};
use matrix::account::REGION;
use matrix::neighbour;
use serde_json::json;
use std::collections::BTreeSet;
use wire::error::{Class, Code, NODES_CANNOT_JOIN};
use wire::instances::{Architecture, Hardware};
use wire::key::{Key, Side};

const LAUNCH: &str = "AsgInstanceLaunchFailures";
const VCPUS: &str = "Raise the EC2 quota for running On-Demand vCPUs of this instance family (G: L-DB2E81BA, P: L-417A185B, X: L-7295265B, \
                     standard: L-1216C47A) at https://console.aws.amazon.com/servicequotas/home/services/ec2/quotas in the cluster's region, \
                     then retry. Or delete the cluster and create it with fewer nodes, or with a type of a family whose quota suffices.";
const RESTRICTED: &str = "AWS restricts this account: check that billing is set up, and open a case with AWS Support (account and billing) to have \
                          EC2 enabled, then retry.";
const CAPACITY: &str = "AWS has no capacity for this instance type in the cluster's zones now; Groundwork tries again by \
                        itself. To stop waiting, delete the cluster and create it with another type, or in another region.";
const VERIFY: &str = "AWS is still verifying the account for this region, which usually takes minutes and at most about four hours; \
                      Groundwork tries again by itself. If AWS has sent no mail after that, write to AWS Support from this account.";
const AGAIN: &str = "Something failed inside AWS; Groundwork makes it again by itself.";
const OFFERING: &str =
    "The cluster's zones do not offer this instance type; delete the cluster and create it with another type, or in another region.";
const SUBNETS: &str = "The cluster's subnets have no free addresses; release some, then retry.";
const EBS_KEY: &str = "Enable the key of the nodes' volumes (encryption.kms_key_arn, or without one the account's default key for EBS encryption), and let AWSServiceRoleForAutoScaling use it (kms:CreateGrant in the key's policy), then retry.";

const HELD: &str = "Detach or delete what still uses the security group that the reason names, then retry.";

fn zones<'a>(letters: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    letters.into_iter().map(|letter| format!("{REGION}{letter}")).collect()
}

/// The system's node group fails.
fn given_up(code: &str, message: &str, class: Class, hint: &'static str) -> (Fault, Class, String, &'static str) {
    let doom = Fault { about: "node-group/system".into(), ..doom("eks:CreateNodegroup", code, message) };
    (doom, class, format!("The node group system is CREATE_FAILED; {code}: {message}"), hint)
}

/// P, F: Nodes never join.
#[tokio::test(start_paused = true)]
async fn row_33_nodes_that_never_join_raise_the_alarm_and_a_retry_makes_them_again() {
    // What would keep all of them out is found before anything is made (`nothing_is_made_until_the_account_lets_nodes_out`). This one began
    // when nothing did.
    let scene = Scene::new().await;
    scene.account.becomes(Account { blocks_internet: true, ..Account::default() });
    let reason = "The node group system is CREATE_FAILED; NodeCreationFailure: Instances failed to join the kubernetes cluster";
    reads(&scene.parks().await, Class::Permanent, reason, NODES_CANNOT_JOIN);
    scene.grant(&[]);
    scene.runs().await;
    scene.goes().await;

    // The network is ours, so the operator has to look too.
    parks_until_mended([given_up(
        "NodeCreationFailure",
        "Instances failed to join the kubernetes cluster",
        Class::Permanent,
        NODES_CANNOT_JOIN,
    )])
    .await;
}

/// P: A public subnet gives its nodes no address.
#[tokio::test(start_paused = true)]
async fn row_34_nodes_are_in_private_subnets_and_no_subnet_gives_addresses() {
    let scene = Scene::running().await;
    let aws = scene.clients();
    let all = aws.ec2.describe_subnets().filters(Filter::builder().name("tag-key").values(RESOURCE_TAG).build());
    let all = all.send().await.expect("subnets").subnets.unwrap_or_default();
    assert!(all.iter().all(|subnet| subnet.map_public_ip_on_launch() != Some(true)));
    let for_outside = |subnet: &Subnet| subnet.tags().iter().any(|tag| tag.key() == Some("kubernetes.io/role/elb"));
    let (public, private): (Vec<_>, Vec<_>) = all.into_iter().partition(for_outside);
    assert_eq!((public.len(), private.len()), (2, 2));

    let groups = aws.eks.describe_nodegroup().cluster_name(scene.cluster.eks_name()).nodegroup_name("m6i-large");
    let groups = groups.send().await.expect("the node group").nodegroup.expect("the node group");
    let is_private = |id: &String| private.iter().any(|subnet| subnet.subnet_id() == Some(id));
    assert!(groups.subnets().len() == 2 && groups.subnets().iter().all(is_private));
}

/// P, F: A zone does not offer the instance type.
#[tokio::test(start_paused = true)]
async fn row_35_nodes_go_into_zones_that_offer_their_type_and_a_type_in_no_zone_is_refused_first() {
    // The first is in a, c and d, the second in a, b and d: three zones for one of them, and for the other those two that have it.
    let mut scene = Scene::wanting(&["p5en.48xlarge", "p6-b200.48xlarge"]).await;
    scene.provision().await.expect("nothing parks it");
    scene.look_again();
    assert_eq!(scene.record().zones, zones(["a", "b", "d"]));
    let hardware = scene.record().hardware;
    assert_eq!(hardware.keys().collect::<Vec<_>>(), ["p5en.48xlarge", "p6-b200.48xlarge", "t3.medium"]);
    let expected = Hardware { architecture: Architecture::X86, vcpus: 192, memory_mib: 2_097_152, gpus: 8 };
    assert_eq!(hardware["p5en.48xlarge"], expected);
    for (group, expected) in [("p5en-48xlarge", &["a", "d"][..]), ("p6-b200-48xlarge", &["a", "b", "d"]), ("system", &["a", "b", "d"])] {
        assert_eq!(scene.zones_of(group).await, zones(expected.iter().copied()).into_iter().collect(), "{group}");
    }
    scene.goes().await;

    // Without any, there are six groups, kept at no node.
    let mut scene = Scene::wanting(&[]).await;
    scene.provision().await.expect("nothing parks it");
    scene.look_again();
    let groups = scene.clients().eks.list_nodegroups().cluster_name(scene.cluster.eks_name()).send().await.expect("node groups");
    let names = ["c6i-xlarge", "g4dn-xlarge", "g5-12xlarge", "g5-xlarge", "m6i-xlarge", "r6i-xlarge", "system"];
    assert_eq!(groups.nodegroups().iter().map(String::as_str).collect::<BTreeSet<_>>(), names.into());
    scene.goes().await;

    let scene = Scene::wanting(&["m6i.lrge", "g4dn.xlarge", "p3.2xlarge"]).await;
    let reason = "No availability zone of us-west-2 that a cluster could have offers m6i.lrge (instead: m6i.large, m6i.xlarge, m6i.2xlarge, \
                  m6a.large); p3.2xlarge (instead: g4dn.2xlarge, g5.2xlarge, g6.2xlarge, g7e.2xlarge).";
    reads(&scene.parks().await, Class::Customer, reason, Code::InstanceTypeNotOffered.means().hint);
    assert!(scene.account.calls().iter().all(|call| !call.contains(":Create")), "nothing was made");
    scene.goes().await;

    what_eks_says_of_it().await;
}

/// F: The zones that were asked for are not there, or not for EKS.
#[tokio::test(start_paused = true)]
async fn row_98_zones_that_are_named_are_taken_and_one_that_is_not_there_is_refused_first() {
    let scene = Scene::in_zones(&["a", "z"]).await;
    let reason = "No cluster can be in us-west-2z: the account and EKS have us-west-2a, us-west-2b, us-west-2c, us-west-2d.";
    reads(&scene.parks().await, Class::Customer, reason, Code::ZoneNotUsable.means().hint);
    assert!(scene.account.calls().iter().all(|call| !call.contains(":Create")), "nothing was made");
    scene.goes().await;

    let mut scene = Scene::in_zones(&["d", "b"]).await;
    scene.provision().await.expect("nothing parks it");
    scene.look_again();
    assert_eq!((scene.record().zones, scene.zones_of("system").await), (zones(["d", "b"]), zones(["b", "d"]).into_iter().collect()));
    scene.goes().await;
}

/// The region has changed, or EKS knows better than EC2.
async fn what_eks_says_of_it() {
    let message = "Your requested instance type (m4.xlarge) is not supported in your requested Availability Zone (us-west-2d). Please \
                   retry your request by not specifying an Availability Zone or choosing us-west-2a, us-west-2b, us-west-2c.";
    let at_once = refuse("eks:CreateNodegroup", 400, "InvalidRequestException", message);
    let reason = and_more(1, &format!("AWS refused eks:CreateNodegroup: InvalidRequestException: {message}"));
    let later = "Could not launch On-Demand Instances. Unsupported - Your requested instance type (p3.2xlarge) is not supported in your \
                 requested Availability Zone (us-west-2d).";
    let fleet = "InvalidFleetConfiguration: Your requested instance type is not supported.";
    parks_until_mended([
        (at_once, Class::Customer, reason, OFFERING),
        given_up(LAUNCH, later, Class::Customer, OFFERING),
        given_up(LAUNCH, fleet, Class::Customer, OFFERING),
    ])
    .await;
}

/// F: AWS has no capacity.
#[tokio::test(start_paused = true)]
async fn row_36_without_capacity_the_group_is_made_again_later() {
    let zonal = "Could not launch On-Demand Instances. InsufficientInstanceCapacity - We currently do not have sufficient p4d.24xlarge \
                 capacity in the Availability Zone you requested.";
    let fleet = "UnfulfillableCapacity - Unable to fulfill capacity due to your request configuration.";
    passes_by_itself([zonal, fleet].map(|message| given_up(LAUNCH, message, Class::Later, CAPACITY))).await;
}

/// F: An EC2 quota is used up.
#[tokio::test(start_paused = true)]
async fn row_37_a_used_up_quota_is_named_by_its_code() {
    let vcpus = "Could not launch On-Demand Instances. VcpuLimitExceeded - You have requested more vCPU capacity than your current vCPU \
                 limit of 0 allows for the instance bucket that the specified instance type belongs to. Please visit \
                 http://aws.amazon.com/contact-us/ec2-request to request an adjustment to this limit. Launching EC2 instance failed.";
    let fleets = "You've reached your quota for maximum Fleet Requests for this account.";
    parks_until_mended([given_up(LAUNCH, vcpus, Class::Customer, VCPUS), given_up(LAUNCH, fleets, Class::Customer, RESTRICTED)]).await;

    // A new account has five vCPUs for the usual families, of which the system's node takes two, and none for GPUs.
    for (instance_type, count, limit, code, enough) in [("m6i.large", 3, 5, "L-1216C47A", 8), ("g4dn.xlarge", 1, 0, "L-DB2E81BA", 4)] {
        let mut scene = Scene::new().await;
        scene.ask_for(&json!([{"name": instance_type, "overprovisioned_ondemand_count": count}]));
        let group = instance_type.replace('.', "-");
        let reason =
            format!("The node group {group} is CREATE_FAILED; {LAUNCH}: {}", vcpus.replace("limit of 0", &format!("limit of {limit}")));
        reads(&scene.parks().await, Class::Customer, &reason, VCPUS);
        scene.grant(&[(code, enough)]);
        scene.runs().await;
        scene.goes().await;
    }
    let mut scene = Scene::new().await;
    scene.ask_for(&json!([{"name": "g4dn.xlarge", "overprovisioned_ondemand_count": 1}]));
    scene.parks().await;
    scene.goes().await;
}

/// F: A subnet has no free addresses for nodes.
#[tokio::test(start_paused = true)]
async fn row_38_full_subnets_are_named_whatever_needs_an_address() {
    let (code, message) = ("InsufficientFreeAddressesInSubnet", "There are not enough free addresses in subnet subnet-1.");
    let gateway = (
        doom("ec2:CreateNatGateway", code, message),
        Class::Customer,
        format!("AWS refused ec2:CreateNatGateway: {code}: {message}"),
        SUBNETS,
    );
    let nodes =
        given_up("InsufficientFreeAddresses", "One or more of the subnets does not have enough free addresses.", Class::Customer, SUBNETS);
    let fleet = given_up(LAUNCH, &format!("{code}: {message}"), Class::Customer, SUBNETS);
    parks_until_mended([gateway, nodes, fleet]).await;
}

/// F: Auto Scaling is not allowed to use the account's default key for volumes.
#[tokio::test(start_paused = true)]
async fn row_39_a_volume_key_that_auto_scaling_cannot_use_is_named() {
    let messages = [
        "Client.InternalError: Client error on launch",
        "Client.InvalidKMSKey.InvalidState: The KMS key provided is in an incorrect state",
    ];
    parks_until_mended(messages.map(|message| given_up(LAUNCH, message, Class::Customer, EBS_KEY))).await;
}

/// P: A launch template contradicts the node group.
#[tokio::test(start_paused = true)]
async fn row_40_the_instance_type_is_given_once_and_the_template_only_by_id() {
    let scene = Scene::running().await;
    let says = |call: &str, text: &str| {
        scene.account.calls().iter().any(|made| made.starts_with(call) && made.split(' ').any(|part| part == text))
    };
    assert!(says("eks:CreateNodegroup", "m6i.large") && !says("ec2:CreateLaunchTemplate", "m6i.large"));
    assert!(!says("eks:CreateNodegroup", &scene.cluster.scoped("lt-m6i.large")));
}

/// W: The group is busy when it is to be deleted.
#[tokio::test(start_paused = true)]
async fn row_41_a_busy_node_group_is_waited_for() {
    let message = "Nodegroup cannot be updated as it is currently not in Active State";
    goes_in_spite_of(vec![times(10, refuse("eks:DeleteNodegroup", 409, "ResourceInUseException", message))]).await;
}

/// F: A new account, or one that is new to the region, is still being verified.
#[tokio::test(start_paused = true)]
async fn row_61_what_an_unverified_account_may_not_do_yet_is_done_later() {
    let nodes = "Your request for accessing resources in this region is being validated, and you will not be able to launch additional \
                 resources in this region until the validation is complete. We will notify you by email once your request has been \
                 validated. While normally resolved within minutes, please allow up to 4 hours for this process to complete. Launching \
                 EC2 instance failed.";
    let older = "Your account is currently being verified. Verification normally takes less than 2 hours. Until your account is \
                 verified, you may not be able to launch additional instances or create additional volumes.";
    let gateway = refuse("ec2:CreateNatGateway", 400, "PendingVerification", older);
    let reason = format!("AWS refused ec2:CreateNatGateway: PendingVerification: {older}");
    passes_by_itself([
        (gateway, Class::Later, reason, VERIFY),
        given_up(LAUNCH, nodes, Class::Later, VERIFY),
        given_up(LAUNCH, older, Class::Later, VERIFY),
    ])
    .await;
}

/// P, F: IAM wants fewer calls than EKS makes for several node groups at once, or something else fails inside EKS.
#[tokio::test(start_paused = true)]
async fn row_62_a_group_that_failed_inside_aws_is_made_again_and_groups_are_begun_one_by_one() {
    let causes = [
        ("IamThrottling", "Amazon EKS was unable to create an IAM Instance Profile in your account."),
        ("InternalFailure", "Amazon EKS had an internal failure."),
        ("ClusterUnreachable", "The cluster's API server cannot be reached."),
        ("AutoScalingGroupRateLimitExceeded", "Rate exceeded"),
        ("AutoScalingGroupInstanceRefreshActive", "An instance refresh is active."),
    ];
    passes_by_itself(causes.map(|(code, message)| given_up(code, message, Class::Later, AGAIN))).await;
}

/// C, F: A node group cannot be deleted because of an interface, which would go only after the cluster, which goes after the group.
#[tokio::test(start_paused = true)]
async fn row_67_an_interface_that_holds_a_node_group_goes_before_it_if_it_is_ours() {
    for (ours, why) in [(true, "the network plugin left it"), (false, "somebody else made it")] {
        let scene = Scene::running().await;
        let ec2 = scene.clients().ec2;
        let tag = Tag::builder().key(OWNER_TAG).value(if ours { &scene.cluster.id } else { "somebody" }).build();
        let tags = TagSpecification::builder().resource_type(ResourceType::NetworkInterface).tags(tag).build();
        let interface = ec2.create_network_interface().subnet_id(scene.output(&Key::Subnet(Side::Private, 0))).tag_specifications(tags);
        let interface = interface.send().await.expect("an interface").network_interface.and_then(|made| made.network_interface_id);
        let id = interface.expect("its id");
        tokio::time::sleep(neighbour::UNTIL_SEEN).await;

        let message = format!("DependencyViolation - resource sg-1 has a dependent object {id}");
        let doom = doom("eks:DeleteNodegroup", "Ec2SecurityGroupDeletionFailure", &message);
        scene.set(vec![Fault { about: "system".into(), ..times(usize::MAX, doom) }]);
        if !ours {
            let error = scene.is_blocked().await;
            assert!(
                error.reason.starts_with("The node group system is DELETE_FAILED; Ec2SecurityGroupDeletionFailure: "),
                "{why}: {error}"
            );
            assert_eq!((error.class, error.hint.as_str()), (Class::Customer, HELD), "{why}");
            ec2.delete_network_interface().network_interface_id(id).send().await.expect("its owner takes it away");
        }
        scene.goes().await;
    }
}
