//! The cluster's availability zones, chosen by what they offer: GPU types are in one to three zones of a region, and not in the first ones.

use super::alternatives;
use crate::cluster::Cluster;
use crate::context::Context;
use crate::errors::{Called, Error, Result};
use crate::offering::{self, Offering, SYSTEM_TYPES};
use crate::resources::owned::filter;
use aws_sdk_ec2::types::{AvailabilityZone, Filter, LocationType};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use wire::error::Code;
use wire::spec::{DEFAULTS, InstanceType, Spec};

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
const OTHER_SUBNETS: &str = "Delete the cluster and create it with network.subnet_ids in zones that offer these types, or with the types that the reason names instead.";
const ANOTHER_REGION: &str = "Delete the cluster and create it in another region.";

/// Instance type → the names of the zones that offer it.
type Offers = BTreeMap<String, BTreeSet<String>>;

/// The cluster's zones, three where the region has them and else two, and what they offer. A cluster that has zones already keeps them,
/// because its subnets stay where they are; those of the customer's subnets are `given`.
///
/// # Errors
/// `Customer` if the region is not enabled, has fewer than two zones that EKS can use, or does not offer what the spec wants.
pub async fn choose(cx: &Context, given: Option<Vec<String>>) -> Result<(Vec<String>, Offering)> {
    let cluster = &cx.cluster;
    let placed = Some(cluster.zones.clone()).filter(|zones| !zones.is_empty()).or(given);
    let is_placed = placed.is_some();
    let usable = match placed {
        Some(zones) => zones,
        None => named(&cluster.spec, usable(cx).await?)?,
    };
    let candidates = candidates(cluster);
    let offers = ask(cx, &usable, Some(types(&candidates).chain(SYSTEM_TYPES))).await?;
    let named = &cluster.spec.instance_types;
    let missing: Vec<&str> = types(named).filter(|name| !offers.contains_key(*name)).collect();
    if !missing.is_empty() {
        let all = ask(cx, &usable, None::<[&str; 0]>).await?;
        return Err(not_offered(cluster, &usable, &missing, &all));
    }
    let zones = match named.is_empty() {
        _ if is_placed => together(cluster, usable, &offers)?,
        true => widest(&candidates, &usable, &offers),
        false => best(named, &usable, &offers, &cluster.spec.region)?,
    };
    let system = system(&zones, &offers, before(cluster)).ok_or_else(|| no_system(cluster, &zones))?;
    let offering = Offering { system: system.to_owned(), ..defaults(cluster, &candidates, &zones, &offers) };
    let offers = |name: &str, zone: &String| offers.get(name).is_some_and(|offering| offering.contains(zone));
    let with = |name: &str| (name.to_owned(), zones.iter().filter(|zone| offers(name, zone)).cloned().collect());
    let offered = types(offering::wanted(&cluster.spec, Some(&offering))).chain([system]).map(with).collect();
    Ok((zones.clone(), Offering { zones: offered, ..offering.clone() }))
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

/// Where the spec names none, the defaults: those that the cluster has already, or else this version's.
fn candidates(cluster: &Cluster) -> Vec<InstanceType> {
    let chosen = cluster.instance_types();
    if chosen.is_empty() { DEFAULTS.iter().map(|name| InstanceType::named(name)).collect() } else { chosen.to_vec() }
}

/// What of the defaults the cluster has, chosen once; nothing if the spec names its types.
fn defaults(cluster: &Cluster, wanted: &[InstanceType], zones: &[String], offers: &Offers) -> Offering {
    match &cluster.offering {
        _ if !cluster.spec.instance_types.is_empty() => Offering::default(),
        Some(before) => before.clone(),
        None => {
            let (defaults, others): (Vec<_>, Vec<_>) = wanted.iter().cloned().partition(|one| count(zones, offers, &[&one.name]) > 0);
            Offering { defaults, left_out: others.into_iter().map(|one| one.name).collect(), ..Offering::default() }
        }
    }
}

fn types(wanted: &[InstanceType]) -> impl Iterator<Item = &str> {
    wanted.iter().flat_map(InstanceType::types)
}

/// The types of each node group, which is only where all of them are offered.
fn groups(wanted: &[InstanceType]) -> impl Iterator<Item = Vec<&str>> {
    wanted.iter().map(|wanted| wanted.types().collect())
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

pub fn with_control_planes(zones: &[AvailabilityZone]) -> Vec<String> {
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
fn best(wanted: &[InstanceType], usable: &[String], offers: &Offers, region: &str) -> Result<Vec<String>> {
    let together = sets(usable).into_iter().filter(|zones| !apart(wanted, zones, offers));
    covering(together, wanted, offers).ok_or_else(|| are_apart(wanted, usable, offers, region))
}

/// The same for types of which some may be in none of them.
fn widest(wanted: &[InstanceType], usable: &[String], offers: &Offers) -> Vec<String> {
    covering(sets(usable).into_iter(), wanted, offers).unwrap_or_default()
}

fn covering(sets: impl Iterator<Item = Vec<String>>, wanted: &[InstanceType], offers: &Offers) -> Option<Vec<String>> {
    let of_system = |zones: &[String]| system(zones, offers, None).map(|name| vec![name]);
    let coverage = |zones: &[String]| -> usize { groups(wanted).chain(of_system(zones)).map(|types| count(zones, offers, &types)).sum() };
    sets.min_by_key(|zones| Reverse((system(zones, offers, None).is_some(), coverage(zones))))
}

/// The zones that a cluster has already, or that its subnets are in.
fn together(cluster: &Cluster, zones: Vec<String>, offers: &Offers) -> Result<Vec<String>> {
    let wanted = &cluster.spec.instance_types;
    if !apart(wanted, &zones, offers) {
        return Ok(zones);
    }
    if cluster.is_in_their_network() {
        let reason = format!(
            "No availability zone of network.subnet_ids ({}) offers all types of a node group: {}.",
            zones.join(", "),
            scattered(wanted, &zones, offers)
        );
        return Err(Error::of(Code::InstanceTypesApart, reason).with_hint(OTHER_SUBNETS));
    }
    Err(are_apart(wanted, &zones, offers, &cluster.spec.region).with_hint(CHOSEN_BEFORE))
}

/// True if a node group would be in none of the zones.
fn apart(wanted: &[InstanceType], zones: &[String], offers: &Offers) -> bool {
    groups(wanted).any(|types| count(zones, offers, &types) == 0)
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

fn not_offered(cluster: &Cluster, zones: &[String], missing: &[&str], all: &Offers) -> Error {
    let named = |name: &&str| match alternatives::of(name, all.keys().map(String::as_str))[..] {
        [] => (*name).to_owned(),
        ref instead => format!("{name} (instead: {})", instead.join(", ")),
    };
    let missing = missing.iter().map(named).collect::<Vec<_>>().join("; ");
    if cluster.is_in_their_network() {
        let reason = format!("None of the availability zones of network.subnet_ids ({}) offers {missing}.", zones.join(", "));
        return Error::of(Code::InstanceTypeNotOffered, reason).with_hint(OTHER_SUBNETS);
    }
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

fn no_system(cluster: &Cluster, zones: &[String]) -> Error {
    let (place, hint) = match cluster.is_in_their_network() {
        true => (format!("The availability zones of network.subnet_ids ({}) offer", zones.join(", ")), OTHER_SUBNETS),
        false => (format!("{} offers", cluster.spec.region), ANOTHER_REGION),
    };
    let reason = format!("{place} none of the types that the system's own nodes could have: {}.", SYSTEM_TYPES.join(", "));
    Error::of(Code::InstanceTypeNotOffered, reason).with_hint(hint)
}

fn are_apart(wanted: &[InstanceType], usable: &[String], offers: &Offers, region: &str) -> Error {
    let named = scattered(wanted, usable, offers);
    let reason = format!("No {MOST} availability zones of {region} offer all of the instance types: {named}.");
    Error::of(Code::InstanceTypesApart, reason)
}

/// The types that are not offered everywhere, with where they are.
fn scattered(wanted: &[InstanceType], usable: &[String], offers: &Offers) -> String {
    let of =
        |types: &[&str]| usable.iter().filter(|zone| count(std::slice::from_ref(*zone), offers, types) > 0).cloned().collect::<Vec<_>>();
    let somewhere = groups(wanted).map(|types| (types.join(" with "), of(&types))).filter(|(_, zones)| zones.len() < usable.len());
    let named =
        somewhere.map(|(types, zones)| format!("{types} is in {}", if zones.is_empty() { "none".into() } else { zones.join(", ") }));
    named.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const REGION: &str = "us-west-2";

    fn zone(name: &str, id: &str) -> AvailabilityZone {
        AvailabilityZone::builder().zone_name(name).zone_id(id).build()
    }

    fn zones(letters: &str) -> Vec<String> {
        letters.chars().map(|letter| letter.to_string()).collect()
    }

    fn offers(all: &[(&str, &str)]) -> Offers {
        all.iter().map(|(name, letters)| ((*name).to_owned(), zones(letters).into_iter().collect())).collect()
    }

    fn wanting(types: &[(&str, &str)]) -> Vec<InstanceType> {
        types.iter().map(|(name, _)| InstanceType::named(name)).collect()
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
            assert_eq!(best(&wanting(wanted), &zones(usable), &offers, REGION).expect(reason), zones(expected), "{reason}");
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
        let error = best(&wanting(&wanted), &zones("abcde"), &offers, REGION).expect_err("four of them are apart");
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
            serde_json::from_value::<Vec<InstanceType>>(types).expect("types")
        };
        let offers =
            offers(&[("t3.medium", "abcd"), ("m6i.large", "abcd"), ("g5.xlarge", "abc"), ("g6.xlarge", "cd"), ("p5e.48xlarge", "d")]);
        assert_eq!(best(&spec("g6.xlarge"), &zones("abcd"), &offers, REGION).expect("c has both"), zones("abc"));
        let reason = "offer all of the instance types: g5.xlarge with p5e.48xlarge is in none.";
        let error = best(&spec("p5e.48xlarge"), &zones("abcd"), &offers, REGION).expect_err("nowhere together");
        assert!(error.code == Code::InstanceTypesApart && error.reason.ends_with(reason), "{}", error.reason);
        let types = json!([{"name": "g5.xlarge", "capacity": "spot", "alternatives": ["g6.xlarge"]}]);
        let theirs = json!({"subnet_ids": ["subnet-0000000a", "subnet-0000000b"]});
        for (cluster, place, hint) in [
            (json!({"instance_types": types}), "No 3 availability zones of us-west-2 offer", CHOSEN_BEFORE),
            (
                json!({"instance_types": types, "network": theirs}),
                "No availability zone of network.subnet_ids (a, b) offers",
                OTHER_SUBNETS,
            ),
        ] {
            let placed = together(&Cluster::example(cluster), zones("ab"), &offers).expect_err("they are in c");
            assert_eq!((placed.code, placed.hint.as_str()), (Code::InstanceTypesApart, hint));
            assert!(
                placed.reason.starts_with(place) && placed.reason.ends_with("g5.xlarge with g6.xlarge is in none."),
                "{}",
                placed.reason
            );
        }
    }

    #[test]
    fn defaults_that_no_zone_offers_are_left_out_and_the_choice_is_kept() {
        let unplaced = Cluster { zones: vec![], ..Cluster::example(json!({"instance_types": []})) };
        let offers =
            offers(&[("t3.medium", "abcd"), ("m6i.xlarge", "abcd"), ("c6i.xlarge", "abcd"), ("g4dn.xlarge", "d"), ("g5.xlarge", "bd")]);
        let wanted = candidates(&unplaced);
        let chosen = widest(&wanted, &zones("abcd"), &offers);
        assert_eq!(chosen, zones("abd"), "where most of them are");
        let offering = defaults(&unplaced, &wanted, &chosen, &offers);
        let names: Vec<&str> = offering.defaults.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["m6i.xlarge", "c6i.xlarge", "g4dn.xlarge", "g5.xlarge"]);
        assert_eq!(offering.left_out, ["r6i.xlarge", "g5.12xlarge"]);

        let placed = Cluster { zones: chosen, offering: Some(offering.clone()), ..unplaced };
        assert_eq!(defaults(&placed, &candidates(&placed), &placed.zones, &Offers::new()), offering, "whatever is offered now");
        let named = Cluster::example(json!({}));
        assert_eq!(defaults(&named, &candidates(&named), &named.zones, &offers), Offering::default());
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
        let offering = Offering { system: "m6i.large".into(), ..Offering::default() };
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
                placed.clone(),
                "None of the cluster's availability zones (us-west-2a, us-west-2b, us-west-2c) offers m6i.lrge (instead: m6i.large, \
                 m6i.xlarge); g5g.xlarge.",
                CHOSEN_BEFORE,
            ),
            (
                Cluster { zones: placed.zones.clone(), ..Cluster::example(json!({"subnet_ids": ["subnet-0000000a", "subnet-0000000b"]})) },
                "None of the availability zones of network.subnet_ids (us-west-2a, us-west-2b, us-west-2c) offers m6i.lrge (instead: m6i.large, \
                 m6i.xlarge); g5g.xlarge.",
                OTHER_SUBNETS,
            ),
        ] {
            let error = not_offered(&cluster, &cluster.zones, &["m6i.lrge", "g5g.xlarge"], &all);
            assert_eq!((error.reason.as_str(), error.hint.as_str()), (reason, hint));
        }
    }
}
