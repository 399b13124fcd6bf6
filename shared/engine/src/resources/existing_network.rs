//! The customer's subnets that a managed cluster is in. [`crate::preflight::network`] verifies them before anything is made; nothing in their
//! VPC is ever created, changed, tagged or deleted but what carries this cluster's tags.

use super::owned::filter;
use crate::cluster::Cluster;
use crate::context::Context;
use crate::errors::{Called, Error, Result};
use crate::resource::{LookedAt, Planned, Seen};
use async_trait::async_trait;
use aws_sdk_ec2::types::{Filter, Subnet};
use wire::error::{Class, Code};
use wire::journal::Outputs;
use wire::key::Key;
use wire::stage::Stage;

pub struct ExistingNetwork;

impl Planned for ExistingNetwork {
    fn key(&self) -> Key {
        Key::Network
    }

    fn stage(&self) -> Stage {
        Stage::CreateEks
    }
}

#[async_trait]
impl LookedAt for ExistingNetwork {
    async fn look(&self, cx: &Context) -> Result<(Seen, Outputs)> {
        let subnets = find(cx).await?;
        Ok(match missing(&cx.cluster, &subnets)[..] {
            [] => (Seen::Ready, outputs(&subnets)),
            ref gone => (Seen::Sick(not_there(gone)), Outputs::new()),
        })
    }
}

/// Those of the spec that are there. By a filter, because EC2 answers a list with an unknown id with nothing but an error.
pub async fn find(cx: &Context) -> Result<Vec<Subnet>> {
    let ids = Filter::builder().name("subnet-id").set_values(Some(cx.cluster.spec.customers_subnets().to_vec())).build();
    let mut found = cx.aws.ec2.describe_subnets().filters(ids).send().await.called("ec2:DescribeSubnets")?.subnets.unwrap_or_default();
    found.sort_by(|one, other| one.subnet_id().cmp(&other.subnet_id()));
    Ok(found)
}

/// All subnets of a VPC.
pub async fn beside(cx: &Context, vpc: &str) -> Result<Vec<Subnet>> {
    let pages = cx.aws.ec2.describe_subnets().filters(filter("vpc-id", vpc)).into_paginator().items().send();
    pages.collect::<Result<_, _>>().await.called("ec2:DescribeSubnets")
}

pub fn missing<'a>(cluster: &'a Cluster, found: &[Subnet]) -> Vec<&'a str> {
    let there = |id: &&str| !found.iter().any(|subnet| subnet.subnet_id() == Some(id));
    cluster.spec.customers_subnets().iter().map(String::as_str).filter(there).collect()
}

fn not_there(gone: &[&str]) -> Error {
    Error::of(Code::UnusableSubnets, format!("Of network.subnet_ids, {} are not there any more.", gone.join(", ")))
}

/// The subnets, and in the same order their zones.
fn outputs(subnets: &[Subnet]) -> Outputs {
    let all = |of: fn(&Subnet) -> Option<&str>| subnets.iter().map(|subnet| of(subnet).unwrap_or_default()).collect::<Vec<_>>().join(",");
    let vpc = subnets.first().and_then(Subnet::vpc_id).unwrap_or_default();
    let each = [("vpc", vpc.to_owned()), ("subnets", all(Subnet::subnet_id)), ("zones", all(Subnet::availability_zone))];
    each.map(|(name, value)| (name.to_owned(), value)).into()
}

/// The ids of all of them.
pub fn ids(cx: &Context) -> Result<Vec<String>> {
    Ok(cx.output(&Key::Network, "subnets")?.split(',').map(str::to_owned).collect())
}

/// The ids of those in these zones of the cluster, counted from 0.
pub fn ids_in(cx: &Context, zones: &[usize]) -> Result<Vec<String>> {
    let names: Vec<&String> = zones.iter().filter_map(|index| cx.cluster.zones.get(*index)).collect();
    let zones = cx.output(&Key::Network, "zones")?;
    let placed = ids(cx)?.into_iter().zip(zones.split(','));
    Ok(placed.filter(|(_, zone)| names.iter().any(|name| name == zone)).map(|(id, _)| id).collect())
}

/// A subnet that EKS cannot find was deleted by whoever it belongs to: nothing of ours makes it again.
pub fn blame(error: Error) -> Error {
    let gone = matches!(error.code.as_str(), "Ec2SubnetNotFound" | "InvalidSubnetID.NotFound" | "VpcNotFound");
    if gone || error.reason.contains("subnet ID") && error.reason.contains("does not exist") {
        return Error { class: Class::Customer, ..error }.with_hint(Code::UnusableSubnets.means().hint);
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::Clients;
    use crate::errors::from_answer;
    use jiff::Timestamp;
    use serde_json::json;

    const IDS: [&str; 3] = ["subnet-0000000a", "subnet-0000000b", "subnet-0000000c"];

    fn cluster() -> Cluster {
        Cluster { zones: vec!["us-west-2a".into(), "us-west-2b".into()], ..Cluster::example(json!({"network": {"subnet_ids": IDS}})) }
    }

    fn subnets() -> Vec<Subnet> {
        let zones = ["us-west-2a", "us-west-2b", "us-west-2a"];
        let one = |(id, zone): (&str, &str)| Subnet::builder().vpc_id("vpc-1").subnet_id(id).availability_zone(zone).build();
        IDS.into_iter().zip(zones).map(one).collect()
    }

    #[test]
    fn node_groups_get_the_subnets_of_their_zones_and_the_control_plane_all() {
        let config = aws_config::SdkConfig::builder().behavior_version(aws_config::BehaviorVersion::latest()).build();
        let cx = Context::new(Clients::new(&config), cluster(), Timestamp::UNIX_EPOCH);
        cx.learn(&Key::Network, outputs(&subnets()));
        assert_eq!(cx.output(&Key::Network, "vpc").expect("an output"), "vpc-1");
        for (zones, expected) in [(&[0, 1][..], &IDS[..]), (&[0], &[IDS[0], IDS[2]]), (&[1], &[IDS[1]])] {
            assert_eq!(ids_in(&cx, zones).expect("an output"), expected, "{zones:?}");
        }
        assert_eq!(ids(&cx).expect("an output"), IDS);
    }

    #[test]
    fn what_is_not_there_any_more_is_named() {
        let cluster = cluster();
        assert_eq!(missing(&cluster, &subnets()), [""; 0]);
        assert_eq!(missing(&cluster, &subnets()[..1]), IDS[1..]);
    }

    #[test]
    fn a_subnet_that_eks_cannot_find_is_for_whoever_deleted_it() {
        for (code, message, expected) in [
            ("InvalidParameterException", "The subnet ID 'subnet-0000000a' does not exist", Class::Customer),
            ("InvalidParameterException", "something else", Class::Permanent),
        ] {
            assert_eq!(blame(from_answer("eks:CreateNodegroup", Some(400), code.into(), message)).class, expected, "{message}");
        }
    }
}
