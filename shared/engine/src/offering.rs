//! Which of a cluster's zones offer what its nodes are.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use wire::spec::{InstanceType, Spec};

/// What the system's own pods can run on, the best first. Each is enough for coredns and the CSI controllers; everything else runs on the
/// tenant's nodes.
pub const SYSTEM_TYPES: [&str; 4] = ["t3.medium", "t3a.medium", "m6i.large", "m7i.large"];

/// As EC2 last said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offering {
    /// The one of [`SYSTEM_TYPES`] that the cluster has.
    pub system: String,
    /// Instance type → the names of the cluster's zones that offer it.
    pub zones: BTreeMap<String, Vec<String>>,
    /// What the cluster's nodes can be if its spec does not say: chosen once, so that another version's defaults change nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub defaults: Vec<InstanceType>,
    /// The defaults that none of the zones offered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
}

/// The instance types of a cluster's node groups, the system's not counted: those of the spec, or in a cluster of ours whose spec names none the
/// defaults of when its zones were chosen.
pub fn wanted<'a>(spec: &'a Spec, offering: Option<&'a Offering>) -> &'a [InstanceType] {
    match offering {
        Some(offering) if spec.instance_types.is_empty() => &offering.defaults,
        _ => &spec.instance_types,
    }
}
