//! Security groups inside our VPC that EKS, the AWS Load Balancer Controller or GuardDuty made for this cluster.

use super::super::owned::{filter, has_tag, in_vpcs};
use super::endpoints::is_guard_dutys;
use super::interfaces::is_busy;
use super::{CONTROLLER_TAG, Kind, Leftover, Within};
use crate::cluster::Cluster;
use crate::context::Context;
use crate::errors::{Called, Result, Unless};
use aws_sdk_ec2::types::{Filter, IpPermission, NetworkInterface, SecurityGroup, UserIdGroupPair};
use std::collections::{BTreeMap, BTreeSet};

/// A group is held by the interfaces that use it, except those that are about to be deleted too.
pub async fn find(cx: &Context, vpcs: &[String], interfaces: &[NetworkInterface]) -> Result<Vec<Leftover>> {
    Ok(leftovers(&cx.cluster, inside(cx, vpcs).await?, interfaces, &Named::new()))
}

pub fn leftovers(cluster: &Cluster, groups: Vec<SecurityGroup>, interfaces: &[NetworkInterface], named: &Named) -> Vec<Leftover> {
    let holders = || interfaces.iter().filter(|interface| is_busy(cluster, interface)).flat_map(NetworkInterface::groups);
    let leftover = |id: String| {
        let by = named.get(&id).map(|by| format!("named in rules of {}", by.iter().cloned().collect::<Vec<_>>().join(", ")));
        let busy = by.is_some() || holders().any(|held| held.group_id() == Some(&id));
        Leftover { kind: Kind::SecurityGroup, busy, id, purpose: by }
    };
    groups.into_iter().filter_map(|group| group.group_id).map(leftover).collect()
}

/// A group → the groups of the customer's with rules that name it: EC2 keeps it for as long as there are any, and whoever wrote these has to
/// remove them.
pub type Named = BTreeMap<String, BTreeSet<String>>;

pub async fn named(cx: &Context, groups: &[SecurityGroup]) -> Result<Named> {
    let ids: Vec<String> = groups.iter().filter_map(|group| group.group_id.clone()).collect();
    let mut found = Named::new();
    if ids.is_empty() {
        return Ok(found);
    }
    for rules in ["ip-permission.group-id", "egress.ip-permission.group-id"] {
        let naming = Filter::builder().name(rules).set_values(Some(ids.clone())).build();
        let pages = cx.aws.ec2.describe_security_groups().filters(naming).into_paginator().items().send();
        let some: Vec<SecurityGroup> = pages.collect::<Result<_, _>>().await.called("ec2:DescribeSecurityGroups")?;
        note(&mut found, &ids, &some);
    }
    Ok(found)
}

fn note(found: &mut Named, ids: &[String], groups: &[SecurityGroup]) {
    for group in groups {
        let Some(by) = group.group_id.clone().filter(|id| !ids.contains(id)) else { continue };
        let pairs = group.ip_permissions().iter().chain(group.ip_permissions_egress()).flat_map(IpPermission::user_id_group_pairs);
        for id in pairs.filter_map(UserIdGroupPair::group_id).filter(|id| ids.iter().any(|own| own == id)) {
            found.entry(id.to_owned()).or_default().insert(by.clone());
        }
    }
}

/// In any VPC, by the tag that names the cluster: no other has its name.
pub async fn tagged(cx: &Context) -> Result<Vec<SecurityGroup>> {
    let mut found = BTreeMap::new();
    for tag in NAMING {
        let pages =
            cx.aws.ec2.describe_security_groups().filters(filter(format!("tag:{tag}"), cx.cluster.eks_name())).into_paginator().items();
        let some: Vec<SecurityGroup> = pages.send().collect::<Result<_, _>>().await.called("ec2:DescribeSecurityGroups")?;
        found.extend(some.into_iter().map(|group| (group.group_id.clone(), group)));
    }
    Ok(found.into_values().filter(|group| is_named(&cx.cluster, group)).collect())
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
    is_named(cluster, group) || is_guard_dutys(group.tags())
}

const NAMING: [&str; 2] = ["aws:eks:cluster-name", CONTROLLER_TAG];

fn is_named(cluster: &Cluster, group: &SecurityGroup) -> bool {
    NAMING.iter().any(|tag| has_tag(group.tags(), tag, &cluster.eks_name()))
}

/// Revokes the rules that name a group about to be deleted, because a group cannot be deleted while another refers to it.
pub async fn forget(cx: &Context, going: &[&Leftover]) -> Result<()> {
    let going: Vec<&str> =
        going.iter().filter(|leftover| leftover.kind == Kind::SecurityGroup).map(|leftover| leftover.id.as_str()).collect();
    if going.is_empty() {
        return Ok(());
    }
    let groups = if cx.cluster.is_in_their_network() { tagged(cx).await? } else { inside(cx, &super::own_vpcs(cx).await?).await? };
    for group in groups {
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
    fn a_group_that_rules_of_others_name_is_kept_by_them() {
        let pair = |id: &str| UserIdGroupPair::builder().group_id(id).build();
        let rule =
            IpPermission::builder().ip_protocol("tcp").user_id_group_pairs(pair("sg-1")).user_id_group_pairs(pair("sg-other")).build();
        let group = |id: &str| SecurityGroup::builder().group_id(id);
        let others = [
            group("sg-db").ip_permissions(rule.clone()),
            group("sg-2").ip_permissions(rule.clone()),
            group("sg-out").ip_permissions_egress(rule),
        ];
        let mut found = Named::new();
        note(&mut found, &["sg-1", "sg-2"].map(str::to_owned), &others.map(aws_sdk_ec2::types::builders::SecurityGroupBuilder::build));
        let left = leftovers(&Cluster::example(serde_json::json!({})), vec![group("sg-1").build(), group("sg-2").build()], &[], &found);
        let told: Vec<_> = left.iter().map(|one| (one.to_string(), one.busy)).collect();
        assert_eq!(
            told,
            [("security group sg-1 (named in rules of sg-db, sg-out)".to_owned(), true), ("security group sg-2".to_owned(), false)]
        );
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
