//! One thing that is wrong with a request, and where.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One thing that is wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fault {
    /// A JSON path, such as `$.instance_types[0].name`.
    pub path: String,
    /// What is wrong there, and what would be valid.
    pub message: String,
}

impl Fault {
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into() }
    }
}
