//! The node groups: one for each instance type.

use super::ground::is_default;
use super::schema::{IN_PLACE, NEVER};
use super::{Fault, Section, Taint, labels};
use crate::instances;
use crate::key::Group;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The instance types of a managed cluster whose spec names none: for common work without GPUs and with one or four, and none that the
/// system's nodes could have.
pub const DEFAULTS: [&str; 6] = ["m6i.xlarge", "c6i.xlarge", "r6i.xlarge", "g4dn.xlarge", "g5.xlarge", "g5.12xlarge"];

/// How EC2 sells instances.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Capacity {
    #[default]
    OnDemand,
    Spot,
}

/// A node group of one instance type; of spot also with alternatives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct InstanceType {
    /// An EC2 instance type such as g4dn.xlarge.
    #[schemars(regex(pattern = r"^[a-z][a-z0-9-]*\.[a-z0-9-]+$"), length(max = 32), extend("x-change" = IN_PLACE))]
    pub name: String,
    /// Nodes that are kept running even when nothing asks for them, 0 to 450.
    #[serde(default)]
    #[schemars(range(max = 450), extend("x-change" = IN_PLACE))]
    pub overprovisioned_ondemand_count: u32,
    /// The most nodes that the group may have, 1 to 450 (AWS's default quota for a node group).
    #[serde(default = "default_max_count")]
    #[schemars(range(min = 1, max = 450), extend("x-change" = IN_PLACE))]
    pub max_count: u32,
    /// How EC2 sells the nodes: "on_demand" (the default), or "spot", which is cheaper and can be taken back two minutes after EC2 has said so;
    /// a type may stand once as each.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(extend("x-change" = IN_PLACE))]
    pub capacity: Capacity,
    /// With the capacity "spot": up to 5 other instance types, of the same architecture and number of GPUs, that a node may have instead, so that
    /// EC2 finds spot capacity more often.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 5),
        inner(regex(pattern = r"^[a-z][a-z0-9-]*\.[a-z0-9-]+$"), length(max = 32)),
        extend("uniqueItems" = true, "x-change" = NEVER)
    )]
    pub alternatives: Vec<String>,
    /// Labels of the nodes for Kubernetes, at most 30: each key is a name of at most 63 characters, with or without a domain of yours before
    /// it (example.com/team), each value 1 to 63 letters, digits and -_.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 30, "x-change" = IN_PLACE))]
    pub labels: BTreeMap<String, String>,
    /// Taints of the nodes for Kubernetes, at most 20, each key once for an effect. Nodes with GPUs also have nvidia.com/gpu=true:NoSchedule.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20), extend("x-change" = IN_PLACE))]
    pub taints: Vec<Taint>,
    /// The size of the disk for images, containers and their files, 20 to 16384 GiB. If absent: with mode managed 80, or 100 with GPUs; with
    /// mode self_managed 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u32", range(min = 20, max = 16384), extend("x-change" = NEVER))]
    pub disk_gib: Option<u32>,
}

fn default_max_count() -> u32 {
    10
}

impl InstanceType {
    /// On demand, and with the default for everything else.
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            overprovisioned_ondemand_count: 0,
            max_count: default_max_count(),
            capacity: Capacity::OnDemand,
            alternatives: vec![],
            labels: BTreeMap::new(),
            taints: vec![],
            disk_gib: None,
        }
    }

    /// The key of its node group.
    pub fn group(&self) -> Group {
        match self.capacity {
            Capacity::OnDemand => Group::InstanceType(self.name.clone()),
            Capacity::Spot => Group::Spot(self.name.clone()),
        }
    }

    /// All types that its nodes can have.
    pub fn types(&self) -> impl Iterator<Item = &str> {
        [&self.name].into_iter().chain(&self.alternatives).map(String::as_str)
    }
}

impl Section for Vec<InstanceType> {
    fn check(&self) -> Vec<Fault> {
        self.iter().enumerate().flat_map(|(index, wanted)| faults(index, wanted, &self[..index])).collect()
    }
}

fn faults(index: usize, wanted: &InstanceType, earlier: &[InstanceType]) -> Vec<Fault> {
    let at = |field: &str| format!("$.instance_types[{index}].{field}");
    let InstanceType { name, overprovisioned_ondemand_count: kept, max_count, capacity, alternatives, labels, taints, disk_gib: _ } =
        wanted;
    let mut faults = [labels::of_labels(&at("labels"), labels), labels::of_taints(&at("taints"), taints)].concat();
    if let Err(message) = instances::image(name) {
        faults.push(Fault::new(at("name"), message));
    }
    if kept > max_count {
        faults.push(Fault::new(at("overprovisioned_ondemand_count"), format!("{kept} is more than max_count ({max_count})")));
    }
    if earlier.iter().any(|earlier| (&earlier.name, earlier.capacity) == (name, *capacity)) {
        faults.push(Fault::new(at("name"), format!("{name} is listed twice")));
    }
    if *capacity == Capacity::OnDemand && !alternatives.is_empty() {
        faults.push(Fault::new(at("alternatives"), "only with capacity spot: list each type that you want on demand by itself"));
    }
    let others = alternatives.iter().enumerate();
    faults
        .extend(others.filter_map(|(index, other)| Some(Fault::new(at(&format!("alternatives[{index}]")), of_alternative(name, other)?))));
    faults
}

/// Why a node group of the one type cannot have nodes of the other: it has one image. How many GPUs they have only EC2 knows.
fn of_alternative(name: &str, other: &str) -> Option<String> {
    if other == name {
        return Some(format!("{other} is listed twice"));
    }
    match (instances::image(name), instances::image(other)) {
        (_, Err(message)) => Some(message),
        (Ok(image), Ok(another)) if image != another => {
            Some(format!("{other} needs another node image than {name}: choose one of the same architecture, with GPUs if it has some"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_of_every_instance_type_is_named() {
        let of = |name: &str, kept, max| InstanceType { overprovisioned_ondemand_count: kept, max_count: max, ..InstanceType::named(name) };
        let wanted = vec![of("g4dn.xlarge", 3, 2), of("g4dn.xlarge", 2, 2), of("g4ad.xlarge", 0, 10)];
        let found: Vec<(String, String)> = wanted.check().into_iter().map(|fault| (fault.path, fault.message)).collect();
        let expected = [
            ("$.instance_types[0].overprovisioned_ondemand_count", "3 is more than max_count (2)"),
            ("$.instance_types[1].name", "g4dn.xlarge is listed twice"),
            ("$.instance_types[2].name", "g4ad has AMD GPUs; EKS has images for NVIDIA GPUs only: choose g4dn, g5 or g6"),
        ];
        assert_eq!(found, expected.map(|(path, message)| (path.to_owned(), message.to_owned())));
    }

    #[test]
    fn a_type_may_stand_once_on_demand_and_once_as_spot() {
        let of = |capacity| InstanceType { capacity, ..InstanceType::named("g5.xlarge") };
        let once = vec![of(Capacity::OnDemand), of(Capacity::Spot)];
        assert_eq!((once.check(), once[0].group(), once[1].group()), (vec![], "g5.xlarge".into(), "spot/g5.xlarge".into()));
        let twice = vec![of(Capacity::Spot), of(Capacity::Spot)];
        assert_eq!(twice.check(), [Fault::new("$.instance_types[1].name", "g5.xlarge is listed twice")]);
    }

    #[test]
    fn alternatives_are_for_spot_and_run_the_same_image() {
        for (other, words) in [
            ("g4dn.xlarge", ""),
            ("g5.xlarge", "is listed twice"),
            ("m6i.large", "needs another node image"),
            ("g5g.xlarge", "needs another node image"),
            ("p2.xlarge", "does not support any more"),
        ] {
            let found = of_alternative("g5.xlarge", other).unwrap_or_default();
            assert!(found.contains(words) && found.is_empty() == words.is_empty(), "{other}: {found}");
        }
    }

    #[test]
    fn the_defaults_are_valid_and_what_no_field_says_is_as_the_schema_says() {
        let all: Vec<InstanceType> = DEFAULTS.iter().map(|name| InstanceType::named(name)).collect();
        assert_eq!(all.check(), []);
        let read: Vec<InstanceType> =
            DEFAULTS.iter().map(|name| serde_json::from_value(serde_json::json!({"name": name})).expect("a type")).collect();
        assert_eq!(read, all);
        let schema = schemars::schema_for!(crate::spec::Spec).to_value().to_string();
        assert!(schema.contains(&DEFAULTS.join(", ")), "the rule names them");
    }
}
