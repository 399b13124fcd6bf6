//! Each hint that a tenant can read works when it is followed: a retry, or what else it says, then goes on.
//!
//! A permission is added or a region enabled by lifting the fault, because the account in this process has no IAM. So is a quota raised here;
//! rows 37 and 50 meet the account's own.

use crate::scene::{Scene, doom, refuse};
use aws_sdk_ec2::types::{Filter, ResourceType, Tag, TagSpecification};
use cloud::faults::Fault;
use engine::errors::Error;
use engine::errors::table::{DENIALS, Row, TABLE};
use engine::names::OWNER_TAG;
use engine::resources::health;
use matrix::account::{Account, REGION};
use matrix::life::Life;
use matrix::{neighbour, theirs};
use serde_json::json;
use std::collections::BTreeSet;
use std::time::Duration;
use strum::VariantNames;
use tokio::time::sleep;
use wire::error::{Class, Code};
use wire::status::Status;

/// EKS makes a control plane within that time, and deletes it.
const BY_EKS: Duration = Duration::from_secs(3600);

/// Groundwork's codes that are a tenant's turn and are met by a test below.
const FOLLOWED: &[Code] = &[
    Code::AccessDenied,
    Code::AccessDeniedException,
    Code::AlternativesDiffer,
    Code::BucketElsewhere,
    Code::BucketNotClosed,
    Code::ClientUnauthorizedOperation,
    Code::ExtendedSupport,
    Code::FlowLogUndelivered,
    Code::InUse,
    Code::InstanceTypeNotOffered,
    Code::InternetBlocked,
    Code::KeyNotUsable,
    Code::LeftBehind,
    Code::NoBucket,
    Code::NoEksCluster,
    Code::NotOurs,
    Code::UnauthorizedOperation,
    Code::UnusableSubnets,
    Code::VersionNotOffered,
];

/// Those that cannot be met in this process, and why.
const NOT_HERE: &[(Code, &str)] = &[
    (Code::AnotherAccount, "STS never opens a session in another account than the role's."),
    (Code::ApiServer, "It parks no cluster; rows 145 to 147 follow it by a retry."),
    (Code::EksClusterNotActive, "Nothing brings back an EKS cluster that failed; its hint says what to do then, as NoEksCluster's does."),
    (Code::InstanceTypesApart, "us-west-2 has no four types that are; the tests of preflight/zones.rs have."),
    (Code::InstanceTypeWithoutImage, "Only a version with other rules accepts such a type."),
    (Code::InvalidSpec, "Only a version with other rules accepts such a spec."),
    (Code::MissingPermissions, "There is no IAM here; the end-to-end tests take permissions away and give them back."),
    (Code::MissingPolicies, "There is no STS here; the end-to-end tests have one."),
    (Code::NoDoor, "It parks no cluster, and its hint is a command of the user's own."),
    (Code::NoSuchRegion, "The door that looks for regions is always open here, and a cluster stays in its region."),
    (Code::OpenTrust, "There is no STS here; the end-to-end tests change a role's trust policy and put it back."),
    (Code::OrganizationForbids, "There is no IAM here; the end-to-end tests have an organization that denies, and then does not."),
    (Code::RoleRefused, "There is no STS here; the end-to-end tests change a role's trust policy and put it back."),
    (Code::RoleRegistered, "There is one tenant here; the end-to-end tests have several."),
    (Code::TooFewZones, "A cluster stays in its region."),
    (Code::ZoneNotUsable, "A cluster keeps its spec; row 98 has what its hint says instead."),
];

#[test]
fn every_code_that_is_a_tenants_turn_is_met_or_listed_with_the_reason() {
    let tenants = Code::VARIANTS.iter().map(|name| Code::from(*name)).filter(|code| code.means().class == Class::Customer);
    let tenants: BTreeSet<String> = tenants.map(String::from).collect();
    let listed: Vec<String> = FOLLOWED.iter().chain(NOT_HERE.iter().map(|(code, _)| code)).map(Code::to_string).collect();
    assert_eq!((listed.len(), listed.into_iter().collect()), (tenants.len(), tenants));
    assert!(NOT_HERE.iter().all(|(_, why)| why.ends_with('.')));
}

/// The row parks the cluster with its hint. Once that is followed, by a retry if it says so, else by a deletion with the cause still there,
/// it goes on.
async fn works(row: &Row, fault: Fault) {
    let scene = Scene::new().await;
    scene.set(vec![fault]);
    let parked = scene.parks().await;
    // Of a denied create it says first what tags can do about it.
    assert!(parked.class == Class::Customer && parked.hint.ends_with(row.hint), "{} {}: {parked:?}", row.code, row.says);
    if row.hint.contains("retry") {
        scene.mend();
        scene.runs().await;
    } else {
        assert!(row.hint.to_lowercase().contains("delete the cluster and create it"), "{}", row.hint);
    }
    scene.goes().await;
}

/// The rows that are a tenant's turn.
fn tenants(rows: &'static [Row]) -> impl Iterator<Item = &'static Row> {
    rows.iter().filter(|row| row.class == Class::Customer && row.code != DELETION_PROTECTION)
}

/// A call that meets the row; any would do, because the answer alone decides.
fn call(row: &Row) -> &'static str {
    match (row.code.trim_end_matches('*'), row.says) {
        ("NoSuchEntity", _) => "iam:CreateRole",
        ("InvalidParameterException", _) => "eks:CreateAccessEntry",
        ("InvalidRequestException", _) => "eks:CreateNodegroup",
        ("AddressLimitExceeded", _) => "ec2:AllocateAddress",
        ("NatGatewayLimitExceeded" | "InsufficientFreeAddresses", _) => "ec2:CreateNatGateway",
        ("InternetGatewayLimitExceeded", _) => "ec2:CreateInternetGateway",
        ("VpcEndpointLimitExceeded", _) => "ec2:CreateVpcEndpoint",
        ("TooManyBuckets" | "BucketAlreadyExists", _) => "s3:CreateBucket",
        ("ResourceLimitExceeded" | "UnsupportedAvailabilityZoneException", _) => "eks:CreateCluster",
        _ => "ec2:CreateVpc",
    }
}

/// A piece of the message by which the row is found.
fn message(row: &Row) -> &'static str {
    if row.says.is_empty() { "no" } else { row.says }
}

const DELETION_PROTECTION: &str = "OperationNotPermitted";

#[tokio::test(start_paused = true)]
async fn the_hints_about_refused_calls_work() {
    for row in tenants(TABLE) {
        works(row, refuse(call(row), 400, row.code.trim_end_matches('*'), message(row))).await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_hints_about_denials_work() {
    for row in tenants(DENIALS) {
        works(row, refuse("ec2:CreateVpc", 403, "UnauthorizedOperation", row.says)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_hints_about_what_eks_gave_up_work() {
    for row in tenants(health::TABLE) {
        let code = if row.code.is_empty() { "AsgInstanceLaunchFailures" } else { row.code };
        let given_up = Fault { about: "node-group/system".into(), ..doom("eks:CreateNodegroup", code, message(row)) };
        works(row, given_up).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_load_balancer_goes_once_its_deletion_protection_is_off() {
    let row = TABLE.iter().find(|row| row.code == DELETION_PROTECTION).expect("its row");
    let scene = Scene::running().await;
    neighbour::leave_behind(&scene).await;
    scene.set(vec![refuse("elasticloadbalancing:DeleteLoadBalancer", 400, row.code, row.says)]);
    assert_eq!(scene.is_blocked().await.hint, row.hint);
    scene.mend();
    scene.goes().await;
}

/// A denial by role, boundary, organization or a bucket's own policy.
#[tokio::test(start_paused = true)]
async fn a_denied_call_goes_on_once_it_is_allowed() {
    for (call, code) in [
        ("s3:PutBucketPolicy", Code::AccessDenied),
        ("eks:CreateCluster", Code::AccessDeniedException),
        ("ec2:CreateSubnet", Code::UnauthorizedOperation),
        ("ec2:CreateSubnet", Code::ClientUnauthorizedOperation),
    ] {
        let scene = Scene::new().await;
        scene.set(vec![refuse(call, 403, code.as_str(), "You are not authorized to perform this operation.")]);
        let parked = scene.parks().await;
        assert!(parked.code == code && parked.hint.starts_with("Add "), "{}: {}", parked.code, parked.hint);
        scene.mend();
        scene.runs().await;
        let denied = Fault { about: "logs".into(), ..refuse("s3:DeleteBucket", 403, code.as_str(), "Access Denied") };
        scene.set(vec![denied]);
        assert_eq!(scene.is_blocked().await.code, code);
        scene.mend();
        scene.goes().await;
    }
}

fn is_own(error: &Error, code: Code) {
    assert_eq!((error.class, &error.code, error.hint.as_str()), (Class::Customer, &code, code.means().hint));
}

#[tokio::test(start_paused = true)]
async fn a_bucket_and_a_role_go_once_their_tags_are_back() {
    let scene = Scene::running().await;
    let (s3, iam) = (scene.clients().s3, scene.clients().iam);
    let (bucket, role) = (scene.cluster.scoped("logs"), scene.cluster.scoped("node"));
    let tags = s3.get_bucket_tagging().bucket(&bucket).send().await.expect("tags").tag_set;
    let of_role = iam.get_role().role_name(&role).send().await.expect("the role").role.and_then(|role| role.tags).expect("its tags");

    s3.delete_bucket_tagging().bucket(&bucket).send().await.expect("untagged");
    iam.untag_role().role_name(&role).tag_keys(OWNER_TAG).send().await.expect("untagged");
    is_own(&scene.is_blocked().await, Code::NotOurs);

    let tags = aws_sdk_s3::types::Tagging::builder().set_tag_set(Some(tags)).build().expect("tags");
    s3.put_bucket_tagging().bucket(&bucket).tagging(tags).send().await.expect("tagged");
    iam.tag_role().role_name(&role).set_tags(Some(of_role)).send().await.expect("tagged");
    scene.goes().await;
}

#[tokio::test(start_paused = true)]
async fn a_cluster_is_made_once_the_strangers_of_its_name_is_removed() {
    let scene = Scene::new().await;
    let (eks, name) = (scene.clients().eks, scene.cluster.eks_name());
    let network = aws_sdk_eks::types::VpcConfigRequest::builder().build();
    eks.create_cluster().name(&name).role_arn("x").resources_vpc_config(network).send().await.expect("a stranger's");
    is_own(&scene.parks().await, Code::NotOurs);
    sleep(BY_EKS).await;
    eks.delete_cluster().name(&name).send().await.expect("removed");
    sleep(BY_EKS).await;
    scene.runs().await;
    scene.goes().await;
}

#[tokio::test(start_paused = true)]
async fn nothing_is_made_until_the_account_lets_nodes_out() {
    let mut scene = Scene::new().await;
    // Nothing is chosen yet.
    let mut record = scene.record();
    record.zones.clear();
    scene.desk.put(record);
    scene.account.becomes(cloud::account::Account { blocks_internet: true, ..Default::default() });
    is_own(&scene.parks().await, Code::InternetBlocked);
    scene.is_gone().await;
    scene.grant(&[]);
    scene.provision().await.expect("nothing parks it");
    scene.cluster = scene.record().cluster().expect("with its zones");
    scene.goes().await;
}

#[tokio::test(start_paused = true)]
async fn a_network_goes_once_what_strangers_have_in_it_is_removed() {
    let scene = Scene::running().await;
    let ec2 = scene.clients().ec2;
    let ours = Filter::builder().name(format!("tag:{OWNER_TAG}")).values(&scene.cluster.id).build();
    let subnets = ec2.describe_subnets().filters(ours).send().await.expect("subnets").subnets.unwrap_or_default();
    let (subnet, vpc) = subnets.first().and_then(|subnet| Some((subnet.subnet_id()?, subnet.vpc_id()?))).expect("a subnet");
    let interface = ec2.create_network_interface().subnet_id(subnet).send().await.expect("an interface").network_interface;
    let interface = interface.and_then(|interface| interface.network_interface_id).expect("its id");
    let group = ec2.create_security_group().vpc_id(vpc).group_name("stranger").description("a stranger's");
    let group = group.send().await.expect("a group").group_id.expect("its id");
    sleep(neighbour::UNTIL_SEEN).await;
    is_own(&scene.is_blocked().await, Code::InUse);
    let left = scene.record().inventory.expect("an inventory").left;
    for id in [&interface, &group] {
        assert!(left.iter().any(|found| found.id == *id), "{id} is not among what is left: {left:?}");
    }

    ec2.delete_network_interface().network_interface_id(interface).send().await.expect("removed");
    ec2.delete_security_group().group_id(group).send().await.expect("removed");
    scene.goes().await;
}

#[tokio::test(start_paused = true)]
async fn a_deletion_ends_once_what_is_left_is_removed() {
    let scene = Scene::running().await;
    let ec2 = scene.clients().ec2;
    let tag = Tag::builder().key(OWNER_TAG).value(&scene.cluster.id).build();
    let tags = TagSpecification::builder().resource_type(ResourceType::ElasticIp).tags(tag).build();
    let address = ec2.allocate_address().tag_specifications(tags).send().await.expect("an address").allocation_id.expect("its id");
    sleep(neighbour::UNTIL_SEEN).await;
    is_own(&scene.is_blocked().await, Code::LeftBehind);
    ec2.release_address().allocation_id(address).send().await.expect("removed");
    scene.goes().await;
}

#[tokio::test(start_paused = true)]
async fn a_self_managed_cluster_goes_on_once_its_owner_has_mended_it() {
    let life = Life::self_managed(Account::new(1)).await;
    let (s3, bucket) = (life.clients().s3, theirs::BUCKETS[0]);

    s3.delete_public_access_block().bucket(bucket).send().await.expect("opened");
    is_own(&life.provision().await.expect_err("it is open"), Code::BucketNotClosed);
    s3.delete_bucket().bucket(bucket).send().await.expect("deleted");
    is_own(&life.provision().await.expect_err("it is not there"), Code::NoBucket);

    theirs::bucket(&life.clients(), bucket).await;
    life.provision().await.expect("all is well");
    assert_eq!(life.record().status, Status::Running);
    life.tear_down().await.expect("nothing blocks the deletion");
}

#[tokio::test(start_paused = true)]
async fn a_self_managed_cluster_goes_on_once_its_control_plane_is_there() {
    let life = Life::self_managed(Account::new(1)).await;
    sleep(BY_EKS).await;
    life.clients().eks.delete_cluster().name(theirs::CLUSTER).send().await.expect("deleted");
    sleep(BY_EKS).await;
    is_own(&life.provision().await.expect_err("it is not there"), Code::NoEksCluster);
    theirs::cluster(&life.clients()).await;
    life.provision().await.expect("all is well");
    life.tear_down().await.expect("nothing blocks the deletion");
}

/// What the hint says: the next one is made with types that are offered.
#[tokio::test(start_paused = true)]
async fn a_cluster_with_a_type_that_is_not_offered_is_deleted() {
    let scene = Scene::wanting(&["p3.2xlarge"]).await;
    is_own(&scene.parks().await, Code::InstanceTypeNotOffered);
    scene.goes().await;
    assert_eq!(scene.record().status, Status::Deleted);
}

/// What the hint says: the next one has a version that is offered on its terms. Rows 111 and 112 have the words.
#[tokio::test(start_paused = true)]
async fn a_cluster_of_a_version_that_eks_does_not_offer_on_its_terms_is_deleted() {
    for (kubernetes, code) in [(json!({"version": "1.28"}), Code::VersionNotOffered), (json!({"version": "1.33"}), Code::ExtendedSupport)] {
        let scene = Scene::asking(&json!({"kubernetes": kubernetes})).await;
        is_own(&scene.parks().await, code);
        scene.goes().await;
        assert_eq!(scene.record().status, Status::Deleted);
    }
}

/// What the hint says: the next one is made with alternatives that have as many GPUs.
#[tokio::test(start_paused = true)]
async fn a_cluster_with_alternatives_that_differ_is_deleted() {
    let mut scene = Scene::new().await;
    scene.ask_for(&json!([{"name": "g5.xlarge", "capacity": "spot", "alternatives": ["g4dn.12xlarge"]}]));
    is_own(&scene.parks().await, Code::AlternativesDiffer);
    scene.goes().await;
    assert_eq!(scene.record().status, Status::Deleted);
}

/// The hint of a cluster that an earlier version placed: another one is placed where its type is.
#[tokio::test(start_paused = true)]
async fn a_cluster_in_zones_without_its_type_is_deleted_and_another_one_has_other_zones() {
    let wanted = ["p5e.48xlarge"];
    let mut scene = Scene::wanting(&wanted).await;
    let mut record = scene.record();
    record.zones = ["a", "b"].map(|letter| format!("{REGION}{letter}")).into();
    scene.desk.put(record);
    scene.look_again();
    let parked = scene.parks().await;
    assert_eq!(parked.code, Code::InstanceTypeNotOffered);
    assert!(parked.hint.contains("delete it and create it again"), "{parked}: {}", parked.hint);
    scene.goes().await;

    let mut another = Scene::wanting(&wanted).await;
    another.provision().await.expect("nothing parks it");
    another.look_again();
    assert_eq!(another.record().zones, ["a", "b", "c"].map(|letter| format!("{REGION}{letter}")));
    another.goes().await;
}

/// What the hint says: the next one is made with buckets in its region.
#[tokio::test(start_paused = true)]
async fn a_self_managed_cluster_with_a_bucket_elsewhere_is_deleted() {
    let life = Life::self_managed(Account::new(1)).await;
    let elsewhere = "The bucket you are attempting to access must be addressed using the specified endpoint.";
    life.account.cloud().set_faults(vec![refuse("s3:GetBucketLocation", 301, "PermanentRedirect", elsewhere)]);
    is_own(&life.provision().await.expect_err("it is elsewhere"), Code::BucketElsewhere);
    life.tear_down().await.expect("nothing blocks the deletion");
    assert_eq!(life.record().status, Status::Deleted);
}

#[tokio::test(start_paused = true)]
async fn the_hint_about_unusable_subnets_works() {
    let (mut scene, network) = Scene::in_their_network().await;
    theirs::has_dns_names(&scene.clients(), &network.vpc, false).await;
    let parked = scene.parks().await;
    assert_eq!((&parked.code, parked.hint.contains("then retry")), (&Code::UnusableSubnets, true));
    theirs::has_dns_names(&scene.clients(), &network.vpc, true).await;
    scene.begin_here().await;
    scene.runs().await;
    scene.goes().await;
}
