//! A resource that cannot be made, mended or removed.

use crate::error::{Code, Turn};
use crate::key::Key;
use crate::stage::Stage;
use crate::trouble;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What AWS says of a resource, and what that holds up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Trouble {
    pub key: Key,
    /// The stage that met it.
    pub stage: Stage,
    /// Who has to do something about it.
    pub turn: Turn,
    /// What went wrong, as a word: see docs/errors.md.
    pub code: Code,
    pub reason: String,
    /// What to do about it.
    pub hint: String,
    /// Since when in this run.
    pub since: Timestamp,
    /// When the run gave the resource up; null as long as it is tried again within a minute.
    pub given_up_at: Option<Timestamp>,
    /// The resources that wait for it.
    pub waiting: Vec<Key>,
    /// True if AWS charges for it as long as it is there.
    pub costs_money: bool,
}

impl Trouble {
    pub fn new(key: &Key, trouble: &trouble::Trouble, waiting: Vec<Key>) -> Self {
        let (code, reason, hint) = (trouble.code.clone(), trouble.reason.clone(), trouble.hint.clone());
        Self {
            key: key.clone(),
            stage: trouble.stage,
            turn: trouble.class.turn(),
            code,
            reason,
            hint,
            since: trouble.since,
            given_up_at: trouble.given_up_at,
            waiting,
            costs_money: key.costs_money(),
        }
    }
}
