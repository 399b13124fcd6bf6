//! How each AWS API writes and finds owner tags.

use crate::cluster::Cluster;
use crate::context::Context;
use crate::errors::{Called, Error, Result};
use crate::names::{OWNER_TAG, RESOURCE_TAG};
use aws_config::retry::RetryConfig;
use aws_sdk_ec2::types::{Filter, ResourceType, Tag, TagSpecification};
use aws_sdk_iam::types::Role;
use std::collections::BTreeMap;
use wire::error::Code;
use wire::journal::Outputs;
use wire::key::Key;

/// EC2's answer to a call with `DryRun` that would be allowed.
pub const WOULD_SUCCEED: &str = "DryRunOperation";

/// The owner tags for an EC2 create call, with any further ones.
pub fn ec2_tags<const N: usize>(cluster: &Cluster, key: &Key, kind: ResourceType, more: [(String, String); N]) -> TagSpecification {
    let tags = cluster.tags(key).into_iter().chain(more);
    TagSpecification::builder()
        .resource_type(kind)
        .set_tags(Some(tags.map(|(name, value)| Tag::builder().key(name).value(value).build()).collect()))
        .build()
}

/// Matches exactly this resource of this cluster.
pub fn ec2_filters(cluster: &Cluster, key: &Key) -> Option<Vec<Filter>> {
    Some(vec![filter(format!("tag:{OWNER_TAG}"), &cluster.id), filter(format!("tag:{RESOURCE_TAG}"), key.to_string())])
}

/// Filters only narrow what EC2 sends; before something is changed or deleted, its tags are checked again.
pub fn is_this(cluster: &Cluster, key: &Key, tags: &[Tag]) -> bool {
    has_tag(tags, OWNER_TAG, &cluster.id) && has_tag(tags, RESOURCE_TAG, &key.to_string())
}

pub fn has_tag(tags: &[Tag], name: &str, value: &str) -> bool {
    tags.iter().any(|tag| tag.key() == Some(name) && tag.value() == Some(value))
}

/// An EC2 token that makes something new once the last thing made with it is dead. EC2 answers a known token with the old thing for up to
/// a day, but lists dead things only for an hour. A second thing made at the turn of the hour is found by its tag.
pub fn ec2_token(cx: &Context, key: &Key, dead: Option<&str>) -> String {
    let hour = cx.begun.as_second() / 3600;
    [&cx.cluster.token(key), dead.unwrap_or_default(), &hour.to_string()].join("-")
}

/// The ids of the VPCs that carry this cluster's owner tag: one, or none.
pub async fn own_vpcs(cx: &Context) -> Result<Vec<String>> {
    let request = cx.aws.ec2.describe_vpcs().filters(filter(format!("tag:{OWNER_TAG}"), &cx.cluster.id));
    let found: Vec<_> = request.into_paginator().items().send().collect::<Result<_, _>>().await.called("ec2:DescribeVpcs")?;
    let ours = found.into_iter().filter(|vpc| has_tag(vpc.tags(), OWNER_TAG, &cx.cluster.id));
    Ok(ours.filter_map(|vpc| vpc.vpc_id).collect())
}

/// The account's roles under this path.
pub async fn list_roles(cx: &Context, path: &str) -> Result<Vec<Role>> {
    cx.aws.iam.list_roles().path_prefix(path).into_paginator().items().send().collect::<Result<_, _>>().await.called("iam:ListRoles")
}

/// For creates without a token: the SDK must not repeat a call whose answer was lost, because the driver waits out the grace first.
pub fn once() -> aws_sdk_ec2::config::Builder {
    aws_sdk_ec2::config::Builder::new().retry_config(RetryConfig::disabled())
}

pub fn in_vpcs(vpcs: &[String]) -> Filter {
    Filter::builder().name("vpc-id").set_values(Some(vpcs.to_vec())).build()
}

pub fn filter(name: impl Into<String>, value: impl Into<String>) -> Filter {
    Filter::builder().name(name).values(value).build()
}

/// True if a thing that was found by name carries this cluster's owner tag.
pub fn is_ours<N: AsRef<str>, V: AsRef<str>>(cluster: &Cluster, tags: impl IntoIterator<Item = (N, V)>) -> bool {
    tags.into_iter().any(|(name, value)| name.as_ref() == OWNER_TAG && value.as_ref() == cluster.id)
}

/// Refuses a thing that has our name but not our owner tag: never adopted, never deleted.
pub fn check_ours<N: AsRef<str>, V: AsRef<str>>(cluster: &Cluster, what: &str, tags: impl IntoIterator<Item = (N, V)>) -> Result<()> {
    if is_ours(cluster, tags) {
        return Ok(());
    }
    let reason = format!("{what} has this cluster's name but not its owner tag {OWNER_TAG}={}.", cluster.id);
    Err(Error::of(Code::NotOurs, reason))
}

/// What somebody else made in our VPC has the place of something of ours.
pub fn check_free(place: &str, foreign: &[String]) -> Result<()> {
    if foreign.is_empty() {
        return Ok(());
    }
    let reason = format!("{place} is taken in the cluster's VPC by {}, which Groundwork did not make.", foreign.join(", "));
    Err(Error::of(Code::NotOurs, reason).with_hint("Remove what the reason names, then retry."))
}

/// The owner tags as the APIs with plain maps want them.
pub fn tag_map(cluster: &Cluster, key: &Key) -> Option<std::collections::HashMap<String, String>> {
    Some(cluster.tags(key).into_iter().collect())
}

/// A single output; most resources have only one.
pub fn id(value: impl Into<String>) -> BTreeMap<String, String> {
    BTreeMap::from([("id".to_owned(), value.into())])
}

/// The outputs that AWS gave a value for.
pub fn outputs<const N: usize>(values: [(&str, Option<&str>); N]) -> Outputs {
    values.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned()))).collect()
}
