//! A cluster's events: who did what, when, to what, from where. The log that a tenant reads.

use crate::journal::State;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{Display, EnumString};

/// One thing that happened to a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    pub at: Timestamp,
    /// Who did it: `tenant:<subject of the token>`, `queue:<sender>`, `stage:create-eks`, `sweep`.
    pub actor: String,
    pub action: Action,
    /// What it was done to: a resource's key, a stage, what was requested, or the cluster's status.
    pub target: String,
    /// More about it; may be empty.
    pub message: String,
    /// Where a request came from: an address, or the queue's sender.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
}

impl Event {
    pub fn new(at: Timestamp, actor: impl Into<String>, action: Action, target: impl Into<String>, message: impl Into<String>) -> Self {
        Self { at, actor: actor.into(), action, target: target.into(), message: message.into(), from: None }
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, Display, EnumString)]
#[serde(from = "String", into = "String")]
#[schemars(with = "String")]
#[strum(serialize_all = "lowercase")]
pub enum Action {
    /// A tenant asked for something, and it was accepted.
    Requested,
    /// A stage is done.
    Finished,
    /// A stage, or a resource of it, met an error that usually passes; it is tried again within seconds.
    Retrying,
    /// A stage, or a resource of it, cannot go on in this run; everything that does not need it goes on.
    Stuck,
    /// A run stopped, keeping what exists.
    Parked,
    /// Groundwork began a new run by itself.
    Retried,
    /// The cluster was given up.
    Forgotten,
    /// The create of a resource is about to be called.
    Creating,
    /// A resource was seen on AWS, on its way or half-made.
    Pending,
    /// A resource is ready.
    Ready,
    /// AWS gave up on a resource.
    Broken,
    /// The delete of a resource is about to be called.
    Deleting,
    /// A resource is gone.
    Gone,
    /// AWS refused the create of a resource, so it had no effect.
    Refused,
    /// Written by another version of Groundwork, and unknown to this one.
    #[strum(default, transparent)]
    Unknown(String),
}

impl Action {
    /// What it says about a resource; none if it is not about one.
    pub fn of_resource(&self) -> Option<&'static str> {
        match self {
            Action::Creating => Some("Groundwork is about to create it."),
            Action::Pending => Some("AWS shows it, and it is not ready yet."),
            Action::Ready => Some("It is ready."),
            Action::Broken => Some("AWS gave up on it."),
            Action::Deleting => Some("Groundwork is about to delete it."),
            Action::Gone => Some("AWS shows it no more."),
            Action::Refused => Some("AWS refused to create it, so nothing was made."),
            Action::Requested | Action::Finished | Action::Retrying | Action::Stuck => None,
            Action::Parked | Action::Retried | Action::Forgotten | Action::Unknown(_) => None,
        }
    }
}

impl From<State> for Action {
    fn from(state: State) -> Self {
        match state {
            State::Creating => Action::Creating,
            State::Pending => Action::Pending,
            State::Ready => Action::Ready,
            State::Broken => Action::Broken,
            State::Deleting => Action::Deleting,
            State::Gone => Action::Gone,
        }
    }
}

impl From<String> for Action {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl From<Action> for String {
    fn from(action: Action) -> Self {
        action.to_string()
    }
}

/// With the full stop that AWS's messages often lack, so that another sentence can follow.
pub fn sentence(text: &str) -> String {
    let ends = text.ends_with(['.', '!', '?', '…']);
    if ends { text.to_owned() } else { format!("{text}.") }
}

/// An event and its id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Listed {
    /// Sortable and unique within the cluster.
    pub id: String,
    #[serde(flatten)]
    pub event: Event,
}

/// The answer of `GET /clusters/{name}/logs`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Page {
    /// Oldest first.
    pub events: Vec<Listed>,
    /// The cursor for `after`, which returns what happened since: the id of the last event so far.
    pub next: String,
}

impl Page {
    /// The events after a cursor.
    pub fn new(events: Vec<Listed>, after: &str) -> Self {
        let next = events.last().map_or(after, |event| event.id.as_str()).to_owned();
        Self { events, next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn at() -> Timestamp {
        "2025-01-02T03:04:05.678901Z".parse().expect("a time")
    }

    #[test]
    fn every_action_is_read_and_written_with_the_same_text() {
        for text in [
            "requested",
            "finished",
            "retrying",
            "stuck",
            "parked",
            "retried",
            "forgotten",
            "creating",
            "pending",
            "ready",
            "broken",
            "deleting",
            "gone",
            "refused",
        ] {
            let action = Action::from(text);
            assert!(!matches!(action, Action::Unknown(_)), "{text}");
            assert_eq!(json!(action), text);
        }
    }

    #[test]
    fn a_sentence_ends() {
        for (text, expected) in
            [("It is gone.", "It is gone."), ("Error in role params", "Error in role params."), ("Too long…", "Too long…")]
        {
            assert_eq!(sentence(text), expected);
        }
    }

    #[test]
    fn an_action_of_another_version_keeps_its_text() {
        for text in ["hibernated", "stumbled", "Ready", ""] {
            let action: Action = serde_json::from_value(json!(text)).expect("any text");
            assert_eq!((&action, json!(action)), (&Action::Unknown(text.into()), json!(text)));
        }
    }

    #[test]
    fn a_journal_state_has_the_same_word_as_its_event() {
        for state in [State::Creating, State::Pending, State::Ready, State::Broken, State::Deleting, State::Gone] {
            assert_eq!(json!(Action::from(state)), json!(state));
        }
    }

    #[test]
    fn an_event_is_stored_as_ever() {
        let event = Event::new(at(), "stage:create-eks", Action::Ready, "vpc", "");
        let asked = Event { from: Some("203.0.113.9".into()), ..Event::new(at(), "tenant:a", Action::Requested, "create", "queued") };
        for (event, row) in [
            (
                event,
                json!({
                    "at": "2025-01-02T03:04:05.678901Z", "actor": "stage:create-eks", "action": "ready", "target": "vpc",
                    "message": ""
                }),
            ),
            (
                asked,
                json!({
                    "at": "2025-01-02T03:04:05.678901Z", "actor": "tenant:a", "action": "requested", "target": "create",
                    "message": "queued", "from": "203.0.113.9"
                }),
            ),
        ] {
            assert_eq!(json!(event), row);
            let mut stored = row;
            stored["expires_at"] = json!(1);
            assert_eq!(serde_json::from_value::<Event>(stored).expect("an event"), event);
        }
    }

    #[test]
    fn a_page_has_the_cursor_of_the_next() {
        let event = Event::new(at(), "sweep", Action::Parked, "failed", "why");
        let page = Page::new(vec![Listed { id: "2".into(), event }], "1");
        let listed = json!({
            "id": "2", "at": "2025-01-02T03:04:05.678901Z", "actor": "sweep", "action": "parked", "target": "failed", "message": "why"
        });
        assert_eq!(json!(page), json!({"events": [listed], "next": "2"}));
        assert_eq!(json!(Page::new(vec![], "1")), json!({"events": [], "next": "1"}));
    }
}
