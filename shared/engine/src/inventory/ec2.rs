//! Everything in EC2 that carries this cluster's tags or is inside a VPC of ours, except what may hold data.

use super::Found;
use crate::cluster::Cluster;
use crate::context::Context;
use crate::errors::{Called, Result};
use crate::names::{OWNER_TAG, kubernetes_tag};
use crate::resources::leftovers::CONTROLLER_TAG;
use crate::resources::owned::{filter, has_tag, in_vpcs};
use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{Filter, Instance, InstanceStateName, NatGatewayState, RouteTable, Tag, VpcEndpoint};
use futures::FutureExt;
use futures::future::{BoxFuture, try_join_all};
use std::collections::BTreeMap;

pub const OWNED: &str = "it carries this cluster's owner tag";
pub const KUBERNETES: &str = "Kubernetes tagged it for this cluster";
const INSIDE: &str = "it is inside this cluster's VPC";

/// A thing in EC2, with what shows whose it is.
struct Thing {
    kind: &'static str,
    id: String,
    tags: Vec<Tag>,
    vpc: Option<String>,
}

impl Thing {
    fn new(kind: &'static str, id: Option<String>, tags: Option<Vec<Tag>>, vpc: Option<String>) -> Self {
        Self { kind, id: id.unwrap_or_default(), tags: tags.unwrap_or_default(), vpc }
    }
}

type Look<'a> = BoxFuture<'a, Result<Vec<Thing>>>;

/// Each thing once, however many queries found it.
pub async fn look(cx: &Context, vpcs: &[String]) -> Result<Vec<Found>> {
    let ec2 = &cx.aws.ec2;
    let mut looks = Vec::new();
    for tag in tags(&cx.cluster) {
        looks.extend(in_any_vpc(ec2, &tag, &tag));
        looks.extend(in_no_vpc(ec2, &tag));
    }
    looks.push(security_groups(ec2, filter(format!("tag:{CONTROLLER_TAG}"), cx.cluster.eks_name())).boxed());
    if !vpcs.is_empty() {
        let attached = Filter::builder().name("attachment.vpc-id").set_values(Some(vpcs.to_vec())).build();
        looks.extend(in_any_vpc(ec2, &in_vpcs(vpcs), &attached));
    }
    let found = try_join_all(looks).await?.into_iter().flatten();
    let ours = found.filter_map(|thing| Some((thing.id.clone(), Found::new(thing.kind, &thing.id, why(&cx.cluster, vpcs, &thing)?))));
    Ok(ours.collect::<BTreeMap<_, _>>().into_values().collect())
}

pub fn tags(cluster: &Cluster) -> [Filter; 2] {
    let kubernetes = kubernetes_tag(&cluster.name, &cluster.id);
    [filter(format!("tag:{OWNER_TAG}"), &cluster.id), filter(format!("tag:{kubernetes}"), "owned")]
}

/// Filters only narrow what EC2 sends; this decides.
fn why(cluster: &Cluster, vpcs: &[String], thing: &Thing) -> Option<&'static str> {
    if has_tag(&thing.tags, OWNER_TAG, &cluster.id) {
        return Some(OWNED);
    }
    if has_tag(&thing.tags, &kubernetes_tag(&cluster.name, &cluster.id), "owned")
        || has_tag(&thing.tags, CONTROLLER_TAG, &cluster.eks_name())
    {
        return Some(KUBERNETES);
    }
    thing.vpc.as_ref().is_some_and(|vpc| vpcs.contains(vpc)).then_some(INSIDE)
}

/// For internet gateways, the filter by VPC has another name.
fn in_any_vpc<'a>(ec2: &'a Client, by: &Filter, attached_by: &Filter) -> [Look<'a>; 8] {
    [
        internet_gateways(ec2, attached_by.clone()).boxed(),
        subnets(ec2, by.clone()).boxed(),
        route_tables(ec2, by.clone()).boxed(),
        nat_gateways(ec2, by.clone()).boxed(),
        endpoints(ec2, by.clone()).boxed(),
        security_groups(ec2, by.clone()).boxed(),
        interfaces(ec2, by.clone()).boxed(),
        instances(ec2, by.clone()).boxed(),
    ]
}

fn in_no_vpc<'a>(ec2: &'a Client, by: &Filter) -> [Look<'a>; 4] {
    [
        vpcs(ec2, by.clone()).boxed(),
        addresses(ec2, by.clone()).boxed(),
        launch_templates(ec2, by.clone()).boxed(),
        flow_logs(ec2, by.clone()).boxed(),
    ]
}

async fn vpcs(ec2: &Client, by: Filter) -> Result<Vec<Thing>> {
    let request = ec2.describe_vpcs().filters(by).into_paginator().items();
    let found: Vec<_> = request.send().collect::<Result<_, _>>().await.called("ec2:DescribeVpcs")?;
    Ok(found.into_iter().map(|vpc| Thing::new("VPC", vpc.vpc_id, vpc.tags, None)).collect())
}

async fn internet_gateways(ec2: &Client, by: Filter) -> Result<Vec<Thing>> {
    let request = ec2.describe_internet_gateways().filters(by).into_paginator().items();
    let found: Vec<_> = request.send().collect::<Result<_, _>>().await.called("ec2:DescribeInternetGateways")?;
    let vpc = |attachments: Option<Vec<aws_sdk_ec2::types::InternetGatewayAttachment>>| attachments?.into_iter().next()?.vpc_id;
    let gateways = found.into_iter();
    Ok(gateways
        .map(|gateway| Thing::new("internet gateway", gateway.internet_gateway_id, gateway.tags, vpc(gateway.attachments)))
        .collect())
}

async fn subnets(ec2: &Client, by: Filter) -> Result<Vec<Thing>> {
    let request = ec2.describe_subnets().filters(by).into_paginator().items();
    let found: Vec<_> = request.send().collect::<Result<_, _>>().await.called("ec2:DescribeSubnets")?;
    Ok(found.into_iter().map(|subnet| Thing::new("subnet", subnet.subnet_id, subnet.tags, subnet.vpc_id)).collect())
}

/// A VPC's main table goes with it.
async fn route_tables(ec2: &Client, by: Filter) -> Result<Vec<Thing>> {
    let request = ec2.describe_route_tables().filters(by).into_paginator().items();
    let found: Vec<_> = request.send().collect::<Result<_, _>>().await.called("ec2:DescribeRouteTables")?;
    let main = |table: &RouteTable| table.associations().iter().any(|association| association.main().unwrap_or_default());
    let own = found.into_iter().filter(|table| !main(table));
    Ok(own.map(|table| Thing::new("route table", table.route_table_id, table.tags, table.vpc_id)).collect())
}

async fn nat_gateways(ec2: &Client, by: Filter) -> Result<Vec<Thing>> {
    let request = ec2.describe_nat_gateways().filter(by).into_paginator().items();
    let found: Vec<_> = request.send().collect::<Result<_, _>>().await.called("ec2:DescribeNatGateways")?;
    let there = found.into_iter().filter(|gateway| gateway.state() != Some(&NatGatewayState::Deleted));
    Ok(there.map(|gateway| Thing::new("NAT gateway", gateway.nat_gateway_id, gateway.tags, gateway.vpc_id)).collect())
}

async fn endpoints(ec2: &Client, by: Filter) -> Result<Vec<Thing>> {
    let request = ec2.describe_vpc_endpoints().filters(by).into_paginator().items();
    let found: Vec<_> = request.send().collect::<Result<_, _>>().await.called("ec2:DescribeVpcEndpoints")?;
    let gone = |endpoint: &VpcEndpoint| endpoint.state().is_some_and(|state| state.as_str().eq_ignore_ascii_case("deleted"));
    let there = found.into_iter().filter(|endpoint| !gone(endpoint));
    Ok(there.map(|endpoint| Thing::new("VPC endpoint", endpoint.vpc_endpoint_id, endpoint.tags, endpoint.vpc_id)).collect())
}

/// A VPC's default group goes with it.
async fn security_groups(ec2: &Client, by: Filter) -> Result<Vec<Thing>> {
    let request = ec2.describe_security_groups().filters(by).into_paginator().items();
    let found: Vec<_> = request.send().collect::<Result<_, _>>().await.called("ec2:DescribeSecurityGroups")?;
    let own = found.into_iter().filter(|group| group.group_name() != Some("default"));
    Ok(own.map(|group| Thing::new("security group", group.group_id, group.tags, group.vpc_id)).collect())
}

async fn interfaces(ec2: &Client, by: Filter) -> Result<Vec<Thing>> {
    let request = ec2.describe_network_interfaces().filters(by).into_paginator().items();
    let found: Vec<_> = request.send().collect::<Result<_, _>>().await.called("ec2:DescribeNetworkInterfaces")?;
    let interfaces = found.into_iter();
    Ok(interfaces.map(|found| Thing::new("network interface", found.network_interface_id, found.tag_set, found.vpc_id)).collect())
}

/// A terminated instance stays listed for an hour and holds nothing.
async fn instances(ec2: &Client, by: Filter) -> Result<Vec<Thing>> {
    let request = ec2.describe_instances().filters(by).into_paginator().items();
    let found: Vec<_> = request.send().collect::<Result<_, _>>().await.called("ec2:DescribeInstances")?;
    let gone = |instance: &Instance| instance.state().and_then(|state| state.name()) == Some(&InstanceStateName::Terminated);
    let instances = found.into_iter().flat_map(|reservation| reservation.instances.unwrap_or_default());
    let there = instances.filter(|instance| !gone(instance));
    Ok(there.map(|instance| Thing::new("instance", instance.instance_id, instance.tags, instance.vpc_id)).collect())
}

async fn addresses(ec2: &Client, by: Filter) -> Result<Vec<Thing>> {
    let found = ec2.describe_addresses().filters(by).send().await.called("ec2:DescribeAddresses")?;
    let addresses = found.addresses.unwrap_or_default().into_iter();
    Ok(addresses.map(|address| Thing::new("elastic IP", address.allocation_id, address.tags, None)).collect())
}

async fn launch_templates(ec2: &Client, by: Filter) -> Result<Vec<Thing>> {
    let request = ec2.describe_launch_templates().filters(by).into_paginator().items();
    let found: Vec<_> = request.send().collect::<Result<_, _>>().await.called("ec2:DescribeLaunchTemplates")?;
    Ok(found.into_iter().map(|template| Thing::new("launch template", template.launch_template_id, template.tags, None)).collect())
}

async fn flow_logs(ec2: &Client, by: Filter) -> Result<Vec<Thing>> {
    let request = ec2.describe_flow_logs().filter(by).into_paginator().items();
    let found: Vec<_> = request.send().collect::<Result<_, _>>().await.called("ec2:DescribeFlowLogs")?;
    Ok(found.into_iter().map(|log| Thing::new("flow log", log.flow_log_id, log.tags, None)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn a_thing_counts_by_owner_tag_by_kubernetes_tag_or_by_vpc() {
        let cluster = Cluster::example(serde_json::json!({}));
        let kubernetes = "kubernetes.io/cluster/groundwork-research-abcdefghijkl";
        for (tag, vpc, expected) in [
            (("groundwork:cluster", "abcdefghijkl"), None, Some(OWNED)),
            (("groundwork:cluster", "other"), Some("vpc-other"), None),
            ((kubernetes, "owned"), Some("vpc-other"), Some(KUBERNETES)),
            ((kubernetes, "shared"), None, None),
            (("elbv2.k8s.aws/cluster", "groundwork-research-abcdefghijkl"), Some("vpc-other"), Some(KUBERNETES)),
            (("elbv2.k8s.aws/cluster", "groundwork-research-zyxwvutsrqpo"), Some("vpc-other"), None),
            (("Name", "by hand"), Some("vpc-1"), Some(INSIDE)),
        ] {
            let tags = vec![Tag::builder().key(tag.0).value(tag.1).build()];
            let thing = Thing::new("thing", Some("id".into()), Some(tags), vpc.map(str::to_owned));
            assert_eq!(why(&cluster, &["vpc-1".into()], &thing), expected, "{tag:?} {vpc:?}");
        }
    }
}
