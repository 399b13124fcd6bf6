//! Whether the customer's subnets have what a cluster needs. Everything that they lack is told at once; nothing is changed.
//!
//! Sources: "View Amazon EKS networking requirements for VPC and subnets" and "Deploy private clusters with limited internet access" (EKS
//! user guide).

use super::way_out::{self, Block};
use super::zones::with_control_planes;
use crate::cluster::Cluster;
use crate::context::Context;
use crate::doors;
use crate::errors::{Called, Error, Result};
use crate::names::OWNER_TAG;
use crate::permissions::customers_network;
use crate::resources::existing_network::{find, missing};
use crate::resources::owned::filter;
use crate::resources::s3_endpoint;
use aws_sdk_ec2::types::{Route, RouteState, RouteTable, Subnet, Tag, Vpc, VpcAttributeName, VpcEndpoint, VpcEndpointType};
use std::collections::{BTreeMap, BTreeSet};
use wire::cidr::Cidr;
use wire::error::Code;
use wire::spec::PerformanceProfile;
use wire::view::Warning;

/// AWS demands six in each subnet for the control plane and recommends sixteen; nodes and pods come on top.
const FREE: i32 = 16;
/// What nodes and add-ons call without a route to the internet. Pod identity has an endpoint of its own.
const SERVICES: [&str; 5] = ["ec2", "ecr.api", "ecr.dkr", "eks-auth", "s3"];
/// Besides, where Container Insights watches them.
const OF_MONITORING: &str = "logs";
/// By which the AWS Load Balancer Controller and the cloud provider choose subnets.
const BALANCER_TAGS: [&str; 2] = ["kubernetes.io/role/elb", "kubernetes.io/role/internal-elb"];
const PATH: &str = "$.network.subnet_ids";

/// Subnets that a cluster can be in.
pub struct Verified {
    /// The names of their zones.
    pub zones: Vec<String>,
    pub advice: Vec<Warning>,
}

/// What EC2 says of the network.
struct Network {
    subnets: Vec<Subnet>,
    /// The names of the zones that EKS can use.
    usable: Vec<String>,
    tables: Vec<RouteTable>,
    endpoints: Vec<VpcEndpoint>,
    /// The VPC's.
    ranges: BTreeSet<String>,
    /// What of the VPC's DNS is turned off.
    dns_off: Vec<&'static str>,
    /// Why nobody knows.
    not_granted: Option<Error>,
    block: Option<Block>,
}

/// How a subnet's traffic leaves for the internet.
enum Way<'a> {
    /// Straight through an internet gateway.
    Public,
    Nat,
    /// Through what only the customer knows: a transit gateway, a firewall, an appliance.
    Other,
    Dead(&'a str),
    None,
}

/// # Errors
/// `Customer`, with everything that the subnets lack, and with the permission that the role lacks.
pub async fn check(cx: &Context) -> Result<Verified, doors::Faults> {
    let subnets = find(cx).await?;
    let vpc = one_vpc(&cx.cluster, &subnets)?;
    let mut network = ask(cx, subnets, &vpc).await?;
    doors::Faults::none_of(refusal(&network.faults(&cx.cluster)).into_iter().chain(network.not_granted.take()))?;
    let zones: BTreeSet<&str> = network.subnets.iter().filter_map(Subnet::availability_zone).collect();
    Ok(Verified { zones: zones.into_iter().map(str::to_owned).collect(), advice: network.advice(&cx.cluster) })
}

/// What can be said without knowing the VPC.
fn one_vpc(cluster: &Cluster, subnets: &[Subnet]) -> Result<String> {
    let vpcs: BTreeSet<&str> = subnets.iter().filter_map(Subnet::vpc_id).collect();
    let mut faults = Faults::default();
    missing(cluster, subnets).into_iter().for_each(|id| faults.add(id, "there is no such subnet in this region of the account"));
    for subnet in subnets {
        let other = subnet.owner_id().filter(|owner| *owner != cluster.account);
        if let Some(owner) = other {
            faults.of(subnet, format!("it is shared by account {owner}; only subnets of the role's own account can be used"));
        }
        if subnet.tags().iter().any(|tag| tag.key() == Some(OWNER_TAG)) {
            faults.of(subnet, "Groundwork made it for another cluster, and it goes with that".into());
        }
    }
    if vpcs.len() > 1 {
        let apart = |vpc: &str| format!("it is in {vpc}, and all must be in one VPC");
        subnets.iter().for_each(|subnet| faults.of(subnet, apart(subnet.vpc_id().unwrap_or_default())));
    }
    refusal(&faults).map_or(Ok(()), Err)?;
    Ok(vpcs.into_iter().next().unwrap_or_default().to_owned())
}

async fn ask(cx: &Context, subnets: Vec<Subnet>, vpc: &str) -> Result<Network> {
    let ec2 = &cx.aws.ec2;
    let zones = ec2.describe_availability_zones().filters(filter("zone-type", "availability-zone"));
    let zones = zones.send().await.called("ec2:DescribeAvailabilityZones")?;
    let tables = ec2.describe_route_tables().filters(filter("vpc-id", vpc)).into_paginator().items().send();
    let tables: Vec<RouteTable> = tables.collect::<Result<_, _>>().await.called("ec2:DescribeRouteTables")?;
    let endpoints = ec2.describe_vpc_endpoints().filters(filter("vpc-id", vpc)).into_paginator().items().send();
    let endpoints: Vec<VpcEndpoint> = endpoints.collect::<Result<_, _>>().await.called("ec2:DescribeVpcEndpoints")?;
    let (dns_off, not_granted) = match dns_off(cx, vpc).await {
        Err(error) if error.is_denial() => (vec![], Some(not_granted(cx, vpc, error))),
        answer => (answer?, None),
    };
    Ok(Network {
        usable: with_control_planes(zones.availability_zones()),
        tables: tables.into_iter().filter(|table| table.vpc_id() == Some(vpc)).collect(),
        endpoints: endpoints.into_iter().filter(|endpoint| endpoint.vpc_id() == Some(vpc)).collect(),
        ranges: ranges(cx, vpc).await?,
        dns_off,
        not_granted,
        block: way_out::block_of(cx, vpc).await?,
        subnets,
    })
}

async fn ranges(cx: &Context, vpc: &str) -> Result<BTreeSet<String>> {
    let found = cx.aws.ec2.describe_vpcs().vpc_ids(vpc).send().await.called("ec2:DescribeVpcs")?.vpcs.unwrap_or_default();
    let all = |vpc: Vpc| {
        let others = vpc.cidr_block_association_set.unwrap_or_default().into_iter().filter_map(|one| one.cidr_block);
        vpc.cidr_block.into_iter().chain(others)
    };
    Ok(found.into_iter().flat_map(all).collect())
}

/// The private endpoint's name is resolved by both. The look at them is also the proof that the customer has named the VPC: the same parameter
/// of the quick-start allows the nodes, and these can be tried only when they are made.
async fn dns_off(cx: &Context, vpc: &str) -> Result<Vec<&'static str>> {
    let mut off = vec![];
    for (attribute, name) in
        [(VpcAttributeName::EnableDnsSupport, "enableDnsSupport"), (VpcAttributeName::EnableDnsHostnames, "enableDnsHostnames")]
    {
        let call = cx.aws.ec2.describe_vpc_attribute().vpc_id(vpc).attribute(attribute).send().await;
        let answer = call.called("ec2:DescribeVpcAttribute")?;
        let is_on =
            [answer.enable_dns_support(), answer.enable_dns_hostnames()].into_iter().flatten().any(|flag| flag.value() == Some(true));
        if !is_on {
            off.push(name);
        }
    }
    Ok(off)
}

fn not_granted(cx: &Context, vpc: &str, error: Error) -> Error {
    let arn = customers_network::vpc_arn(&cx.cluster.spec, vpc);
    let reason = format!("The role does not allow Groundwork to use {vpc}, which network.subnet_ids are in. {}", error.reason);
    let hint = format!("Deploy the quick-start again with {arn} in NetworkVpcs (Terraform: network_vpcs), then retry.");
    Error { detail: error.detail, ..Error::of(Code::MissingPermissions, reason) }.with_hint(hint)
}

/// Faults, each with the subnets that have it.
#[derive(Default)]
struct Faults(BTreeMap<String, Vec<String>>);

impl Faults {
    fn add(&mut self, id: &str, what: &str) {
        self.0.entry(what.to_owned()).or_default().push(id.to_owned());
    }

    fn of(&mut self, subnet: &Subnet, what: String) {
        self.add(subnet.subnet_id().unwrap_or_default(), &what);
    }

    fn sentences(&self) -> Vec<String> {
        self.0.iter().map(|(what, ids)| format!("{}: {what}", ids.join(", "))).collect()
    }
}

fn refusal(faults: &Faults) -> Option<Error> {
    let told = faults.sentences();
    (!told.is_empty()).then(|| Error::of(Code::UnusableSubnets, format!("A cluster cannot be in network.subnet_ids. {}.", told.join("; "))))
}

impl Network {
    fn faults(&self, cluster: &Cluster) -> Faults {
        let mut faults = Faults::default();
        for subnet in &self.subnets {
            self.place_faults(subnet, cluster).into_iter().chain(self.way_fault(subnet, cluster)).for_each(|what| faults.of(subnet, what));
        }
        let zones: BTreeSet<&str> = self.subnets.iter().filter_map(Subnet::availability_zone).collect();
        if zones.len() < 2 {
            let zone = zones.into_iter().collect::<String>();
            self.subnets.iter().for_each(|subnet| faults.of(subnet, format!("all are in {zone}, and EKS needs two availability zones")));
        }
        let vpc = self.subnets.first().and_then(Subnet::vpc_id).unwrap_or_default();
        self.dns_off.iter().for_each(|name| faults.add(vpc, &format!("{name} is off, and nodes find the cluster by its name")));
        self.overlaps(cluster).for_each(|range| faults.add(vpc, &format!("its range {range} overlaps network.service_cidr")));
        faults
    }

    /// EKS takes for services none that the VPC has, whichever the subnets have.
    fn overlaps(&self, cluster: &Cluster) -> impl Iterator<Item = &String> {
        let services = cluster.spec.managed().and_then(|ours| ours.network.service_cidr);
        let meets =
            move |range: &&String| services.zip(range.parse().ok()).is_some_and(|(ours, theirs): (Cidr, Cidr)| ours.overlaps(theirs));
        self.ranges.iter().filter(meets)
    }

    /// A cluster that has its zones has taken addresses itself.
    fn place_faults(&self, subnet: &Subnet, cluster: &Cluster) -> Vec<String> {
        let zone = subnet.availability_zone().unwrap_or_default();
        let free = subnet.available_ip_address_count().unwrap_or(FREE);
        let is_placed = !cluster.zones.is_empty();
        let all = [
            (!self.usable.iter().any(|usable| usable == zone), format!("EKS cannot use {zone}")),
            (subnet.outpost_arn().is_some(), "it is on an Outpost, where EKS puts no control plane".into()),
            (subnet.ipv6_native() == Some(true), "it has no IPv4 addresses".into()),
            (!is_placed && free < FREE, format!("{free} free addresses are too few; it takes at least {FREE}")),
        ];
        all.into_iter().filter(|(is_so, _)| *is_so).map(|(_, what)| what).collect()
    }

    fn way_fault(&self, subnet: &Subnet, cluster: &Cluster) -> Option<String> {
        let table = self.table(subnet)?;
        let blocked = |public| self.block.as_ref().and_then(|block| block.stops(subnet, public));
        match way(table) {
            Way::Public if subnet.map_public_ip_on_launch() != Some(true) => Some(
                "its way out is an internet gateway, but it gives nodes no public addresses: turn that on, or give private ones".into(),
            ),
            Way::Public => blocked(true),
            Way::Nat => blocked(false),
            Way::Other => None,
            Way::Dead(gateway) => Some(format!("its default route leads to {gateway}, which is gone")),
            Way::None => self.without_services(table, cluster),
        }
    }

    /// The subnet's own route table, or the VPC's main one.
    fn table(&self, subnet: &Subnet) -> Option<&RouteTable> {
        let own =
            |table: &&RouteTable| table.associations().iter().any(|one| one.subnet_id().is_some() && one.subnet_id() == subnet.subnet_id());
        let main = |table: &&RouteTable| table.associations().iter().any(|one| one.main() == Some(true));
        self.tables.iter().find(own).or_else(|| self.tables.iter().find(main))
    }

    fn without_services(&self, table: &RouteTable, cluster: &Cluster) -> Option<String> {
        let lacking: Vec<&str> = services(cluster).filter(|service| self.endpoints(service, table, cluster).next().is_none()).collect();
        let what = || format!("it has no default route, and no VPC endpoint for {}, which nodes and add-ons call", lacking.join(", "));
        (!lacking.is_empty()).then(what)
    }

    /// Through which subnets with this table reach the service.
    fn endpoints(&self, service: &str, table: &RouteTable, cluster: &Cluster) -> impl Iterator<Item = &VpcEndpoint> {
        let name = format!("com.amazonaws.{}.{service}", cluster.spec.region);
        self.endpoints.iter().filter(move |one| one.service_name() == Some(&name) && is_reached(one, table))
    }

    /// The services that nodes reach only through interfaces without their public names.
    fn without_names(&self, cluster: &Cluster) -> BTreeSet<&'static str> {
        let tables = self.subnets.iter().filter_map(|subnet| self.table(subnet)).filter(|table| matches!(way(table), Way::None));
        let is_unnamed = |one: &VpcEndpoint| is_interface(one) && one.private_dns_enabled() != Some(true);
        let of = |table| services(cluster).filter(move |service| self.endpoints(service, table, cluster).all(is_unnamed));
        tables.flat_map(of).collect()
    }

    fn advice(&self, cluster: &Cluster) -> Vec<Warning> {
        let is_tag = |tag: &Tag| BALANCER_TAGS.iter().any(|name| tag.key() == Some(name));
        let untagged = !self.subnets.iter().any(|subnet| subnet.tags().iter().any(is_tag));
        let free: i64 = self.subnets.iter().filter_map(Subnet::available_ip_address_count).map(i64::from).sum();
        let nodes: i64 = cluster.spec.instance_types.iter().map(|wanted| i64::from(wanted.max_count)).sum();
        let scarce = cluster.zones.is_empty() && free < nodes;
        let unnamed = self.without_names(cluster);
        let told = [
            (untagged, UNTAGGED.to_owned()),
            (!unnamed.is_empty(), format!("{}{}", Vec::from_iter(unnamed).join(", "), UNNAMED)),
            (
                scarce,
                format!(
                    "The subnets have {free} free addresses, and the spec lets {nodes} nodes start: each takes one for itself and one for each pod."
                ),
            ),
        ];
        told.into_iter().filter(|(is_so, _)| *is_so).map(|(_, message)| Warning::new(PATH, message)).collect()
    }
}

const UNNAMED: &str = ": private DNS names are off for the VPC endpoints of these services, so their public names do not lead there, and the subnets have no \
     default route: turn them on (aws ec2 modify-vpc-endpoint --private-dns-enabled --vpc-endpoint-id <id>), unless a private hosted zone of \
     yours has these names.";
const UNTAGGED: &str = "None of the subnets has a tag kubernetes.io/role/elb or kubernetes.io/role/internal-elb, by which load balancers of Services and Ingresses find \
     theirs, and Groundwork tags nothing in your network: tag subnets yourself, or name them in the annotations of each Service.";

/// What nodes call besides EKS, which they reach through the control plane's own interfaces.
fn services(cluster: &Cluster) -> impl Iterator<Item = &'static str> + use<> {
    let is_watched = cluster.spec.performance_profile() == PerformanceProfile::Standard;
    SERVICES.into_iter().chain(is_watched.then_some(OF_MONITORING))
}

/// The whole VPC reaches an interface; a gateway serves only the route tables that it is in.
fn is_reached(endpoint: &VpcEndpoint, table: &RouteTable) -> bool {
    let is_in_table = || endpoint.route_table_ids().iter().any(|id| table.route_table_id() == Some(id));
    s3_endpoint::state(endpoint) == "available" && (is_interface(endpoint) || is_in_table())
}

fn is_interface(endpoint: &VpcEndpoint) -> bool {
    endpoint.vpc_endpoint_type() == Some(&VpcEndpointType::Interface)
}

fn way(table: &RouteTable) -> Way<'_> {
    let default = |route: &&Route| route.destination_cidr_block() == Some("0.0.0.0/0");
    let Some(route) = table.routes().iter().find(default) else {
        return if table.routes().iter().any(leads_elsewhere) { Way::Other } else { Way::None };
    };
    let target = route.nat_gateway_id().or(route.gateway_id()).or(another(route)).unwrap_or("something");
    match (route.state(), target) {
        (Some(RouteState::Blackhole), target) => Way::Dead(target),
        (_, target) if target.starts_with("igw-") => Way::Public,
        (_, target) if target.starts_with("nat-") => Way::Nat,
        _ => Way::Other,
    }
}

/// To where the customer can have endpoints and ways out in common for many VPCs.
fn leads_elsewhere(route: &Route) -> bool {
    let is_vpn = route.gateway_id().is_some_and(|gateway| gateway.starts_with("vgw-"));
    route.state() != Some(&RouteState::Blackhole) && (is_vpn || another(route).is_some())
}

fn another(route: &Route) -> Option<&str> {
    let of_network = route.transit_gateway_id().or(route.core_network_arn()).or(route.vpc_peering_connection_id());
    of_network.or(route.network_interface_id()).or(route.instance_id())
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_ec2::types::{RouteTableAssociation, State};
    use serde_json::json;

    const SUBNETS: [&str; 2] = ["subnet-0000000a", "subnet-0000000b"];

    fn cluster() -> Cluster {
        asking(json!({"network": {"subnet_ids": SUBNETS}}))
    }

    fn asking(spec: serde_json::Value) -> Cluster {
        Cluster { zones: vec![], ..Cluster::example(spec) }
    }

    fn subnet(letter: &str) -> aws_sdk_ec2::types::builders::SubnetBuilder {
        let subnet = Subnet::builder().subnet_id(format!("subnet-0000000{letter}")).vpc_id("vpc-1").owner_id("222222222222");
        subnet.availability_zone(format!("us-west-2{letter}")).available_ip_address_count(100)
    }

    fn table(target: Option<&str>, state: RouteState) -> RouteTable {
        let main = RouteTableAssociation::builder().main(true).build();
        let route = target.map(|target| Route::builder().destination_cidr_block("0.0.0.0/0").gateway_id(target).state(state).build());
        RouteTable::builder().route_table_id("rtb-1").associations(main).set_routes(Some(route.into_iter().collect())).build()
    }

    fn leading(route: aws_sdk_ec2::types::builders::RouteBuilder) -> RouteTable {
        let main = RouteTableAssociation::builder().main(true).build();
        let local = Route::builder().destination_cidr_block("10.20.0.0/16").gateway_id("local").state(RouteState::Active).build();
        RouteTable::builder().route_table_id("rtb-1").associations(main).routes(local).routes(route.build()).build()
    }

    fn hub(range: &str) -> aws_sdk_ec2::types::builders::RouteBuilder {
        Route::builder().destination_cidr_block(range).transit_gateway_id("tgw-1").state(RouteState::Active)
    }

    fn network(subnets: [aws_sdk_ec2::types::builders::SubnetBuilder; 2], target: Option<&str>) -> Network {
        Network {
            subnets: subnets.map(aws_sdk_ec2::types::builders::SubnetBuilder::build).into(),
            usable: ["us-west-2a", "us-west-2b"].map(str::to_owned).into(),
            tables: vec![table(target, RouteState::Active)],
            endpoints: vec![],
            ranges: BTreeSet::new(),
            dns_off: vec![],
            not_granted: None,
            block: None,
        }
    }

    #[test]
    fn each_lack_of_a_subnet_is_told_with_what_to_do() {
        let good = || [subnet("a"), subnet("b")];
        let public = || [subnet("a").map_public_ip_on_launch(true), subnet("b").map_public_ip_on_launch(true)];
        for (network, expected, reason) in [
            (network(good(), Some("nat-1")), "", "as most have it"),
            (Network { tables: vec![leading(hub("0.0.0.0/0"))], ..network(good(), None) }, "", "what is behind it only the customer knows"),
            (Network { tables: vec![leading(hub("10.0.0.0/8"))], ..network(good(), None) }, "", "endpoints may be there"),
            (
                Network { tables: vec![leading(hub("10.0.0.0/8").state(RouteState::Blackhole))], ..network(good(), None) },
                "it has no default route",
                "nothing is there any more",
            ),
            (
                Network { tables: vec![leading(hub("0.0.0.0/0").state(RouteState::Blackhole))], ..network(good(), None) },
                "leads to tgw-1, which is gone",
                "a black hole of another kind",
            ),
            (network(public(), Some("igw-1")), "", "public"),
            (network(good(), Some("igw-1")), "gives nodes no public addresses", "EKS refuses that"),
            (network(good(), None), "no VPC endpoint for ec2, ecr.api, ecr.dkr, eks-auth, s3", "no way out"),
            (network([subnet("a"), subnet("b").availability_zone("us-west-2a")], Some("nat-1")), "all are in us-west-2a", "one zone"),
            (network([subnet("a"), subnet("e")], Some("nat-1")), "subnet-0000000e: EKS cannot use us-west-2e", "no control planes there"),
            (network([subnet("a").available_ip_address_count(15), subnet("b")], Some("nat-1")), "15 free addresses are too few", "full"),
            (network([subnet("a").ipv6_native(true), subnet("b")], Some("nat-1")), "no IPv4", "EKS's IPv4 clusters"),
            (network([subnet("a").outpost_arn("arn"), subnet("b")], Some("nat-1")), "Outpost", "another place"),
            (Network { dns_off: vec!["enableDnsSupport"], ..network(good(), Some("nat-1")) }, "vpc-1: enableDnsSupport is off", "no names"),
            (
                Network { tables: vec![table(Some("nat-1"), RouteState::Blackhole)], ..network(good(), None) },
                "leads to nat-1, which is gone",
                "a black hole",
            ),
        ] {
            let told = network.faults(&cluster()).sentences().join("; ");
            assert_eq!(told.is_empty(), expected.is_empty(), "{reason}: {told}");
            assert!(told.contains(expected), "{reason}: {told}");
        }
    }

    fn interface(service: &str) -> aws_sdk_ec2::types::builders::VpcEndpointBuilder {
        let endpoint = VpcEndpoint::builder().service_name(format!("com.amazonaws.us-west-2.{service}")).state(State::from("available"));
        endpoint.vpc_endpoint_type(VpcEndpointType::Interface).private_dns_enabled(true)
    }

    fn gateway(tables: &[&str]) -> aws_sdk_ec2::types::builders::VpcEndpointBuilder {
        let tables = tables.iter().map(|id| (*id).to_owned()).collect();
        interface("s3").vpc_endpoint_type(VpcEndpointType::Gateway).private_dns_enabled(false).set_route_table_ids(Some(tables))
    }

    /// Without a default route.
    fn closed(endpoints: impl IntoIterator<Item = VpcEndpoint>) -> Network {
        let tagged = subnet("a").tags(Tag::builder().key("kubernetes.io/role/internal-elb").value("1").build());
        Network { endpoints: endpoints.into_iter().collect(), ..network([tagged, subnet("b")], None) }
    }

    #[test]
    fn endpoints_stand_for_a_way_out() {
        let others = || SERVICES.into_iter().filter(|service| *service != "s3").map(|service| interface(service).build());
        let watched = || asking(json!({"performance_profile": "standard", "network": {"subnet_ids": SUBNETS}}));
        for (cluster, s3, expected, reason) in [
            (cluster(), gateway(&["rtb-1"]), "", "all of them"),
            (cluster(), gateway(&["rtb-1"]).state(State::Available), "", "as the documents have the word"),
            (cluster(), gateway(&["rtb-2"]), "endpoint for s3", "not from this subnet"),
            (cluster(), gateway(&[]), "endpoint for s3", "from no subnet"),
            (cluster(), interface("s3"), "", "S3 has interfaces, too"),
            (cluster(), interface("s3").state(State::from("pendingAcceptance")), "endpoint for s3", "nothing passes yet"),
            (watched(), interface("s3"), "endpoint for logs", "Container Insights writes there"),
        ] {
            let told = closed(others().chain([s3.build()])).faults(&cluster).sentences().join("; ");
            assert_eq!((told.is_empty(), told.contains(expected)), (expected.is_empty(), true), "{reason}: {told}");
        }
    }

    #[test]
    fn a_person_is_warned_of_endpoints_that_public_names_do_not_lead_to() {
        let all = |named: &[&str], s3| {
            let others = SERVICES.into_iter().filter(|service| *service != "s3");
            let others = others.map(|service| interface(service).private_dns_enabled(named.contains(&service)).build());
            others.chain([s3]).collect::<Vec<_>>()
        };
        let every = &SERVICES[..];
        let unnamed = || interface("s3").private_dns_enabled(false).build();
        for (network, expected, reason) in [
            (closed(all(every, gateway(&["rtb-1"]).build())), "", "a gateway needs no name"),
            (closed(all(&["ec2", "eks-auth"], gateway(&["rtb-1"]).build())), "ecr.api, ecr.dkr: private DNS names are off", "two without"),
            (closed(all(every, unnamed())), "s3: private DNS names are off", "S3's interface"),
            (closed([all(every, unnamed()), vec![gateway(&["rtb-1"]).build()]].concat()), "", "a gateway beside it"),
            (Network { tables: vec![table(Some("nat-1"), RouteState::Active)], ..closed(all(&[], unnamed())) }, "", "there is another way"),
        ] {
            assert!(network.faults(&cluster()).sentences().is_empty(), "{reason}: it is for the customer to know");
            let told = network.advice(&cluster()).into_iter().map(|warning| warning.message).collect::<String>();
            assert_eq!((told.is_empty(), told.starts_with(expected)), (expected.is_empty(), true), "{reason}: {told}");
        }
    }

    #[test]
    fn a_cluster_that_is_there_already_has_taken_addresses_itself() {
        let full = || network([subnet("a").available_ip_address_count(0), subnet("b")], Some("nat-1"));
        let placed = Cluster { zones: vec!["us-west-2a".into(), "us-west-2b".into()], ..cluster() };
        assert_eq!((full().faults(&cluster()).0.len(), full().faults(&placed).0.len()), (1, 0));
    }

    #[test]
    fn subnets_of_other_vpcs_accounts_and_clusters_are_refused_together() {
        let ours = Tag::builder().key(OWNER_TAG).value("zyxwvutsrqpo").build();
        let found = [subnet("a").vpc_id("vpc-2").owner_id("333333333333").build(), subnet("b").tags(ours).build()];
        let error = one_vpc(&cluster(), &found).expect_err("nothing is right");
        for part in
            ["shared by account 333333333333", "it is in vpc-2, and all must", "it is in vpc-1, and all must", "for another cluster"]
        {
            assert!(error.reason.contains(part), "{part}: {}", error.reason);
        }
        let gone = one_vpc(&cluster(), &found[..0]).expect_err("nothing is there");
        assert!(gone.reason.contains("subnet-0000000a, subnet-0000000b: there is no such subnet"), "{}", gone.reason);
    }

    #[test]
    fn services_cannot_have_addresses_of_the_vpc() {
        let ranges = || ["10.20.0.0/16", "10.96.0.0/14"].map(str::to_owned).into();
        for (services, expected) in [("10.97.0.0/16", "vpc-1: its range 10.96.0.0/14 overlaps network.service_cidr"), ("10.100.0.0/16", "")]
        {
            let network = Network { ranges: ranges(), ..network([subnet("a"), subnet("b")], Some("nat-1")) };
            let cluster = asking(json!({"network": {"service_cidr": services, "subnet_ids": SUBNETS}}));
            assert_eq!(network.faults(&cluster).sentences().join("; "), expected, "{services}");
        }
    }

    #[test]
    fn a_person_is_warned_of_scarce_addresses_and_missing_tags() {
        let tag = |name: &str| Tag::builder().key(name).value("1").build();
        let tagged = || subnet("a").tags(tag("kubernetes.io/role/internal-elb"));
        for (first, expected, reason) in [
            (tagged(), &[][..], "enough, and tagged"),
            (subnet("a"), &["None of the subnets has a tag"], "no tags"),
            (tagged().available_ip_address_count(-95), &["The subnets have 5 free addresses, and the spec lets 10 nodes"], "scarce"),
        ] {
            let advice = network([first, subnet("b")], Some("nat-1")).advice(&cluster());
            assert_eq!(advice.len(), expected.len(), "{reason}");
            assert!(advice.iter().zip(expected).all(|(warning, begin)| warning.message.starts_with(begin)), "{reason}: {advice:?}");
        }
    }

    #[test]
    fn a_subnet_without_a_table_of_its_own_has_the_main_one() {
        let own = RouteTableAssociation::builder().subnet_id("subnet-0000000a").build();
        let with_own = RouteTable::builder().route_table_id("rtb-2").associations(own).build();
        let mut network = network([subnet("a"), subnet("b")], Some("nat-1"));
        network.tables.push(with_own);
        let tables: Vec<_> = network.subnets.iter().map(|subnet| network.table(subnet).and_then(RouteTable::route_table_id)).collect();
        assert_eq!(tables, [Some("rtb-2"), Some("rtb-1")]);
    }
}
