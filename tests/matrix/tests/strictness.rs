//! The local cloud is as slow and as strict as AWS: what an emulator lets pass is refused here.

#![expect(clippy::expect_used, reason = "a test stops at the impossible")]

use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ec2::types::{ArchitectureType, DomainType, Filter, InstanceType, LocationType, NatGatewayState};
use aws_sdk_eks::types::{
    AddonStatus, ClusterStatus, LaunchTemplateSpecification, NodegroupScalingConfig, NodegroupStatus, VpcConfigRequest,
};
use cloud::account::Account as Narrow;
use cloud::faults::{Effect, Fault, When};
use engine::aws::Clients;
use matrix::account::Account;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Until a new id or role is visible everywhere.
const SEEN: Duration = Duration::from_secs(120);
const MINUTE: Duration = Duration::from_secs(60);

fn aws() -> Clients {
    Account::new(3).clients()
}

fn code<T: std::fmt::Debug, E: ProvideErrorMetadata + std::fmt::Debug, R: std::fmt::Debug>(answer: Result<T, SdkError<E, R>>) -> String {
    answer.expect_err("a refusal").code().expect("a code").to_owned()
}

async fn vpc(aws: &Clients) -> String {
    let vpc = aws.ec2.create_vpc().cidr_block("10.0.0.0/16").send().await.expect("a VPC").vpc.and_then(|vpc| vpc.vpc_id).expect("an id");
    sleep(SEEN).await;
    vpc
}

async fn subnet(aws: &Clients) -> String {
    let subnet = aws.ec2.create_subnet().vpc_id(vpc(aws).await).cidr_block("10.0.0.0/24").send().await.expect("a subnet");
    sleep(SEEN).await;
    subnet.subnet.and_then(|subnet| subnet.subnet_id).expect("an id")
}

async fn start_cluster(aws: &Clients, subnet: &str) {
    let network = VpcConfigRequest::builder().subnet_ids(subnet).build();
    aws.eks.create_cluster().name("a").role_arn("arn:aws:iam::1:role/a").resources_vpc_config(network).send().await.expect("a cluster");
}

async fn status(aws: &Clients) -> Option<ClusterStatus> {
    aws.eks.describe_cluster().name("a").send().await.ok()?.cluster?.status
}

async fn cluster(aws: &Clients) -> String {
    let subnet = subnet(aws).await;
    start_cluster(aws, &subnet).await;
    while status(aws).await != Some(ClusterStatus::Active) {
        sleep(MINUTE).await;
    }
    subnet
}

async fn start_nodes(aws: &Clients, subnet: &str, count: i32) -> Result<(), String> {
    let scaling = NodegroupScalingConfig::builder().min_size(0).desired_size(count).max_size(3).build();
    let group = aws.eks.create_nodegroup().cluster_name("a").nodegroup_name("n").node_role("arn:aws:iam::1:role/n").subnets(subnet);
    let made = group.scaling_config(scaling).send().await;
    if made.is_err() { Err(code(made)) } else { Ok(()) }
}

async fn nodes(aws: &Clients) -> Option<aws_sdk_eks::types::Nodegroup> {
    aws.eks.describe_nodegroup().cluster_name("a").nodegroup_name("n").send().await.ok()?.nodegroup
}

/// A NAT gateway, the address that it holds, and the subnet that it is in.
async fn gateway(aws: &Clients) -> (String, String, String) {
    let subnet = subnet(aws).await;
    let address = aws.ec2.allocate_address().domain(DomainType::Vpc).send().await.expect("an address").allocation_id.expect("an id");
    sleep(SEEN).await;
    let gateway = aws.ec2.create_nat_gateway().subnet_id(&subnet).allocation_id(&address).send().await.expect("a gateway");
    sleep(SEEN).await;
    (gateway.nat_gateway.and_then(|gateway| gateway.nat_gateway_id).expect("an id"), address, subnet)
}

async fn state(aws: &Clients, gateway: &str) -> Option<NatGatewayState> {
    aws.ec2.describe_nat_gateways().nat_gateway_ids(gateway).send().await.ok()?.nat_gateways?.first()?.state.clone()
}

#[tokio::test(start_paused = true)]
async fn a_control_plane_takes_minutes_to_create_and_to_delete() {
    let aws = aws();
    let subnet = subnet(&aws).await;
    let asked = Instant::now();
    start_cluster(&aws, &subnet).await;
    assert_eq!(status(&aws).await, Some(ClusterStatus::Creating));
    while status(&aws).await == Some(ClusterStatus::Creating) {
        sleep(MINUTE).await;
    }
    assert_eq!(status(&aws).await, Some(ClusterStatus::Active));
    assert!((6 * MINUTE..20 * MINUTE).contains(&asked.elapsed()), "{:?}", asked.elapsed());
    aws.eks.delete_cluster().name("a").send().await.expect("accepted");
    assert_eq!(status(&aws).await, Some(ClusterStatus::Deleting));
    assert_eq!(code(aws.ec2.delete_subnet().subnet_id(&subnet).send().await), "DependencyViolation");
    sleep(16 * MINUTE).await;
    assert_eq!(status(&aws).await, None);
    aws.ec2.delete_subnet().subnet_id(&subnet).send().await.expect("nothing is in it any more");
}

#[tokio::test(start_paused = true)]
async fn nothing_can_be_made_in_a_cluster_until_it_is_active() {
    let aws = aws();
    let subnet = subnet(&aws).await;
    start_cluster(&aws, &subnet).await;
    assert_eq!(start_nodes(&aws, &subnet, 1).await, Err("InvalidRequestException".to_owned()));
    assert_eq!(code(aws.eks.delete_cluster().name("a").send().await), "ResourceInUseException");
}

#[tokio::test(start_paused = true)]
async fn a_cluster_is_not_deleted_until_its_node_groups_are_gone() {
    let aws = aws();
    let subnet = cluster(&aws).await;
    start_nodes(&aws, &subnet, 0).await.expect("accepted");
    assert_eq!(code(aws.eks.delete_cluster().name("a").send().await), "ResourceInUseException");
    sleep(10 * MINUTE).await;
    aws.eks.delete_nodegroup().cluster_name("a").nodegroup_name("n").send().await.expect("accepted");
    assert_eq!(nodes(&aws).await.and_then(|nodes| nodes.status), Some(NodegroupStatus::Deleting));
    assert_eq!(code(aws.eks.delete_cluster().name("a").send().await), "ResourceInUseException");
    sleep(15 * MINUTE).await;
    aws.eks.delete_cluster().name("a").send().await.expect("nothing is in it any more");
}

#[tokio::test(start_paused = true)]
async fn nodes_without_a_way_out_fail_to_join_after_twenty_five_minutes() {
    let aws = aws();
    let subnet = cluster(&aws).await;
    start_nodes(&aws, &subnet, 1).await.expect("accepted");
    sleep(15 * MINUTE).await;
    assert_eq!(nodes(&aws).await.and_then(|nodes| nodes.status), Some(NodegroupStatus::Creating));
    sleep(30 * MINUTE).await;
    let nodes = nodes(&aws).await.expect("they are listed");
    assert_eq!(nodes.status, Some(NodegroupStatus::CreateFailed));
    let issue = nodes.health.and_then(|health| health.issues?.pop()).expect("an issue");
    assert_eq!(issue.code.expect("a code").as_str(), "NodeCreationFailure");
}

#[tokio::test(start_paused = true)]
async fn coredns_is_degraded_as_long_as_there_is_no_node() {
    let aws = aws();
    cluster(&aws).await;
    aws.eks.create_addon().cluster_name("a").addon_name("coredns").send().await.expect("accepted");
    sleep(60 * MINUTE).await;
    let addon = aws.eks.describe_addon().cluster_name("a").addon_name("coredns").send().await.expect("it is there").addon;
    assert_eq!(addon.and_then(|addon| addon.status), Some(AddonStatus::Degraded));
}

#[tokio::test(start_paused = true)]
async fn a_nat_gateway_holds_its_address_and_subnet_until_it_is_gone() {
    let aws = aws();
    let (gateway, address, subnet) = gateway(&aws).await;
    assert_eq!(code(aws.ec2.release_address().allocation_id(&address).send().await), "InvalidIPAddress.InUse");
    aws.ec2.delete_nat_gateway().nat_gateway_id(&gateway).send().await.expect("accepted");
    assert_eq!(state(&aws, &gateway).await, Some(NatGatewayState::Deleting));
    assert_eq!(code(aws.ec2.delete_subnet().subnet_id(&subnet).send().await), "DependencyViolation");
    sleep(3 * MINUTE).await;
    assert_eq!(state(&aws, &gateway).await, Some(NatGatewayState::Deleted));
    aws.ec2.release_address().allocation_id(&address).send().await.expect("nobody holds it any more");
}

#[tokio::test(start_paused = true)]
async fn a_network_with_anything_in_it_is_not_deleted() {
    let aws = aws();
    let vpc = vpc(&aws).await;
    let gateway = aws.ec2.create_internet_gateway().send().await.expect("made").internet_gateway.and_then(|one| one.internet_gateway_id);
    sleep(SEEN).await;
    let gateway = gateway.expect("an id");
    aws.ec2.attach_internet_gateway().vpc_id(&vpc).internet_gateway_id(&gateway).send().await.expect("attached");
    assert_eq!(code(aws.ec2.delete_vpc().vpc_id(&vpc).send().await), "DependencyViolation");
    assert_eq!(code(aws.ec2.delete_internet_gateway().internet_gateway_id(&gateway).send().await), "DependencyViolation");
    aws.ec2.detach_internet_gateway().vpc_id(&vpc).internet_gateway_id(&gateway).send().await.expect("detached");
    aws.ec2.delete_vpc().vpc_id(&vpc).send().await.expect("nothing is in it any more");
}

#[tokio::test(start_paused = true)]
async fn a_new_id_is_not_found_at_first() {
    // The seed decides when: with this one it is not seen as soon as the calls arrive.
    let aws = Account::new(1).clients();
    let made = aws.ec2.create_vpc().cidr_block("10.0.0.0/16").send().await.expect("a VPC").vpc.and_then(|vpc| vpc.vpc_id).expect("an id");
    let subnet = || aws.ec2.create_subnet().vpc_id(&made).cidr_block("10.0.0.0/24").send();
    let listed = || async { aws.ec2.describe_vpcs().send().await.expect("a list").vpcs.unwrap_or_default() };
    assert_eq!(code(subnet().await), "InvalidVpcID.NotFound");
    assert!(listed().await.iter().all(|vpc| vpc.vpc_id() != Some(&made)));
    sleep(SEEN).await;
    subnet().await.expect("it is seen by now");
    assert!(listed().await.iter().any(|vpc| vpc.vpc_id() == Some(&made)));
}

#[tokio::test(start_paused = true)]
async fn eks_does_not_see_a_new_role_at_first() {
    let aws = aws();
    let subnet = subnet(&aws).await;
    let role = aws.iam.create_role().role_name("a").assume_role_policy_document("{}").send().await.expect("a role").role.expect("a role");
    let network = || VpcConfigRequest::builder().subnet_ids(&subnet).build();
    let cluster = || aws.eks.create_cluster().name("a").role_arn(role.arn()).resources_vpc_config(network()).send();
    let refusal = cluster().await.expect_err("a refusal");
    assert!(refusal.message().expect("a message").contains("could not be assumed because it does not exist"));
    sleep(SEEN).await;
    cluster().await.expect("it is seen by now");
}

#[tokio::test(start_paused = true)]
async fn an_update_waits_for_the_previous_one() {
    let aws = aws();
    let subnet = cluster(&aws).await;
    start_nodes(&aws, &subnet, 0).await.expect("accepted");
    sleep(10 * MINUTE).await;
    let update = || aws.eks.update_nodegroup_config().cluster_name("a").nodegroup_name("n").send();
    update().await.expect("accepted");
    assert_eq!(code(update().await), "ResourceInUseException");
    sleep(10 * MINUTE).await;
    update().await.expect("the first is through");
}

#[tokio::test(start_paused = true)]
async fn a_client_token_makes_one_thing() {
    let aws = aws();
    let vpc = vpc(&aws).await;
    let table = |vpc: &str| aws.ec2.create_route_table().vpc_id(vpc).client_token("token").send();
    let id = |made: aws_sdk_ec2::operation::create_route_table::CreateRouteTableOutput| made.route_table.and_then(|one| one.route_table_id);
    let first = id(table(&vpc).await.expect("made"));
    assert_eq!(id(table(&vpc).await.expect("answered as before")), first);
    assert_eq!(code(table("vpc-other").await), "IdempotentParameterMismatch");
}

#[tokio::test(start_paused = true)]
async fn a_node_group_is_not_made_where_one_of_its_zones_lacks_the_type() {
    let aws = aws();
    cluster(&aws).await;
    let vpc = vpc(&aws).await;
    let subnet = |zone: &str, range: &str| {
        aws.ec2.create_subnet().vpc_id(&vpc).availability_zone(format!("us-west-2{zone}")).cidr_block(range).send()
    };
    let (a, b) = (subnet("a", "10.0.8.0/24").await.expect("a subnet"), subnet("b", "10.0.9.0/24").await.expect("another"));
    let subnets = [a, b].map(|made| made.subnet.and_then(|subnet| subnet.subnet_id).expect("an id"));
    sleep(SEEN).await;
    for (instance_type, refusal) in [
        ("m6i.lrge", Some("The following supplied instance types do not exist: [m6i.lrge]")),
        (
            "p5en.48xlarge",
            Some(
                "Your requested instance type (p5en.48xlarge) is not supported in your requested Availability Zone (us-west-2b). Please \
                 retry your request by not specifying an Availability Zone or choosing us-west-2a, us-west-2c, us-west-2d.",
            ),
        ),
        ("p6-b300.48xlarge", None),
    ] {
        let call = aws.eks.create_nodegroup().cluster_name("a").nodegroup_name(instance_type.replace('.', "-")).node_role("x");
        let answer = call.instance_types(instance_type).set_subnets(Some(subnets.to_vec())).send().await;
        assert_eq!(answer.err().and_then(|refused| refused.message().map(str::to_owned)).as_deref(), refusal, "{instance_type}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_disk_size_and_a_launch_template_exclude_each_other() {
    let aws = aws();
    let subnet = cluster(&aws).await;
    let template = LaunchTemplateSpecification::builder().id("lt-1").build();
    let call = aws.eks.create_nodegroup().cluster_name("a").nodegroup_name("n").node_role("x").subnets(subnet);
    assert_eq!(code(call.launch_template(template).disk_size(100).send().await), "InvalidParameterException");
}

#[tokio::test(start_paused = true)]
async fn ec2_says_page_by_page_which_zones_offer_a_type() {
    let ec2 = aws().ec2;
    let filter = |name: &str, values: &[&str]| {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        Filter::builder().name(name).set_values(Some(values)).build()
    };
    let call = ec2.describe_instance_type_offerings().location_type(LocationType::AvailabilityZone);
    let call = call.filters(filter("instance-type", &["p5e.48xlarge", "p6-b300.48xlarge", "t3.medium"]));
    let call = call.filters(filter("location", &["us-west-2a", "us-west-2c"])).max_results(2);
    let found: Vec<_> = call.into_paginator().items().send().collect::<Result<_, _>>().await.expect("offerings");
    let found: Vec<_> = found.iter().filter_map(|one| Some((one.instance_type()?.as_str(), one.location()?))).collect();
    let expected = [("t3.medium", "a"), ("t3.medium", "c"), ("p5e.48xlarge", "c"), ("p6-b300.48xlarge", "a")];
    assert_eq!(found, expected.map(|(name, letter)| (name, ["us-west-2a", "us-west-2c"][usize::from(letter == "c")])));

    let types = ec2.describe_instance_types().instance_types(InstanceType::G4dn12xlarge).send().await.expect("types");
    let gpu = &types.instance_types()[0];
    assert_eq!(gpu.v_cpu_info().and_then(|cpus| cpus.default_v_cpus()), Some(48));
    assert_eq!(gpu.gpu_info().map(|info| (info.gpus()[0].count(), info.total_gpu_memory_in_mib())), Some((Some(4), Some(4 * 16_384))));
    assert_eq!(gpu.processor_info().map(|info| info.supported_architectures().to_vec()), Some(vec![ArchitectureType::X8664]));
    let unknown = ec2.describe_instance_types().instance_types("g4dn.huge".into()).send().await;
    assert_eq!(code(unknown), "InvalidInstanceType");
    let zones = ec2.describe_availability_zones().send().await.expect("zones");
    let zones: Vec<_> = zones.availability_zones().iter().filter_map(|zone| Some((zone.zone_name()?, zone.zone_id()?))).collect();
    assert_eq!(zones.last(), Some(&("us-west-2d", "uw2-az4")), "{zones:?}");
}

/// In an account with one of each.
fn narrow() -> (Account, Clients) {
    let account = Account::new(3);
    let quotas = ["L-0263D0A3", "L-1194D53C", "L-6D54EA21", "L-FE5A380F", "L-1B52E74A", "L-DC2B2D3D", "L-FE177D64"].map(|code| (code, 1));
    let given = [("L-F678F1CE", 2), ("L-A4707A72", 2), ("L-1216C47A", 5)];
    let quotas = quotas.into_iter().chain(given).map(|(code, value)| (code.to_owned(), value)).collect();
    account.becomes(Narrow { quotas, ..Narrow::default() });
    let clients = account.clients();
    (account, clients)
}

#[tokio::test(start_paused = true)]
async fn an_account_has_as_many_things_as_its_quotas_allow_until_one_is_deleted() {
    let (_, aws) = narrow();
    let vpc = vpc(&aws).await;
    assert_eq!(code(aws.ec2.create_vpc().cidr_block("10.0.0.0/16").send().await), "VpcLimitExceeded");
    aws.ec2.delete_vpc().vpc_id(vpc).send().await.expect("empty");
    aws.ec2.create_vpc().cidr_block("10.0.0.0/16").send().await.expect("there is room again");

    let gateway = aws.ec2.create_internet_gateway().send().await.expect("made").internet_gateway.and_then(|one| one.internet_gateway_id);
    assert_eq!(code(aws.ec2.create_internet_gateway().send().await), "InternetGatewayLimitExceeded");
    sleep(SEEN).await;
    aws.ec2.delete_internet_gateway().set_internet_gateway_id(gateway).send().await.expect("detached");
    aws.ec2.create_internet_gateway().send().await.expect("there is room again");

    aws.s3.create_bucket().bucket("one").send().await.expect("a bucket");
    assert_eq!(code(aws.s3.create_bucket().bucket("two").send().await), "TooManyBuckets");
    aws.s3.delete_bucket().bucket("one").send().await.expect("empty");
    aws.s3.create_bucket().bucket("two").send().await.expect("there is room again");

    let role = |name: &str| aws.iam.create_role().role_name(name).assume_role_policy_document("{}").send();
    role("one").await.expect("a role");
    let refusal = role("two").await.expect_err("a refusal");
    assert_eq!((refusal.code(), refusal.message()), (Some("LimitExceeded"), Some("Cannot exceed quota for RolesPerAccount: 1")));
    assert_eq!(code(role("one").await), "EntityAlreadyExists");
    aws.iam.delete_role().role_name("one").send().await.expect("nothing uses it");
    role("two").await.expect("there is room again");
}

#[tokio::test(start_paused = true)]
async fn what_takes_time_to_go_counts_until_it_has_gone() {
    let (_, aws) = narrow();
    let (gateway, address, subnet) = gateway(&aws).await;
    let another = |token: &str| aws.ec2.create_nat_gateway().subnet_id(&subnet).allocation_id(&address).client_token(token).send();
    assert_eq!(code(aws.ec2.allocate_address().send().await), "AddressLimitExceeded");
    assert_eq!(code(another("a").await), "NatGatewayLimitExceeded");
    aws.ec2.delete_nat_gateway().nat_gateway_id(gateway).send().await.expect("accepted");
    assert_eq!(code(another("b").await), "NatGatewayLimitExceeded");
    sleep(3 * MINUTE).await;
    another("c").await.expect("the first is gone");
    another("c").await.expect("the same one, which does not count twice");

    start_cluster(&aws, &subnet).await;
    let network = VpcConfigRequest::builder().subnet_ids(&subnet).build();
    let refusal = aws.eks.create_cluster().name("b").role_arn("arn:aws:iam::1:role/a").resources_vpc_config(network).send().await;
    assert_eq!(code(refusal), "ResourceLimitExceededException");
    while status(&aws).await != Some(ClusterStatus::Active) {
        sleep(MINUTE).await;
    }
    start_nodes(&aws, &subnet, 0).await.expect("accepted");
    let more = aws.eks.create_nodegroup().cluster_name("a").nodegroup_name("m").node_role("arn:aws:iam::1:role/n").subnets(&subnet);
    assert_eq!(code(more.send().await), "ResourceLimitExceededException");
    assert_eq!(start_nodes(&aws, &subnet, 0).await, Err("ResourceInUseException".to_owned()), "it is there");
}

#[tokio::test(start_paused = true)]
async fn what_was_made_counts_even_if_its_answer_was_lost() {
    let (account, aws) = narrow();
    account.cloud().set_faults(vec![Fault {
        times: 1,
        whole_operation: false,
        ..Fault::on("ec2:AllocateAddress", Effect::Lose(When::AfterEffect))
    }]);
    assert_eq!(code(aws.ec2.allocate_address().send().await), "AddressLimitExceeded", "the SDK asks again");
}

#[tokio::test(start_paused = true)]
async fn nodes_beyond_the_quota_of_their_family_are_not_launched() {
    let (_, aws) = narrow();
    let subnet = cluster(&aws).await;
    start_nodes(&aws, &subnet, 3).await.expect("accepted");
    sleep(45 * MINUTE).await;
    let nodes = nodes(&aws).await.expect("they are listed");
    assert_eq!(nodes.status, Some(NodegroupStatus::CreateFailed));
    let issue = nodes.health.and_then(|health| health.issues?.pop()).expect("an issue");
    assert_eq!(issue.code.expect("a code").as_str(), "AsgInstanceLaunchFailures");
    assert!(issue.message.expect("a message").contains("VcpuLimitExceeded"), "three t3.medium have six vCPUs");
}

#[tokio::test(start_paused = true)]
async fn eks_takes_no_reserved_ranges_for_a_public_endpoint() {
    let aws = aws();
    let subnet = subnet(&aws).await;
    let cluster = |ranges: &[&str]| {
        let ranges = ranges.iter().map(|range| (*range).to_owned()).collect();
        let network = VpcConfigRequest::builder().subnet_ids(&subnet).set_public_access_cidrs(Some(ranges)).build();
        aws.eks.create_cluster().name("a").role_arn("arn:aws:iam::1:role/a").resources_vpc_config(network).send()
    };
    let refusal = cluster(&["54.240.193.0/24", "203.0.113.0/24", "10.1.0.0/16"]).await.expect_err("a refusal");
    assert_eq!(refusal.code(), Some("InvalidParameterException"));
    let words = "The following CIDRs are not allowed in publicAccessCidrs: [203.0.113.0/24, 10.1.0.0/16]";
    assert_eq!(refusal.message(), Some(words));
    cluster(&["54.240.193.0/24"]).await.expect("a public range");
}
