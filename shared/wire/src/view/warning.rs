//! What a person would regret about a cluster, and that is no fault.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a person would regret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Warning {
    /// The JSON path of the field that it is about, such as `$.public_access_cidrs`.
    pub path: String,
    /// What is so, and what can be done about it.
    pub message: String,
}

impl Warning {
    pub fn new(path: &str, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into() }
    }
}
