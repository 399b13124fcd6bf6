//! The last look at an account after a teardown: it asks each AWS service's own API, by tag, by VPC and by name.

mod data;
mod ec2;

use crate::context::Context;
use crate::errors::table::GONE_IN_EKS;
use crate::errors::{Called, Result, Unless};
use crate::names::ROLE_PATH;
use crate::resource::Leftover;
use crate::resources::leftovers::{Within, balancers};
use crate::resources::owned::{list_roles, own_vpcs};
use futures::try_join;
use wire::inventory::{Found, Inventory};
use wire::spec::{Ground, SelfManaged};

/// AWS makes these for EKS and its nodes, once for all clusters of the account.
const SERVICE_LINKED: [&str; 5] = [
    "AWSServiceRoleForAmazonEKS",
    "AWSServiceRoleForAmazonEKSNodegroup",
    "AWSServiceRoleForAutoScaling",
    "AWSServiceRoleForEC2Spot",
    "AWSServiceRoleForElasticLoadBalancing",
];

const NAME: &str = "its name is this cluster's";

/// # Errors
/// If any query fails, all of it fails, because half an inventory proves nothing.
pub async fn take(cx: &Context) -> Result<Inventory> {
    match &cx.cluster.spec.ground {
        Ground::Managed(_) => of_ours(cx).await,
        Ground::SelfManaged(theirs) => of_theirs(cx, theirs).await,
    }
}

/// In a customer's own cluster only node groups can be left.
async fn of_theirs(cx: &Context, theirs: &SelfManaged) -> Result<Inventory> {
    let groups = node_groups(cx).await?;
    let cluster = groups.is_some().then(|| ("cluster", theirs.eks_cluster_name.clone()));
    let buckets = theirs.buckets.iter().map(|name| ("bucket", name.clone()));
    let kept = cluster.into_iter().chain(buckets).map(|(kind, name)| Found::new(kind, name, "the customer's own")).collect();
    let ours = cx.cluster.scoped("");
    let left = groups.into_iter().flatten().filter(|group| group.starts_with(&ours));
    Ok(Inventory { left: left.map(|group| Found::new("node group", group, NAME)).collect(), kept })
}

async fn of_ours(cx: &Context) -> Result<Inventory> {
    let vpcs = own_vpcs(cx).await?;
    let (ec2, balancers, roles, cluster, data, service_linked) = try_join!(
        ec2::look(cx, &vpcs),
        balancers(cx, &Within::Account),
        roles(cx),
        cluster(cx),
        data::look(cx),
        service_linked_roles(cx),
    )?;
    let mut left: Vec<Found> = [ec2, roles, cluster, data.left].into_iter().flatten().collect();
    left.extend(balancers.into_iter().map(balancer));
    Ok(Inventory { left, kept: data.kept.into_iter().chain(service_linked).collect() })
}

fn balancer(left: Leftover) -> Found {
    Found::new(&left.kind.to_string(), left.id, ec2::KUBERNETES)
}

async fn roles(cx: &Context) -> Result<Vec<Found>> {
    let ours = cx.cluster.scoped("");
    let roles = list_roles(cx, ROLE_PATH).await?.into_iter().filter(|role| role.role_name().starts_with(&ours));
    Ok(roles.map(|role| Found::new("role", role.role_name, NAME)).collect())
}

async fn service_linked_roles(cx: &Context) -> Result<Vec<Found>> {
    let roles = list_roles(cx, "/aws-service-role/").await?.into_iter().filter(|role| SERVICE_LINKED.contains(&role.role_name()));
    Ok(roles.map(|role| Found::new("service-linked role", role.role_name, "shared by the whole account; AWS keeps it")).collect())
}

/// The cluster with its node groups, which can be listed only while it exists.
async fn cluster(cx: &Context) -> Result<Vec<Found>> {
    let name = cx.cluster.eks_name();
    let answer = cx.aws.eks.describe_cluster().name(&name).send().await.called("eks:DescribeCluster");
    if answer.unless(GONE_IN_EKS)?.is_none() {
        return Ok(vec![]);
    }
    let groups = node_groups(cx).await?.unwrap_or_default();
    let left = groups.into_iter().map(|group| Found::new("node group", group, "it is in this cluster"));
    Ok(left.chain([Found::new("cluster", &name, NAME)]).collect())
}

/// None if there is no cluster.
async fn node_groups(cx: &Context) -> Result<Option<Vec<String>>> {
    let request = cx.aws.eks.list_nodegroups().cluster_name(cx.cluster.eks_name());
    let groups: Result<Vec<String>> = request.into_paginator().items().send().collect::<Result<_, _>>().await.called("eks:ListNodegroups");
    groups.unless(GONE_IN_EKS)
}
