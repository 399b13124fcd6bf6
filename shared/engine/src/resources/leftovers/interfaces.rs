//! Network interfaces that the VPC CNI, a load balancer or EKS left in our VPC.

use super::super::owned::{filter, has_tag, in_vpcs, own_vpcs};
use super::{Kind, Leftover, Within};
use crate::cluster::Cluster;
use crate::context::Context;
use crate::errors::{Called, Result, Unless};
use crate::names::OWNER_TAG;
use aws_sdk_ec2::types::{Filter, NetworkInterface, NetworkInterfaceStatus, NetworkInterfaceType, SecurityGroup};
use std::collections::BTreeMap;

/// All interfaces inside our VPC, except the NAT gateway's, which goes with it.
pub async fn inside(cx: &Context, vpcs: &[String]) -> Result<Vec<NetworkInterface>> {
    let request = cx.aws.ec2.describe_network_interfaces().filters(in_vpcs(vpcs));
    let found: Vec<NetworkInterface> =
        request.into_paginator().items().send().collect::<Result<_, _>>().await.called("ec2:DescribeNetworkInterfaces")?;
    let ours = |interface: &NetworkInterface| {
        Within::Vpcs(vpcs).holds(interface.vpc_id()) && interface.interface_type() != Some(&NetworkInterfaceType::NatGateway)
    };
    Ok(found.into_iter().filter(ours).collect())
}

/// In any VPC those with our owner tag, and those that use one of these groups of ours.
pub async fn tagged(cx: &Context, groups: &[SecurityGroup]) -> Result<Vec<NetworkInterface>> {
    let owned = filter(format!("tag:{OWNER_TAG}"), &cx.cluster.id);
    let ids: Vec<String> = groups.iter().filter_map(|group| group.group_id.clone()).collect();
    let using = (!ids.is_empty()).then(|| Filter::builder().name("group-id").set_values(Some(ids.clone())).build());
    let mut found = BTreeMap::new();
    for by in [owned].into_iter().chain(using) {
        let pages = cx.aws.ec2.describe_network_interfaces().filters(by).into_paginator().items().send();
        let some: Vec<NetworkInterface> = pages.collect::<Result<_, _>>().await.called("ec2:DescribeNetworkInterfaces")?;
        found.extend(some.into_iter().map(|one| (one.network_interface_id.clone(), one)));
    }
    let uses = |one: &NetworkInterface| one.groups().iter().any(|group| ids.iter().any(|id| group.group_id() == Some(id)));
    let ours = |one: &NetworkInterface| has_tag(one.tag_set(), OWNER_TAG, &cx.cluster.id) || uses(one);
    Ok(found.into_values().filter(ours).collect())
}

pub fn leftovers(cluster: &Cluster, inside: &[NetworkInterface]) -> Vec<Leftover> {
    inside.iter().filter_map(|interface| leftover(cluster, interface)).collect()
}

fn leftover(cluster: &Cluster, interface: &NetworkInterface) -> Option<Leftover> {
    let id = interface.network_interface_id.clone()?;
    let purpose = interface.description().filter(|text| !text.is_empty()).map(str::to_owned);
    Some(Leftover { kind: Kind::Interface, id, busy: is_busy(cluster, interface), purpose })
}

/// In use, made by an AWS service (which alone may delete it), or without our owner tag (which nodes and the network plugin set).
pub fn is_busy(cluster: &Cluster, interface: &NetworkInterface) -> bool {
    interface.requester_managed().unwrap_or_default()
        || interface.status() != Some(&NetworkInterfaceStatus::Available)
        || !has_tag(interface.tag_set(), OWNER_TAG, &cluster.id)
}

pub async fn remove_free(cx: &Context) -> Result<()> {
    let there = if cx.cluster.is_in_their_network() {
        tagged(cx, &[]).await?
    } else {
        match own_vpcs(cx).await?[..] {
            [] => return Ok(()),
            ref vpcs => inside(cx, vpcs).await?,
        }
    };
    for free in leftovers(&cx.cluster, &there).into_iter().filter(|leftover| !leftover.busy) {
        remove(cx, &free.id).await?;
    }
    Ok(())
}

pub async fn remove(cx: &Context, id: &str) -> Result<()> {
    let gone_or_held = ["InvalidNetworkInterfaceID.NotFound", "InvalidNetworkInterface.InUse"];
    let call = cx.aws.ec2.delete_network_interface().network_interface_id(id);
    call.send().await.called("ec2:DeleteNetworkInterface").done_if(&gone_or_held)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_ec2::types::Tag;

    #[test]
    fn only_our_own_free_interfaces_are_deleted() {
        use NetworkInterfaceStatus::{Available, Detaching, InUse};
        let cluster = Cluster::example(serde_json::json!({}));
        let tag = |owner: &str| Tag::builder().key(OWNER_TAG).value(owner).build();
        for (status, by_service, owner, busy) in [
            (Available, false, "abcdefghijkl", false),
            (Available, false, "zyxwvutsrqpo", true),
            (Available, true, "abcdefghijkl", true),
            (InUse, false, "abcdefghijkl", true),
            (Detaching, false, "abcdefghijkl", true),
        ] {
            let interface = NetworkInterface::builder().status(status.clone()).requester_managed(by_service).tag_set(tag(owner)).build();
            assert_eq!(is_busy(&cluster, &interface), busy, "{status} {by_service} {owner}");
        }
    }
}
