//! The journal's entry for one resource: what was intended, and what came of it.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What others need to know about a resource: `id`, `arn`, `name`, `endpoint`.
pub type Outputs = BTreeMap<String, String>;

/// How far a resource is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Its create was about to be called, and it has not been seen yet.
    Creating,
    /// Seen on AWS, on its way or half-made.
    Pending,
    Ready,
    Broken,
    /// Its delete was about to be called.
    Deleting,
    /// Seen to be absent going down.
    Gone,
}

/// What the journal holds about one resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Entry {
    pub state: State,
    /// When the state was entered.
    pub since: Timestamp,
    /// The run (execution of a request) that wrote the entry.
    pub run: u64,
    #[serde(default)]
    pub outputs: Outputs,
    /// Why it is broken, or what differs from the spec.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Entry {
    pub fn new(state: State, run: u64, since: Timestamp) -> Self {
        Self { state, since, run, outputs: Outputs::new(), note: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_entry_is_stored_as_ever() {
        let since: Timestamp = "2025-01-02T03:04:05.678901Z".parse().expect("a time");
        let bare = Entry::new(State::Creating, 3, since);
        let whole = Entry {
            outputs: Outputs::from([("id".into(), "vpc-1".into())]),
            note: Some("AWS gave up".into()),
            ..Entry::new(State::Broken, 3, since)
        };
        for (entry, row) in [
            (bare, json!({"state": "creating", "since": "2025-01-02T03:04:05.678901Z", "run": 3, "outputs": {}})),
            (
                whole,
                json!({
                    "state": "broken", "since": "2025-01-02T03:04:05.678901Z", "run": 3, "outputs": {"id": "vpc-1"},
                    "note": "AWS gave up"
                }),
            ),
        ] {
            assert_eq!(json!(entry), row);
            assert_eq!(serde_json::from_value::<Entry>(row).expect("an entry"), entry);
        }
    }

    #[test]
    fn every_state_has_its_word() {
        let states = [State::Creating, State::Pending, State::Ready, State::Broken, State::Deleting, State::Gone];
        assert_eq!(json!(states), json!(["creating", "pending", "ready", "broken", "deleting", "gone"]));
    }
}
