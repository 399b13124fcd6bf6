//! Whether a role would do for a cluster.

use crate::error::{Code, Turn};
use crate::view::Warning;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The answer of `GET /onboarding/check`. Nothing is made, and the role is not claimed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RoleCheck {
    pub role_arn: String,
    /// The region that was tried.
    pub region: String,
    /// True if a cluster could be created with the role now.
    pub works: bool,
    /// Everything that keeps it from working, trust first; empty if it works.
    pub faults: Vec<RoleFault>,
    /// What a person should know although it works.
    pub warnings: Vec<Warning>,
}

/// One thing that keeps a role from working.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RoleFault {
    pub code: Code,
    pub reason: String,
    pub hint: String,
    /// Who has to do something.
    pub turn: Turn,
}
