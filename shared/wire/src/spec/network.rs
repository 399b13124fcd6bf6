//! Where a cluster's nodes are.

use super::schema::NEVER;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where the nodes of a customer's own cluster are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub struct Subnets {
    /// 1 to 20 subnets for the nodes, such as subnet-0123456789abcdef0; if absent, the cluster's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 20), extend("x-change" = NEVER), inner(regex(pattern = r"^subnet-[0-9a-f]{8,17}$")))]
    pub subnet_ids: Vec<String>,
}
