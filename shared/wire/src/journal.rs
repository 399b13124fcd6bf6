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

/// The note of what a deletion leaves where it is.
pub const KEPT: &str = "There is data in it, so the deletion keeps it.";

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

    /// True if a deletion in that run is done with the resource: it is gone, or it was seen there and stays because of the data in it.
    pub fn is_removed_or_kept(&self, run: u64) -> bool {
        match self.state {
            State::Gone => true,
            State::Ready => self.run == run && self.note.as_deref() == Some(KEPT),
            State::Creating | State::Pending | State::Broken | State::Deleting => false,
        }
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
    fn a_deletion_is_done_with_what_is_gone_and_with_what_it_saw_and_left() {
        for (state, run, note, done, reason) in [
            (State::Gone, 1, None, true, "gone in an earlier run"),
            (State::Ready, 2, Some(KEPT), true, "seen in this run, and left"),
            (State::Ready, 1, Some(KEPT), false, "left by an earlier run"),
            (State::Ready, 2, None, false, "made"),
            (State::Deleting, 2, Some(KEPT), false, "asked to go"),
        ] {
            let entry = Entry { note: note.map(str::to_owned), ..Entry::new(state, run, Timestamp::UNIX_EPOCH) };
            assert_eq!(entry.is_removed_or_kept(2), done, "{reason}");
        }
    }

    #[test]
    fn every_state_has_its_word() {
        let states = [State::Creating, State::Pending, State::Ready, State::Broken, State::Deleting, State::Gone];
        assert_eq!(json!(states), json!(["creating", "pending", "ready", "broken", "deleting", "gone"]));
    }
}
