//! The last look at an account after a teardown: each service's own API is asked, by tag, by VPC and by name.

mod ec2;

use crate::errors::{Called, Result, Unless};
use crate::names::ROLE_PATH;
use crate::resource::Context;
use crate::resources::leftovers::{Leftover, Within, balancers};
use crate::resources::owned::own_vpcs;
use crate::spec::Mode;
use aws_sdk_iam::types::Role;
use futures::try_join;
use serde::{Deserialize, Serialize};

/// One thing that is still in the account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// In words: `subnet`, `load balancer`.
    pub kind: String,
    /// The id, name or ARN by which the tenant finds it.
    pub id: String,
    /// Why it counts as this cluster's, or why it is kept.
    pub why: String,
}

impl Found {
    fn new(kind: &str, id: impl Into<String>, why: &str) -> Self {
        Self { kind: kind.into(), id: id.into(), why: why.into() }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Inventory {
    /// What must go before the cluster is deleted.
    pub left: Vec<Found>,
    /// What stays on purpose.
    pub kept: Vec<Found>,
}

/// Made in the account by AWS on behalf of EKS, for all clusters together.
const SERVICE_LINKED: [&str; 4] = [
    "AWSServiceRoleForAmazonEKS",
    "AWSServiceRoleForAmazonEKSNodegroup",
    "AWSServiceRoleForAutoScaling",
    "AWSServiceRoleForElasticLoadBalancing",
];

const NAME: &str = "its name is this cluster's";

/// # Errors
/// Any look that fails fails the whole: half an inventory proves nothing.
pub async fn take(cx: &Context) -> Result<Inventory> {
    match cx.cluster.spec.mode {
        Mode::Managed => of_ours(cx).await,
        Mode::SelfManaged => of_theirs(cx).await,
    }
}

/// In a cluster of the customer's nothing but node groups can be left.
async fn of_theirs(cx: &Context) -> Result<Inventory> {
    let groups = node_groups(cx).await?;
    let theirs = groups.is_some().then(|| ("cluster", cx.cluster.eks_name()));
    let buckets = cx.cluster.spec.buckets.iter().map(|name| ("bucket", name.clone()));
    let kept = theirs.into_iter().chain(buckets).map(|(kind, name)| Found::new(kind, name, "the customer's own")).collect();
    let ours = cx.cluster.scoped("");
    let left = groups.into_iter().flatten().filter(|group| group.starts_with(&ours));
    Ok(Inventory { left: left.map(|group| Found::new("node group", group, NAME)).collect(), kept })
}

async fn of_ours(cx: &Context) -> Result<Inventory> {
    let vpcs = own_vpcs(cx).await?;
    let (ec2, balancers, roles, cluster, logs, buckets, service_linked) = try_join!(
        ec2::look(cx, &vpcs),
        balancers(cx, &Within::Account),
        roles(cx),
        cluster(cx),
        log_groups(cx),
        buckets(cx),
        service_linked_roles(cx),
    )?;
    let mut left: Vec<Found> = [ec2, roles, cluster, logs].into_iter().flatten().collect();
    left.extend(balancers.into_iter().map(balancer));
    let mut kept = service_linked;
    match cx.cluster.spec.keeps_buckets() {
        false => left.extend(named(buckets)),
        true => kept.extend(buckets.into_iter().map(|name| Found::new("bucket", name, "retained on request"))),
    }
    Ok(Inventory { left, kept })
}

fn balancer(left: Leftover) -> Found {
    Found::new(left.kind.name(), left.id, ec2::KUBERNETES)
}

fn named(buckets: Vec<String>) -> impl Iterator<Item = Found> {
    buckets.into_iter().map(|name| Found::new("bucket", name, NAME))
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

async fn list_roles(cx: &Context, path: &str) -> Result<Vec<Role>> {
    cx.aws.iam.list_roles().path_prefix(path).into_paginator().items().send().collect::<Result<_, _>>().await.called("iam:ListRoles")
}

/// The cluster with its node groups, which are asked for only while it exists.
async fn cluster(cx: &Context) -> Result<Vec<Found>> {
    let name = cx.cluster.eks_name();
    let answer = cx.aws.eks.describe_cluster().name(&name).send().await.called("eks:DescribeCluster");
    if answer.unless(&["ResourceNotFoundException"])?.is_none() {
        return Ok(vec![]);
    }
    let groups = node_groups(cx).await?.unwrap_or_default();
    let groups = groups.into_iter().map(|group| Found::new("node group", group, "it is in this cluster"));
    Ok(groups.chain([Found::new("cluster", &name, NAME)]).collect())
}

/// None if there is no cluster.
async fn node_groups(cx: &Context) -> Result<Option<Vec<String>>> {
    let request = cx.aws.eks.list_nodegroups().cluster_name(cx.cluster.eks_name());
    let groups: Result<Vec<String>> = request.into_paginator().items().send().collect::<Result<_, _>>().await.called("eks:ListNodegroups");
    groups.unless(&["ResourceNotFoundException"])
}

async fn log_groups(cx: &Context) -> Result<Vec<Found>> {
    let name = cx.cluster.log_group();
    let request = cx.aws.logs.describe_log_groups().log_group_name_prefix(&name);
    let found: Vec<_> = request.into_paginator().items().send().collect::<Result<_, _>>().await.called("logs:DescribeLogGroups")?;
    let ours = found.into_iter().filter_map(|group| group.log_group_name).filter(|found| *found == name);
    Ok(ours.map(|name| Found::new("log group", name, NAME)).collect())
}

async fn buckets(cx: &Context) -> Result<Vec<String>> {
    let ours = cx.cluster.scoped("");
    let request = cx.aws.s3.list_buckets().prefix(&ours);
    let found: Vec<_> = request.into_paginator().items().send().collect::<Result<_, _>>().await.called("s3:ListAllMyBuckets")?;
    Ok(found.into_iter().filter_map(|bucket| bucket.name).filter(|name| name.starts_with(&ours)).collect())
}
