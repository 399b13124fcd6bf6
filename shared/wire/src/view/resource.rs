//! A resource of a cluster with its state.

use crate::journal::{Entry, Outputs, State};
use crate::key::Key;
use crate::stage::Stage;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One resource of a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Resource {
    pub key: Key,
    /// Absent if only the journal knows the resource.
    #[serde(flatten)]
    pub planned: Option<Planned>,
    pub state: ResourceState,
    /// Absent if the resource is absent.
    #[serde(flatten)]
    pub seen: Option<Seen>,
}

/// What the plan says about a resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Planned {
    /// The stage that makes it.
    pub stage: Stage,
    /// The resources that must be ready before it.
    pub needs: Vec<Key>,
    /// How long AWS usually takes to make it.
    pub usual_seconds: u32,
}

/// What the journal says about a resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Seen {
    /// When the state was entered.
    pub since: Timestamp,
    /// Why it is broken, or what differs from the spec; null if there is nothing to say.
    pub note: Option<String>,
    /// What is known about it, such as `id`, `arn` or `name`.
    pub outputs: Outputs,
}

/// The state of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ResourceState {
    /// Not made yet, or gone.
    Absent,
    /// Its create was about to be called, and it has not been seen yet.
    Creating,
    /// Seen on AWS, on its way or half-made.
    Pending,
    Ready,
    Broken,
    /// Its delete was about to be called.
    Deleting,
}

impl Resource {
    /// A resource in the plan, with its journal entry if there is one.
    pub fn planned(key: Key, planned: Planned, entry: Option<&Entry>) -> Self {
        let state = entry.map_or(ResourceState::Absent, |entry| entry.state.into());
        let seen = entry.filter(|_| state != ResourceState::Absent).map(Seen::from);
        Self { key, planned: Some(planned), state, seen }
    }

    /// A resource that only the journal knows.
    pub fn unplanned(key: Key, entry: &Entry) -> Self {
        Self { key, planned: None, state: entry.state.into(), seen: Some(entry.into()) }
    }
}

impl From<&Entry> for Seen {
    fn from(entry: &Entry) -> Self {
        Self { since: entry.since, note: entry.note.clone(), outputs: entry.outputs.clone() }
    }
}

impl From<State> for ResourceState {
    fn from(state: State) -> Self {
        match state {
            State::Creating => ResourceState::Creating,
            State::Pending => ResourceState::Pending,
            State::Ready => ResourceState::Ready,
            State::Broken => ResourceState::Broken,
            State::Deleting => ResourceState::Deleting,
            State::Gone => ResourceState::Absent,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_resource_has_its_fields_as_ever() {
        let at: Timestamp = "2025-01-02T03:04:05.678901Z".parse().expect("a time");
        let ready = Entry { outputs: Outputs::from([("id".into(), "nat-1".into())]), ..Entry::new(State::Ready, 1, at) };
        let broken = Entry { note: Some("AWS gave up".into()), ..Entry::new(State::Broken, 1, at) };
        let gone = Entry::new(State::Gone, 1, at);
        let plan = Planned { stage: Stage::CreateEks, needs: vec![Key::ElasticIp(0)], usual_seconds: 105 };
        let planned = |entry| Resource::planned(Key::NatGateway(0), plan.clone(), entry);
        for (resource, shown, reason) in [
            (
                planned(None),
                json!({"key": "nat-gateway", "stage": "create-eks", "needs": ["elastic-ip"], "usual_seconds": 105, "state": "absent"}),
                "nothing is known of it yet",
            ),
            (
                planned(Some(&gone)),
                json!({"key": "nat-gateway", "stage": "create-eks", "needs": ["elastic-ip"], "usual_seconds": 105, "state": "absent"}),
                "what is gone is absent",
            ),
            (
                planned(Some(&ready)),
                json!({
                    "key": "nat-gateway", "stage": "create-eks", "needs": ["elastic-ip"], "usual_seconds": 105, "state": "ready",
                    "since": "2025-01-02T03:04:05.678901Z", "note": null, "outputs": {"id": "nat-1"}
                }),
                "a note is null where there is nothing to say",
            ),
            (
                Resource::unplanned(Key::Vpc, &broken),
                json!({"key": "vpc", "state": "broken", "since": "2025-01-02T03:04:05.678901Z", "note": "AWS gave up", "outputs": {}}),
                "outside the plan it has neither stage nor needs",
            ),
        ] {
            assert_eq!(json!(resource), shown, "{reason}");
            assert!(jsonschema::is_valid(&schemars::schema_for!(Resource).to_value(), &shown), "{reason}");
            assert_eq!(serde_json::from_value::<Resource>(shown).expect("a resource"), resource, "{reason}");
        }
    }

    #[test]
    fn a_state_is_shown_with_the_journals_word() {
        for state in [State::Creating, State::Pending, State::Ready, State::Broken, State::Deleting] {
            assert_eq!(json!(ResourceState::from(state)), json!(state));
        }
    }
}
