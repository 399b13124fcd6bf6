//! What a customer made: for a self-managed cluster an EKS cluster with its network, and buckets that are closed to the public; for a managed
//! one a network.

use crate::account::REGION;
use crate::neighbour::UNTIL_SEEN;
use aws_sdk_ec2::types::AttributeBooleanValue;
use aws_sdk_eks::types::VpcConfigRequest;
use aws_sdk_s3::types::PublicAccessBlockConfiguration;
use engine::aws::Clients;
use std::time::Duration;
use tokio::time::sleep;

pub const CLUSTER: &str = "theirs";
pub const BUCKETS: [&str; 2] = ["their-data", "their-logs"];

pub async fn make(aws: &Clients) {
    cluster(aws).await;
    for name in BUCKETS {
        bucket(aws, name).await;
    }
}

pub async fn cluster(aws: &Clients) {
    let network = VpcConfigRequest::builder().subnet_ids("subnet-0123456789abcdef0").build();
    let cluster = aws.eks.create_cluster().name(CLUSTER).role_arn("arn:aws:iam::123456789012:role/theirs").resources_vpc_config(network);
    cluster.send().await.expect("a cluster");
}

pub async fn bucket(aws: &Clients, name: &str) {
    aws.s3.create_bucket().bucket(name).send().await.expect("a bucket");
    let closed = PublicAccessBlockConfiguration::builder().block_public_acls(true).ignore_public_acls(true);
    let closed = closed.block_public_policy(true).restrict_public_buckets(true).build();
    aws.s3.put_public_access_block().bucket(name).public_access_block_configuration(closed).send().await.expect("a closed bucket");
}

/// A network of the customer's, with something of the customer's in it.
pub struct Network {
    pub vpc: String,
    /// Private ones in two zones, by the VPC's main route table, which leads to a NAT gateway.
    pub subnets: [String; 2],
    /// A public one in the first of these zones.
    pub public: String,
    pub main_table: String,
    pub nat_gateway: String,
}

pub async fn network(aws: &Clients) -> Network {
    let vpc = aws.ec2.create_vpc().cidr_block("10.20.0.0/16").send().await.expect("a VPC").vpc.and_then(|vpc| vpc.vpc_id).expect("its id");
    sleep(UNTIL_SEEN).await;
    has_dns_names(aws, &vpc, true).await;
    let subnets = [subnet(aws, &vpc, "a", "10.20.0.0/20").await, subnet(aws, &vpc, "b", "10.20.16.0/20").await];
    let public = subnet(aws, &vpc, "a", "10.20.240.0/24").await;
    internet_gateway(aws, &vpc, &public).await;
    let nat_gateway = nat_gateway(aws, &public).await;
    let main_table = main_table(aws, &vpc).await;
    leads_out(aws, &main_table, &nat_gateway).await;
    inhabit(aws, &vpc, &subnets[0]).await;
    Network { vpc, subnets, public, main_table, nat_gateway }
}

pub async fn has_dns_names(aws: &Clients, vpc: &str, on: bool) {
    let names = AttributeBooleanValue::builder().value(on).build();
    aws.ec2.modify_vpc_attribute().vpc_id(vpc).enable_dns_hostnames(names).send().await.expect("changed");
}

pub async fn leads_out(aws: &Clients, table: &str, nat_gateway: &str) {
    let route = aws.ec2.create_route().route_table_id(table).destination_cidr_block("0.0.0.0/0").nat_gateway_id(nat_gateway);
    route.send().await.expect("a route");
}

async fn subnet(aws: &Clients, vpc: &str, zone: &str, range: &str) -> String {
    let call = aws.ec2.create_subnet().vpc_id(vpc).cidr_block(range).availability_zone(format!("{REGION}{zone}"));
    let id = call.send().await.expect("a subnet").subnet.and_then(|subnet| subnet.subnet_id).expect("its id");
    sleep(UNTIL_SEEN).await;
    id
}

async fn internet_gateway(aws: &Clients, vpc: &str, public: &str) {
    let gateway = aws.ec2.create_internet_gateway().send().await.expect("a gateway").internet_gateway;
    let gateway = gateway.and_then(|gateway| gateway.internet_gateway_id).expect("its id");
    let table = aws.ec2.create_route_table().vpc_id(vpc).send().await.expect("a table").route_table;
    let table = table.and_then(|table| table.route_table_id).expect("its id");
    sleep(UNTIL_SEEN).await;
    aws.ec2.attach_internet_gateway().internet_gateway_id(&gateway).vpc_id(vpc).send().await.expect("attached");
    aws.ec2.associate_route_table().route_table_id(&table).subnet_id(public).send().await.expect("associated");
    let route = aws.ec2.create_route().route_table_id(table).destination_cidr_block("0.0.0.0/0").gateway_id(&gateway);
    route.send().await.expect("a route");
}

async fn nat_gateway(aws: &Clients, public: &str) -> String {
    let address = aws.ec2.allocate_address().send().await.expect("an address").allocation_id.expect("its id");
    sleep(UNTIL_SEEN).await;
    let gateway = aws.ec2.create_nat_gateway().subnet_id(public).allocation_id(address).send().await.expect("a gateway").nat_gateway;
    sleep(Duration::from_secs(600)).await;
    gateway.and_then(|gateway| gateway.nat_gateway_id).expect("its id")
}

async fn main_table(aws: &Clients, vpc: &str) -> String {
    let tables = aws.ec2.describe_route_tables().send().await.expect("tables").route_tables.unwrap_or_default();
    let main = |table: &&aws_sdk_ec2::types::RouteTable| {
        table.vpc_id() == Some(vpc) && table.associations().iter().any(|association| association.main() == Some(true))
    };
    tables.iter().find(main).and_then(|table| table.route_table_id()).expect("every VPC has one").to_owned()
}

/// Something that runs there, which a cluster's deletion must not touch.
async fn inhabit(aws: &Clients, vpc: &str, subnet: &str) {
    let group = aws.ec2.create_security_group().vpc_id(vpc).group_name("theirs").description("the customer's");
    let group = group.send().await.expect("a group").group_id.expect("its id");
    sleep(UNTIL_SEEN).await;
    aws.ec2.create_network_interface().subnet_id(subnet).groups(group).description("theirs").send().await.expect("an interface");
    let instance = aws.ec2.run_instances().image_id("ami-0123456789abcdef0").subnet_id(subnet).min_count(1).max_count(1);
    instance.send().await.expect("an instance");
    sleep(UNTIL_SEEN).await;
}
