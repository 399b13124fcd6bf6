//! What happens to the data of a managed cluster.

use super::{Fault, Section};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What happens to the data when the cluster is deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Deletion {
    /// "delete" empties and removes the buckets, "retain" keeps them.
    #[serde(default)]
    pub buckets: BucketsAfter,
}

/// What happens to the buckets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum BucketsAfter {
    #[default]
    Delete,
    Retain,
}

impl Section for Deletion {
    /// The schema says everything.
    fn check(&self) -> Vec<Fault> {
        vec![]
    }
}
