//! How far the current run of a cluster is.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How far the current run is, or how far the last one got.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Progress {
    /// The service's time as it answered. All of an answer's times are of the service's clock, so their distance from now is told by this.
    pub at: Timestamp,
    /// How many resources are as the run wants them: ready going up, gone or kept going down.
    pub ready: u32,
    /// How many resources the run is about; 0 until that is known.
    pub total: u32,
    /// How long the run has been at work; 0 until its first stage begins.
    pub seconds_elapsed: u64,
    /// How much longer it usually takes from here; null if nothing is going on, or nothing is known yet.
    pub seconds_expected: Option<u64>,
}
