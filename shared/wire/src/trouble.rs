//! What a run cannot do, and why.

use crate::error::{Class, Code};
use crate::stage::Stage;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Why one resource cannot be made, mended or removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// The stage that met it.
    pub stage: Stage,
    pub class: Class,
    pub code: Code,
    pub reason: String,
    pub hint: String,
    /// Since when in this run.
    pub since: Timestamp,
    /// When the run gave the resource up; until then it is tried again within a minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_up_at: Option<Timestamp>,
}
