//! The buckets that Groundwork makes.

use super::schema::{IN_PLACE, NEVER};
use super::{Fault, Section};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A bucket of the cluster, as an object with its purpose; names of buckets of your own belong to the mode self_managed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Bucket {
    /// 1-30 lower-case letters, digits and hyphens, a letter or digit at both ends, each purpose once. The bucket's name ends in it.
    #[schemars(regex(pattern = r"^[a-z0-9]([a-z0-9-]{0,28}[a-z0-9])?$"), extend("x-change" = NEVER))]
    pub purpose: String,
    /// After how many days objects are deleted, 1 to 3650; if absent, never. What is deleted or written over is an old version from then on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 3650), extend("x-change" = IN_PLACE))]
    pub expire_days: Option<u16>,
    /// After how many days old versions are removed for good, 1 to 3650; if absent, after 30 or what a rule of yours says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 3650), extend("x-change" = IN_PLACE))]
    pub old_versions_days: Option<u16>,
}

/// What a cluster has for which nobody says otherwise.
pub(super) fn usual() -> Vec<Bucket> {
    ["artifacts", "checkpoints", "logs"].map(|purpose| Bucket { purpose: purpose.into(), ..Bucket::default() }).into()
}

impl Section for Option<Vec<Bucket>> {
    fn check(&self) -> Vec<Fault> {
        let buckets = self.as_deref().unwrap_or_default();
        let is_twin = |index: &usize| buckets[..*index].iter().any(|earlier| earlier.purpose == buckets[*index].purpose);
        let twins = (0..buckets.len()).filter(is_twin);
        twins
            .map(|index| Fault::new(format!("$.buckets[{index}].purpose"), format!("{} is listed twice", buckets[index].purpose)))
            .collect()
    }
}
