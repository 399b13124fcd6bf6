//! Security groups inside our VPC that EKS, the AWS Load Balancer Controller or GuardDuty made for this cluster.

use super::super::owned::{has_tag, in_vpcs};
use super::endpoints::is_guard_dutys;
use super::interfaces::is_busy;
use super::{CONTROLLER_TAG, Kind, Leftover, Within};
use crate::cluster::Cluster;
use crate::context::Context;
use crate::errors::{Called, Result, Unless};
use aws_sdk_ec2::types::{IpPermission, NetworkInterface, SecurityGroup, UserIdGroupPair};

/// A group is held by the interfaces that use it, except those that are about to be deleted too.
pub async fn find(cx: &Context, vpcs: &[String], interfaces: &[NetworkInterface]) -> Result<Vec<Leftover>> {
    let holders = || interfaces.iter().filter(|interface| is_busy(&cx.cluster, interface)).flat_map(NetworkInterface::groups);
    let groups = inside(cx, vpcs).await?;
    let leftover =
        |id: String| Leftover { kind: Kind::SecurityGroup, busy: holders().any(|held| held.group_id() == Some(&id)), id, purpose: None };
    Ok(groups.into_iter().filter_map(|group| group.group_id).map(leftover).collect())
}

async fn inside(cx: &Context, vpcs: &[String]) -> Result<Vec<SecurityGroup>> {
    let request = cx.aws.ec2.describe_security_groups().filters(in_vpcs(vpcs));
    let found: Vec<SecurityGroup> =
        request.into_paginator().items().send().collect::<Result<_, _>>().await.called("ec2:DescribeSecurityGroups")?;
    let ours = |group: &SecurityGroup| Within::Vpcs(vpcs).holds(group.vpc_id()) && is_ours(&cx.cluster, group);
    Ok(found.into_iter().filter(ours).collect())
}

/// The tags set by those that make groups. GuardDuty's does not say whose the group is; that it is inside our VPC does.
fn is_ours(cluster: &Cluster, group: &SecurityGroup) -> bool {
    let named = ["aws:eks:cluster-name", CONTROLLER_TAG].iter().any(|tag| has_tag(group.tags(), tag, &cluster.eks_name()));
    named || is_guard_dutys(group.tags())
}

/// Revokes the rules that name a group about to be deleted, because a group cannot be deleted while another refers to it.
pub async fn forget(cx: &Context, going: &[&Leftover]) -> Result<()> {
    let going: Vec<&str> =
        going.iter().filter(|leftover| leftover.kind == Kind::SecurityGroup).map(|leftover| leftover.id.as_str()).collect();
    if going.is_empty() {
        return Ok(());
    }
    let vpcs = super::own_vpcs(cx).await?;
    for group in inside(cx, &vpcs).await? {
        let id = group.group_id().unwrap_or_default();
        revoke_ingress(cx, id, naming(group.ip_permissions(), &going)).await?;
        revoke_egress(cx, id, naming(group.ip_permissions_egress(), &going)).await?;
    }
    Ok(())
}

/// The rules, reduced to the part that names one of the groups.
fn naming(rules: &[IpPermission], groups: &[&str]) -> Vec<IpPermission> {
    rules.iter().flat_map(|rule| rule.user_id_group_pairs().iter().filter_map(|pair| narrowed(rule, pair, groups))).collect()
}

fn narrowed(rule: &IpPermission, pair: &UserIdGroupPair, groups: &[&str]) -> Option<IpPermission> {
    let id = pair.group_id().filter(|id| groups.contains(id))?;
    let pair = UserIdGroupPair::builder().group_id(id).set_user_id(pair.user_id.clone()).build();
    let rule = IpPermission::builder().set_ip_protocol(rule.ip_protocol.clone()).set_from_port(rule.from_port).set_to_port(rule.to_port);
    Some(rule.user_id_group_pairs(pair).build())
}

async fn revoke_ingress(cx: &Context, group: &str, rules: Vec<IpPermission>) -> Result<()> {
    if rules.is_empty() {
        return Ok(());
    }
    let request = cx.aws.ec2.revoke_security_group_ingress().group_id(group).set_ip_permissions(Some(rules));
    request.send().await.called("ec2:RevokeSecurityGroupIngress").done_if(&REVOKED)
}

async fn revoke_egress(cx: &Context, group: &str, rules: Vec<IpPermission>) -> Result<()> {
    if rules.is_empty() {
        return Ok(());
    }
    let request = cx.aws.ec2.revoke_security_group_egress().group_id(group).set_ip_permissions(Some(rules));
    request.send().await.called("ec2:RevokeSecurityGroupEgress").done_if(&REVOKED)
}

const REVOKED: [&str; 2] = ["InvalidPermission.NotFound", "InvalidGroup.NotFound"];

/// A load balancer's interfaces hold its group for minutes after it is gone, so a dependency is not an error; the next look decides.
pub async fn remove(cx: &Context, id: &str) -> Result<()> {
    let gone_or_held = ["InvalidGroup.NotFound", "DependencyViolation"];
    cx.aws.ec2.delete_security_group().group_id(id).send().await.called("ec2:DeleteSecurityGroup").done_if(&gone_or_held)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_ec2::types::Tag;

    #[test]
    fn a_group_belongs_to_the_cluster_by_its_makers_tags() {
        let cluster = Cluster::example(serde_json::json!({}));
        let group = |key: &str, value: &str| SecurityGroup::builder().tags(Tag::builder().key(key).value(value).build()).build();
        for (key, value, ours) in [
            ("aws:eks:cluster-name", "groundwork-research-abcdefghijkl", true),
            ("elbv2.k8s.aws/cluster", "groundwork-research-abcdefghijkl", true),
            ("aws:eks:cluster-name", "groundwork-research-zyxwvutsrqpo", false),
            ("GuardDutyManaged", "true", true),
            ("GuardDutyManaged", "false", false),
            ("Name", "groundwork-research-abcdefghijkl", false),
        ] {
            assert_eq!(is_ours(&cluster, &group(key, value)), ours, "{key}={value}");
        }
    }

    #[test]
    fn only_the_part_of_a_rule_that_names_a_going_group_is_revoked() {
        let pair = |id: &str| UserIdGroupPair::builder().group_id(id).user_id("222222222222").build();
        let rule = IpPermission::builder().ip_protocol("tcp").from_port(443).to_port(443);
        let given = rule.clone().user_id_group_pairs(pair("sg-goes")).user_id_group_pairs(pair("sg-stays")).build();
        assert_eq!(naming(&[given], &["sg-goes"]), [rule.user_id_group_pairs(pair("sg-goes")).build()]);
        assert_eq!(naming(&[IpPermission::builder().ip_protocol("-1").build()], &["sg-goes"]), []);
    }
}
