//! The cluster's availability zones, chosen by what they offer: GPU types are in one to three zones of a region, and not in the first ones.

use super::alternatives;
use crate::cluster::Cluster;
use crate::context::Context;
use crate::errors::{Called, Error, Result};
use crate::offering::{Offering, SYSTEM_TYPES};
use crate::resources::owned::filter;
use aws_sdk_ec2::types::{AvailabilityZone, Filter, LocationType};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use wire::error::Code;
use wire::spec::{InstanceType, Spec};

/// Zones where EKS cannot create control planes, by id, because names differ between accounts (row 16 of docs/failures.md).
const WITHOUT_CONTROL_PLANES: [&str; 3] = ["use1-az3", "usw1-az2", "cac1-az3"];
/// How many a cluster has, where the region has as many.
const MOST: usize = 3;
/// EC2's limit.
const PAGE: i32 = 1000;

const CHOSEN_BEFORE: &str = "A cluster keeps its zones: delete it and create it again, so that zones are chosen that offer these types, or create it with the types \
                             that the reason names instead.";
const OTHER_ZONES: &str = "Delete the cluster and create it with other network.zones, or without, so that zones are chosen that offer these types, or with the \
                           types that the reason names instead.";
const ANOTHER_REGION: &str = "Delete the cluster and create it in another region.";

/// Instance type → the names of the zones that offer it.
type Offers = BTreeMap<String, BTreeSet<String>>;

/// The cluster's zones, three where the region has them and else two, and what they offer. A cluster that has zones already keeps them,
/// because its subnets stay where they are.
///
/// # Errors
/// `Customer` if the region is not enabled, has fewer than two zones that EKS can use, or does not offer what the spec wants.
pub async fn choose(cx: &Context) -> Result<(Vec<String>, Offering)> {
    let cluster = &cx.cluster;
    let is_placed = !cluster.zones.is_empty();
    let usable = if is_placed { cluster.zones.clone() } else { named(&cluster.spec, usable(cx).await?)? };
    let offers = ask(cx, &usable, Some(types(&cluster.spec).chain(SYSTEM_TYPES))).await?;
    let missing: Vec<&str> = types(&cluster.spec).filter(|name| !offers.contains_key(*name)).collect();
    if !missing.is_empty() {
        let all = ask(cx, &usable, None::<[&str; 0]>).await?;
        return Err(not_offered(cluster, &missing, &all));
    }
    let zones = if is_placed { together(&cluster.spec, usable, &offers)? } else { best(&cluster.spec, &usable, &offers)? };
    let system = system(&zones, &offers, before(cluster)).ok_or_else(|| no_system(cluster))?;
    let with = |name: &str| (name.to_owned(), zones.iter().filter(|zone| offers[name].contains(*zone)).cloned().collect());
    let offered = types(&cluster.spec).chain([system]).map(with).collect();
    Ok((zones.clone(), Offering { system: system.to_owned(), zones: offered }))
}

/// Those that the spec names, if it does.
fn named(spec: &Spec, usable: Vec<String>) -> Result<Vec<String>> {
    let named = wanted(spec);
    let missing: Vec<&str> = named.iter().filter(|zone| !usable.contains(zone)).map(String::as_str).collect();
    if !missing.is_empty() {
        let reason = format!("No cluster can be in {}: the account and EKS have {}.", missing.join(", "), usable.join(", "));
        return Err(Error::of(Code::ZoneNotUsable, reason));
    }
    Ok(if named.is_empty() { usable } else { named.to_vec() })
}

fn wanted(spec: &Spec) -> &[String] {
    spec.managed().map_or(&[], |ours| &ours.network.zones)
}

fn types(spec: &Spec) -> impl Iterator<Item = &str> {
    spec.instance_types.iter().flat_map(InstanceType::types)
}

/// The types of each node group, which is only where all of them are offered.
fn groups(spec: &Spec) -> impl Iterator<Item = Vec<&str>> {
    spec.instance_types.iter().map(|wanted| wanted.types().collect())
}

/// The names of the zones that EKS can use.
async fn usable(cx: &Context) -> Result<Vec<String>> {
    let call = cx.aws.ec2.describe_availability_zones();
    let call = call.filters(filter("zone-type", "availability-zone")).filters(filter("state", "available"));
    let names = with_control_planes(call.send().await.called("ec2:DescribeAvailabilityZones")?.availability_zones());
    if names.len() >= 2 {
        return Ok(names);
    }
    let region = &cx.cluster.spec.region;
    Err(Error::of(Code::TooFewZones, format!("{region} has fewer than two availability zones that EKS can use.")))
}

fn with_control_planes(zones: &[AvailabilityZone]) -> Vec<String> {
    let usable = zones.iter().filter(|zone| !WITHOUT_CONTROL_PLANES.contains(&zone.zone_id().unwrap_or_default()));
    let mut names: Vec<String> = usable.filter_map(|zone| zone.zone_name().map(str::to_owned)).collect();
    names.sort();
    names
}

/// What these zones offer of these types; without any, of all.
async fn ask<'a>(cx: &Context, zones: &[String], of_types: Option<impl IntoIterator<Item = &'a str>>) -> Result<Offers> {
    let by_type = of_types.map(|names| filter_by("instance-type", names));
    let filters = [filter_by("location", zones.iter().map(String::as_str))].into_iter().chain(by_type).collect();
    let call = cx.aws.ec2.describe_instance_type_offerings().location_type(LocationType::AvailabilityZone).set_filters(Some(filters));
    let pages = call.max_results(PAGE).into_paginator().items().send();
    let found: Vec<_> = pages.collect::<Result<_, _>>().await.called("ec2:DescribeInstanceTypeOfferings")?;
    let mut offers = Offers::new();
    for one in found {
        if let (Some(name), Some(zone)) = (one.instance_type, one.location) {
            offers.entry(name.as_str().to_owned()).or_default().insert(zone);
        }
    }
    Ok(offers)
}

pub(super) fn filter_by<'a>(name: &str, values: impl IntoIterator<Item = &'a str>) -> Filter {
    Filter::builder().name(name).set_values(Some(values.into_iter().map(str::to_owned).collect())).build()
}

/// Every type must be in one of them; then, the more zones offer each the better. Among equals, the first by name.
fn best(spec: &Spec, usable: &[String], offers: &Offers) -> Result<Vec<String>> {
    let of_system = |zones: &[String]| system(zones, offers, None).map(|name| vec![name]);
    let coverage = |zones: &[String]| -> usize { groups(spec).chain(of_system(zones)).map(|types| count(zones, offers, &types)).sum() };
    let together = sets(usable).into_iter().filter(|zones| !apart(spec, zones, offers));
    let best = together.min_by_key(|zones| Reverse((system(zones, offers, None).is_some(), coverage(zones))));
    best.ok_or_else(|| are_apart(spec, usable, offers))
}

/// The zones that a cluster has already.
fn together(spec: &Spec, zones: Vec<String>, offers: &Offers) -> Result<Vec<String>> {
    if apart(spec, &zones, offers) { Err(are_apart(spec, &zones, offers).with_hint(CHOSEN_BEFORE)) } else { Ok(zones) }
}

/// True if a node group would be in none of the zones.
fn apart(spec: &Spec, zones: &[String], offers: &Offers) -> bool {
    groups(spec).any(|types| count(zones, offers, &types) == 0)
}

/// All sets of as many zones as a cluster has, by name.
fn sets(usable: &[String]) -> Vec<Vec<String>> {
    let size = usable.len().min(MOST);
    let masks = (0..1_u32 << usable.len()).filter(|mask| mask.count_ones() as usize == size);
    let zones = |mask: u32| usable.iter().enumerate().filter(move |(index, _)| mask & (1 << index) != 0).map(|(_, zone)| zone.clone());
    let mut sets: Vec<Vec<String>> = masks.map(|mask| zones(mask).collect()).collect();
    sets.sort();
    sets
}

fn count(zones: &[String], offers: &Offers, types: &[&str]) -> usize {
    zones.iter().filter(|zone| types.iter().all(|name| offers.get(*name).is_some_and(|offering| offering.contains(*zone)))).count()
}

/// The first that two of the zones offer, or else one. What the cluster had `before` stays as long as it is offered at all: its node group
/// would count as another one.
fn system<'a>(zones: &[String], offers: &Offers, before: Option<&'a str>) -> Option<&'a str> {
    let in_zones = |least: usize| SYSTEM_TYPES.into_iter().find(move |name| count(zones, offers, &[name]) >= least);
    before.filter(|name| count(zones, offers, &[name]) > 0).or_else(|| in_zones(2)).or_else(|| in_zones(1))
}

/// Earlier versions knew only the first.
fn before(cluster: &Cluster) -> Option<&str> {
    let of_earlier_version = (!cluster.zones.is_empty()).then_some(SYSTEM_TYPES[0]);
    cluster.offering.as_ref().map(|offering| offering.system.as_str()).or(of_earlier_version)
}

fn not_offered(cluster: &Cluster, missing: &[&str], all: &Offers) -> Error {
    let named = |name: &&str| match alternatives::of(name, all.keys().map(String::as_str))[..] {
        [] => (*name).to_owned(),
        ref instead => format!("{name} (instead: {})", instead.join(", ")),
    };
    let missing = missing.iter().map(named).collect::<Vec<_>>().join("; ");
    let zones = wanted(&cluster.spec);
    if cluster.zones.is_empty() && !zones.is_empty() {
        let reason = format!("None of network.zones ({}) offers {missing}.", zones.join(", "));
        return Error::of(Code::InstanceTypeNotOffered, reason).with_hint(OTHER_ZONES);
    }
    if cluster.zones.is_empty() {
        let reason = format!("No availability zone of {} that a cluster could have offers {missing}.", cluster.spec.region);
        return Error::of(Code::InstanceTypeNotOffered, reason);
    }
    let reason = format!("None of the cluster's availability zones ({}) offers {missing}.", cluster.zones.join(", "));
    Error::of(Code::InstanceTypeNotOffered, reason).with_hint(CHOSEN_BEFORE)
}

fn no_system(cluster: &Cluster) -> Error {
    let reason =
        format!("{} offers none of the types that the system's own nodes could have: {}.", cluster.spec.region, SYSTEM_TYPES.join(", "));
    Error::of(Code::InstanceTypeNotOffered, reason).with_hint(ANOTHER_REGION)
}

fn are_apart(spec: &Spec, usable: &[String], offers: &Offers) -> Error {
    let of =
        |types: &[&str]| usable.iter().filter(|zone| count(std::slice::from_ref(*zone), offers, types) > 0).cloned().collect::<Vec<_>>();
    let somewhere = groups(spec).map(|types| (types.join(" with "), of(&types))).filter(|(_, zones)| zones.len() < usable.len());
    let named =
        somewhere.map(|(types, zones)| format!("{types} is in {}", if zones.is_empty() { "none".into() } else { zones.join(", ") }));
    let reason = format!(
        "No {MOST} availability zones of {} offer all of the instance types: {}.",
        spec.region,
        named.collect::<Vec<_>>().join("; ")
    );
    Error::of(Code::InstanceTypesApart, reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn zone(name: &str, id: &str) -> AvailabilityZone {
        AvailabilityZone::builder().zone_name(name).zone_id(id).build()
    }

    fn zones(letters: &str) -> Vec<String> {
        letters.chars().map(|letter| letter.to_string()).collect()
    }

    fn offers(all: &[(&str, &str)]) -> Offers {
        all.iter().map(|(name, letters)| ((*name).to_owned(), zones(letters).into_iter().collect())).collect()
    }

    fn wanting(types: &[(&str, &str)]) -> Spec {
        let types: Vec<_> = types.iter().map(|(name, _)| json!({"name": name})).collect();
        Cluster::example(json!({"instance_types": types})).spec
    }

    #[test]
    fn zones_without_control_planes_are_left_out() {
        let zones = [
            zone("us-east-1c", "use1-az6"),
            zone("us-east-1a", "use1-az1"),
            zone("us-east-1b", "use1-az3"),
            zone("us-east-1d", "use1-az2"),
        ];
        assert_eq!(with_control_planes(&zones), ["us-east-1a", "us-east-1c", "us-east-1d"]);
    }

    #[test]
    fn the_zones_are_those_that_offer_most() {
        for (usable, wanted, expected, reason) in [
            ("abcd", &[("m6i.large", "abcd")][..], "abc", "all are equal: the first by name"),
            ("ab", &[("p4d.24xlarge", "b")], "ab", "a cluster needs two zones, whatever they offer"),
            ("abcd", &[("p5e.48xlarge", "d")], "abd", "the only zone"),
            ("abcd", &[("p5en.48xlarge", "acd")], "acd", "three zones for the nodes instead of two"),
            ("abcd", &[("p5en.48xlarge", "acd"), ("p6-b200.48xlarge", "abd")], "abd", "one in three, one in two: the first by name"),
            ("abcdef", &[("g4dn.xlarge", "abcde"), ("p5e.48xlarge", "f")], "abf", "a zone for each comes before many for one"),
            (
                "abcd",
                &[("m4.large", "abc"), ("g5.xlarge", "bcd"), ("p3.2xlarge", "c")],
                "abc",
                "what is in one zone only, and two for the others",
            ),
        ] {
            let offers = offers(&[wanted, &[("t3.medium", usable)]].concat());
            assert_eq!(best(&wanting(wanted), &zones(usable), &offers).expect(reason), zones(expected), "{reason}");
        }
    }

    #[test]
    fn the_zones_that_the_spec_names_are_taken_if_eks_can_use_them() {
        let spec =
            |zones: Option<[&str; 2]>| Cluster::example(json!({"network": zones.map_or(json!({}), |zones| json!({"zones": zones}))})).spec;
        let usable = || ["us-west-2a", "us-west-2b", "us-west-2d"].map(String::from).to_vec();
        for (given, expected, reason) in [
            (None, Ok(usable()), "all of them may be chosen"),
            (Some(["us-west-2d", "us-west-2a"]), Ok(["us-west-2d", "us-west-2a"].map(String::from).to_vec()), "these two, as named"),
            (
                Some(["us-west-2a", "us-west-2c"]),
                Err("No cluster can be in us-west-2c: the account and EKS have us-west-2a, us-west-2b, us-west-2d.".to_owned()),
                "one is not usable",
            ),
        ] {
            assert_eq!(named(&spec(given), usable()).map_err(|error| error.reason), expected, "{reason}");
        }
    }

    #[test]
    fn types_that_no_three_zones_have_in_common_are_named_with_their_zones() {
        let wanted = [("p5.48xlarge", "a"), ("p5e.48xlarge", "b"), ("g6.xlarge", "cd"), ("p3dn.24xlarge", "e"), ("m6i.large", "abcde")];
        let offers = offers(&[&wanted[..], &[("t3.medium", "abcde")]].concat());
        let error = best(&wanting(&wanted), &zones("abcde"), &offers).expect_err("four of them are apart");
        assert_eq!(error.code, Code::InstanceTypesApart);
        assert_eq!(
            error.reason,
            "No 3 availability zones of us-west-2 offer all of the instance types: p5.48xlarge is in a; p5e.48xlarge is in b; g6.xlarge \
             is in c, d; p3dn.24xlarge is in e."
        );
    }

    #[test]
    fn a_group_of_spot_counts_where_all_its_types_are_offered() {
        let spec = |alternative: &str| {
            let types = json!([{"name": "m6i.large"}, {"name": "g5.xlarge", "capacity": "spot", "alternatives": [alternative]}]);
            Cluster::example(json!({"instance_types": types})).spec
        };
        let offers =
            offers(&[("t3.medium", "abcd"), ("m6i.large", "abcd"), ("g5.xlarge", "abc"), ("g6.xlarge", "cd"), ("p5e.48xlarge", "d")]);
        assert_eq!(best(&spec("g6.xlarge"), &zones("abcd"), &offers).expect("c has both"), zones("abc"));
        let reason = "offer all of the instance types: g5.xlarge with p5e.48xlarge is in none.";
        let error = best(&spec("p5e.48xlarge"), &zones("abcd"), &offers).expect_err("nowhere together");
        assert!(error.code == Code::InstanceTypesApart && error.reason.ends_with(reason), "{}", error.reason);
        let placed = together(&spec("g6.xlarge"), zones("ab"), &offers).expect_err("they are in c");
        assert_eq!((placed.code, placed.hint.as_str()), (Code::InstanceTypesApart, CHOSEN_BEFORE));
    }

    #[test]
    fn the_system_has_the_first_type_that_two_zones_offer_and_keeps_it() {
        for (offered, before, expected, reason) in [
            (&[("t3.medium", "abc"), ("t3a.medium", "abc")][..], None, Some("t3.medium"), "the first"),
            (&[("t3.medium", "c"), ("m6i.large", "ab")], None, Some("m6i.large"), "two zones rather than one"),
            (&[("t3.medium", "c"), ("m7i.large", "d")], None, Some("t3.medium"), "one is better than none"),
            (&[("t3.medium", "c"), ("m6i.large", "ab")], Some("t3.medium"), Some("t3.medium"), "there is a node group of it"),
            (&[("t3.medium", "abc"), ("m6i.large", "ab")], Some("m6i.large"), Some("m6i.large"), "although the first is offered by now"),
            (&[("m6i.large", "ab")], Some("t3.medium"), Some("m6i.large"), "it is not offered any more"),
            (&[("t3.medium", "d")], None, None, "in another zone only"),
        ] {
            assert_eq!(system(&zones("abc"), &offers(offered), before), expected, "{reason}");
        }
    }

    #[test]
    fn a_cluster_of_an_earlier_version_has_its_first_type() {
        let placed = Cluster::example(json!({}));
        let offering = Offering { system: "m6i.large".into(), zones: BTreeMap::new() };
        for (cluster, expected) in [
            (Cluster { zones: vec![], ..placed.clone() }, None),
            (Cluster { offering: Some(offering), ..placed.clone() }, Some("m6i.large")),
            (placed, Some("t3.medium")),
        ] {
            assert_eq!(before(&cluster), expected);
        }
    }

    #[test]
    fn every_type_that_is_not_offered_is_named_with_what_would_do() {
        let all = offers(&[("m6i.large", "abc"), ("m6i.xlarge", "b"), ("g5.xlarge", "c")]);
        let placed = Cluster::example(json!({}));
        for (cluster, reason, hint) in [
            (
                Cluster { zones: vec![], ..Cluster::example(json!({"network": {"zones": ["us-west-2d", "us-west-2a"]}})) },
                "None of network.zones (us-west-2d, us-west-2a) offers m6i.lrge (instead: m6i.large, m6i.xlarge); g5g.xlarge.",
                OTHER_ZONES,
            ),
            (
                Cluster { zones: vec![], ..placed.clone() },
                "No availability zone of us-west-2 that a cluster could have offers m6i.lrge (instead: m6i.large, m6i.xlarge); g5g.xlarge.",
                Code::InstanceTypeNotOffered.means().hint,
            ),
            (
                placed,
                "None of the cluster's availability zones (us-west-2a, us-west-2b, us-west-2c) offers m6i.lrge (instead: m6i.large, \
                 m6i.xlarge); g5g.xlarge.",
                CHOSEN_BEFORE,
            ),
        ] {
            let error = not_offered(&cluster, &["m6i.lrge", "g5g.xlarge"], &all);
            assert_eq!((error.reason.as_str(), error.hint.as_str()), (reason, hint));
        }
    }
}
