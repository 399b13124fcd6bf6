//! The customer's own subnets.

use crate::scene::{Scene, reads, refuse};
use aws_sdk_ec2::types::{IpPermission, ResourceType, Tag, TagSpecification, UserIdGroupPair};
use cloud::account::Account as Like;
use engine::aws::Clients;
use engine::errors::Error;
use matrix::account::Account;
use matrix::{judge, neighbour, theirs};
use serde_json::Value;
use wire::error::{Class, Code};
use wire::key::Key;

fn says(parked: &Error, parts: &[&str]) {
    assert_eq!(
        (parked.class, &parked.code, parked.hint.as_str()),
        (Class::Customer, &Code::UnusableSubnets, Code::UnusableSubnets.means().hint)
    );
    for part in parts {
        assert!(parked.reason.contains(part), "{part}: {}", parked.reason);
    }
}

/// F, P: The customer's subnets have no way out, no free addresses, or no DNS names.
#[tokio::test(start_paused = true)]
async fn row_120_all_that_subnets_lack_is_told_before_anything_is_made() {
    let (mut scene, network) = Scene::in_their_network().await;
    let aws = scene.clients();
    theirs::has_dns_names(&aws, &network.vpc, false).await;
    aws.ec2.delete_route().route_table_id(&network.main_table).destination_cidr_block("0.0.0.0/0").send().await.expect("gone");
    scene.account.becomes(Like { full_subnets: vec![network.subnets[1].clone()], ..Like::default() });
    let [one, other] = &network.subnets;
    let parts = [
        format!("{one}, {other}: it has no default route, and no VPC endpoint for ec2, ecr.api, ecr.dkr, eks-auth, s3"),
        format!("{other}: 0 free addresses are too few"),
        format!("{}: enableDnsHostnames is off", network.vpc),
    ];
    says(&scene.parks().await, &parts.each_ref().map(String::as_str));
    assert!(scene.desk.entries(&scene.cluster.id).is_empty(), "nothing was begun");
    theirs::has_dns_names(&aws, &network.vpc, true).await;
    theirs::leads_out(&aws, &network.main_table, &network.nat_gateway).await;
    scene.account.becomes(Like::default());
    scene.begin_here().await;
    scene.runs().await;
    scene.goes().await;
}

/// F, P: The customer's subnets are not there, in one zone only, or in several VPCs.
#[tokio::test(start_paused = true)]
async fn row_121_subnets_that_no_cluster_can_be_in_are_named() {
    let account = Account::new(1);
    let [network, other] = [theirs::network(&account.clients()).await, theirs::network(&account.clients()).await];
    let [private, second] = network.subnets.clone();
    for (subnets, parts) in [
        ([private.clone(), "subnet-99999999".into()], vec!["subnet-99999999: there is no such subnet".to_owned()]),
        (
            [private.clone(), network.public.clone()],
            vec!["all are in us-west-2a".into(), format!("{}: its way out is an internet", network.public)],
        ),
        ([second, other.subnets[0].clone()], vec![format!("it is in {}, and all must", network.vpc), format!("it is in {}", other.vpc)]),
    ] {
        let scene = Scene::in_subnets(account.clone(), &subnets).await;
        says(&scene.parks().await, &parts.iter().map(String::as_str).collect::<Vec<_>>());
        scene.goes().await;
    }
}

/// F, P: The customer has not named the VPC in the quick-start.
#[tokio::test(start_paused = true)]
async fn row_122_the_parameter_of_the_quick_start_is_named() {
    let (scene, network) = Scene::in_their_network().await;
    scene.set(vec![refuse("ec2:DescribeVpcAttribute", 403, "UnauthorizedOperation", "You are not authorized to perform this operation.")]);
    let arn = format!("arn:aws:ec2:us-west-2:123456789012:vpc/{}", network.vpc);
    let reason = format!(
        "The role does not allow Groundwork to use {}, which network.subnet_ids are in. AWS refused ec2:DescribeVpcAttribute: the role does \
         not allow it (UnauthorizedOperation).",
        network.vpc
    );
    let hint = format!("Deploy the quick-start again with {arn} in NetworkVpcs (Terraform: network_vpcs), then retry.");
    reads(&scene.parks().await, Class::Customer, &reason, &hint);
    scene.account.becomes(Like { full_subnets: vec![network.subnets[0].clone()], ..Like::default() });
    let together = scene.parks().await;
    assert_eq!((together.class, &together.code), (Class::Customer, &Code::UnusableSubnets));
    assert!(together.reason.contains("0 free addresses are too few") && together.reason.ends_with(&reason), "{}", together.reason);
    assert!(together.hint.starts_with(Code::UnusableSubnets.means().hint) && together.hint.ends_with(&hint), "{}", together.hint);
    scene.account.becomes(Like::default());
    scene.mend();
    scene.runs().await;
    scene.goes().await;
}

/// F: The customer deletes a subnet while a cluster is made in it.
#[tokio::test(start_paused = true)]
async fn row_123_a_cluster_whose_subnet_is_gone_says_so_and_goes() {
    let (mut scene, network) = Scene::in_their_network().await;
    scene.set(vec![refuse("eks:CreateCluster", 400, "InvalidParameterException", "The subnet ID 'subnet-1' does not exist")]);
    let parked = scene.parks().await;
    assert_eq!((parked.class, parked.hint.as_str()), (Class::Customer, Code::UnusableSubnets.means().hint), "{}", parked.reason);
    scene.mend();
    let gone = &network.subnets[1];
    scene.clients().ec2.delete_subnet().subnet_id(gone).send().await.expect("gone");
    says(&scene.parks().await, &[&format!("{gone}: there is no such subnet")]);
    without(&mut scene.before, gone);
    scene.goes().await;
}

/// Takes what has this id out of an account.
fn without(account: &mut Value, id: &str) {
    match account {
        Value::Object(fields) => {
            fields.remove(id);
            fields.values_mut().for_each(|field| without(field, id));
        }
        Value::Array(items) => {
            items.retain(|item| item["subnet_id"] != id);
            items.iter_mut().for_each(|item| without(item, id));
        }
        _ => {}
    }
}

/// C, W: The customer's own instances and interfaces are beside the cluster's, and an interface and a rule hold a security group of the cluster's.
#[tokio::test(start_paused = true)]
async fn row_124_in_the_customers_network_only_what_is_the_clusters_goes() {
    let (mut scene, network) = Scene::in_their_network().await;
    let endpoint = scene.clients().ec2.create_vpc_endpoint().vpc_id(&network.vpc).service_name("com.amazonaws.us-west-2.guardduty-data");
    let tag = Tag::builder().key("GuardDutyManaged").value("true").build();
    let tags = TagSpecification::builder().resource_type(ResourceType::VpcEndpoint).tags(tag).build();
    endpoint.tag_specifications(tags).send().await.expect("an endpoint");
    scene.begin_here().await;
    scene.runs().await;
    neighbour::leave_behind(&scene).await;
    tokio::time::sleep(neighbour::UNTIL_SEEN).await;
    let aws = scene.clients();
    let groups = aws.ec2.describe_security_groups().send().await.expect("groups").security_groups.unwrap_or_default();
    let ours =
        groups.into_iter().find(|group| group.group_name() == Some("k8s-elb-ours")).and_then(|group| group.group_id).expect("its id");
    let holder = aws.ec2.create_network_interface().subnet_id(&network.subnets[0]).groups(&ours).description("bastion").send().await;
    let holder = holder.expect("an interface").network_interface.and_then(|one| one.network_interface_id).expect("its id");
    let database = database(&aws, &network.vpc, &ours).await;
    tokio::time::sleep(neighbour::UNTIL_SEEN).await;

    let blocked = scene.is_blocked().await;
    assert_eq!(blocked.code, Code::InUse, "{}", blocked.reason);
    for part in [format!("network interface {holder} (bastion)"), format!("security group {ours} (named in rules of {database})")] {
        assert!(blocked.reason.contains(&part), "{part}: {}", blocked.reason);
    }
    judge::untouched(&scene.before, &scene.account.snapshot().await).expect("the customer's things as they were");
    assert!(!scene.account.calls().iter().any(|call| call.starts_with(&format!("ec2:DeleteNetworkInterface {holder}"))));
    aws.ec2.delete_network_interface().network_interface_id(holder).send().await.expect("gone");
    aws.ec2.delete_security_group().group_id(database).send().await.expect("gone");
    scene.goes().await;
}

/// A group of the customer's that lets in what is in a group of the cluster's.
async fn database(aws: &Clients, vpc: &str, ours: &str) -> String {
    let made = aws.ec2.create_security_group().vpc_id(vpc).group_name("database").description("the customer's").send().await;
    let id = made.expect("a group").group_id.expect("its id");
    tokio::time::sleep(neighbour::UNTIL_SEEN).await;
    let rule = IpPermission::builder().ip_protocol("tcp").from_port(5432).to_port(5432);
    let rule = rule.user_id_group_pairs(UserIdGroupPair::builder().group_id(ours).build()).build();
    aws.ec2.authorize_security_group_ingress().group_id(&id).ip_permissions(rule).send().await.expect("a rule");
    id
}

/// F, P: VPC Block Public Access lets nothing out of the customer's VPC.
#[tokio::test(start_paused = true)]
async fn row_125_a_vpc_that_is_exempted_from_blocked_access_has_a_way_out() {
    let (scene, network) = Scene::in_their_network().await;
    let blocked = |exempted: &[&str]| {
        let exempted = exempted.iter().map(|id| (*id).to_owned()).collect();
        scene.account.becomes(Like { blocks_internet: true, exempted, ..Like::default() });
    };
    blocked(&["vpc-99999999"]);
    says(&scene.parks().await, &["VPC Block Public Access (block-bidirectional) lets its nodes not out: exempt the VPC from it"]);
    blocked(&["vpc-99999999", &network.vpc]);
    scene.runs().await;
    assert!(scene.desk.entries(&scene.cluster.id).contains_key(&Key::Network));
    scene.goes().await;
}

/// P: The role is too old to see what is exempted from VPC Block Public Access.
#[tokio::test(start_paused = true)]
async fn row_126_a_block_of_which_nobody_may_ask_parks_nothing() {
    for call in ["ec2:DescribeVpcBlockPublicAccessOptions", "ec2:DescribeVpcBlockPublicAccessExclusions"] {
        let (scene, network) = Scene::in_their_network().await;
        scene.account.becomes(Like { blocks_internet: true, exempted: vec![network.vpc], ..Like::default() });
        scene.set(vec![refuse(call, 403, "UnauthorizedOperation", "You are not authorized to perform this operation.")]);
        scene.runs().await;
        scene.goes().await;
    }
}
