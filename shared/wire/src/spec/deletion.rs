//! What happens to the data of a managed cluster when it is deleted.
//!
//! Data is what is in the buckets, the volumes and snapshots of claims, and the control plane's log. It goes only if somebody said so.

use super::schema::IN_PLACE;
use super::{Fault, Section};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr};

/// What happens to the data when the cluster is deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Deletion {
    /// "keep" (the default) leaves what holds data in the account and lists it with how to remove it; "delete" removes it for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-change" = IN_PLACE))]
    pub data: Option<Data>,
    /// Of earlier versions, in place of data: "delete" is data "delete"; "retain" is data "keep", and keeps empty buckets too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-change" = IN_PLACE))]
    pub buckets: Option<BucketsAfter>,
}

/// What happens to the data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, EnumString, IntoStaticStr)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
#[strum(serialize_all = "lowercase")]
pub enum Data {
    #[default]
    Keep,
    Delete,
}

impl Data {
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// What happened to the buckets in earlier versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum BucketsAfter {
    Delete,
    Retain,
}

impl Deletion {
    /// Says about the data what was only meant. Earlier versions wrote `buckets: delete` into every record that said nothing, so what
    /// somebody asks for today must be stored in other words.
    pub(super) fn settle(&mut self) {
        match (self.data, self.buckets) {
            (None, None) => self.data = Some(Data::Keep),
            (None, Some(BucketsAfter::Delete)) => *self = Self { data: Some(Data::Delete), buckets: None },
            (Some(_), _) | (None, Some(BucketsAfter::Retain)) => {}
        }
    }
}

impl Section for Deletion {
    fn check(&self) -> Vec<Fault> {
        let both = self.data.is_some() && self.buckets.is_some();
        both.then(|| Fault::new("$.deletion.buckets", "not together with data, which says it all")).into_iter().collect()
    }
}
