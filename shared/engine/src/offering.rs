//! Which of a cluster's zones offer what its nodes are.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the system's own pods can run on, the best first. Each is enough for coredns and the CSI controllers; everything else runs on the
/// tenant's nodes.
pub const SYSTEM_TYPES: [&str; 4] = ["t3.medium", "t3a.medium", "m6i.large", "m7i.large"];

/// As EC2 last said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offering {
    /// The one of [`SYSTEM_TYPES`] that the cluster has.
    pub system: String,
    /// Instance type → the names of the cluster's zones that offer it.
    pub zones: BTreeMap<String, Vec<String>>,
}
