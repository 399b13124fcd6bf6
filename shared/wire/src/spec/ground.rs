//! What a cluster stands on: everything made by Groundwork, or the customer's own cluster and buckets.

use super::schema::IN_PLACE;
use super::{Access, Bucket, Deletion, Encryption, Kubernetes, Mode, Network, PerformanceProfile, SelfManaged, buckets};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Who makes the cluster and its buckets, with the fields for that case. On the wire they are flat, beside `mode`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "mode", rename_all = "snake_case", try_from = "Map<String, Value>")]
#[schemars(!try_from)]
pub enum Ground {
    Managed(Managed),
    SelfManaged(SelfManaged),
}

/// Groundwork makes everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct Managed {
    // Written out, so that a cluster keeps what it was made as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "PerformanceProfile", extend("x-change" = IN_PLACE))]
    pub performance_profile: Option<PerformanceProfile>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub network: Network,
    #[serde(default, skip_serializing_if = "is_default")]
    pub access: Access,
    #[serde(default, skip_serializing_if = "is_default")]
    pub kubernetes: Kubernetes,
    #[serde(default, skip_serializing_if = "is_default")]
    pub encryption: Encryption,
    /// Up to 10 buckets that are made; if absent, artifacts, checkpoints and logs.
    // Written out for the same reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Vec<Bucket>", length(max = 10), extend("x-change" = IN_PLACE))]
    pub buckets: Option<Vec<Bucket>>,
    // Shown even if absent, with what it comes to: what happens to the data should surprise nobody.
    #[serde(default)]
    pub deletion: Deletion,
}

/// What nobody asked for is not written, as versions before did not.
pub(super) fn is_default<T: Default + PartialEq>(section: &T) -> bool {
    *section == T::default()
}

impl Managed {
    /// Writes out what counts where nothing was said, so that another version's default changes nothing.
    pub(super) fn settle(&mut self) {
        self.performance_profile.get_or_insert_default();
        self.network.settle();
        self.kubernetes.settle();
        self.buckets.get_or_insert_with(buckets::usual);
        self.deletion.settle();
    }
}

/// serde's tagged enums have no default for the tag; without a mode, the managed one is meant.
impl TryFrom<Map<String, Value>> for Ground {
    type Error = serde_json::Error;

    fn try_from(mut fields: Map<String, Value>) -> Result<Self, Self::Error> {
        let mode = fields.remove("mode").map(serde_json::from_value::<Mode>).transpose()?.unwrap_or_default();
        match mode {
            Mode::Managed => serde_json::from_value(fields.into()).map(Ground::Managed),
            Mode::SelfManaged => serde_json::from_value(fields.into()).map(Ground::SelfManaged),
        }
    }
}
