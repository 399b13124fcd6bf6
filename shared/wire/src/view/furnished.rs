//! Whether a cluster has inside what every cluster has.

use crate::error::Code;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Why a cluster runs without what every cluster has inside, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Unfurnished {
    pub code: Code,
    pub reason: String,
    pub hint: String,
}
