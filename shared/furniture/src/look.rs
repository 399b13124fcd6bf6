//! What of it is there.

use crate::difference::differences;
use crate::error::{Doing, Result};
use crate::{Facts, Object, Server, autoscaler, mounts, objects, place, storage};
use kube::Client;
use serde_json::{Value, json};
use wire::place::{NAMESPACE, SERVICE_ACCOUNT};

/// An object with how it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    pub object: Object,
    pub state: State,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    Absent,
    /// As it should be.
    Ready,
    /// Somebody changed it, or what we want of it changed.
    Drifted {
        fields: Vec<String>,
    },
    /// Its claim is gone, and no other gets it.
    Released,
    /// Not ours: whose it is, as a sentence.
    Foreign {
        whose: String,
    },
    /// Of a cluster with another id, which may have been deleted since.
    OfAnother {
        cluster: String,
    },
    /// As we want it, and on its way to work.
    Starting,
    /// As we want it, and yet it does not work: why, as a sentence.
    Sick {
        reason: String,
    },
}

/// Looks at each object, in the order in which they are made.
///
/// # Errors
/// The API server does not answer, or does not let us look.
pub async fn look(client: &Client, facts: &Facts) -> Result<Vec<Seen>> {
    let server = Server::ask(client, facts).await?;
    let mut seen = vec![];
    for object in objects(facts, &server) {
        let state = state(client, &object).await?;
        seen.push(Seen { object, state });
    }
    Ok(without_what_is_in_a_foreign_namespace(seen))
}

async fn state(client: &Client, object: &Object) -> Result<State> {
    let found = object.api(client).get_opt(object.name()).await.doing(format_args!("look at the {object}"))?;
    let Some(found) = found else { return Ok(State::Absent) };
    let found = json!(found);
    Ok(match judge(object, &found) {
        State::Ready => health(client, object, &found).await?,
        other => other,
    })
}

/// An object that exists.
fn judge(object: &Object, found: &Value) -> State {
    match found["metadata"]["labels"][crate::CLUSTER_LABEL].as_str() {
        None => return State::Foreign { whose: "It was there before, and Groundwork did not make it.".into() },
        Some(other) if Some(other) != object.cluster() => return State::OfAnother { cluster: other.into() },
        Some(_) => {}
    }
    if found["metadata"].get("deletionTimestamp").is_some() {
        return State::Sick { reason: "It is being deleted.".into() };
    }
    if mounts::is_released(found) {
        return State::Released;
    }
    match differences(object.wanted(), found) {
        fields if fields.is_empty() => State::Ready,
        fields => State::Drifted { fields },
    }
}

/// What we would put there would change what the owner's pods may do.
fn without_what_is_in_a_foreign_namespace(mut seen: Vec<Seen>) -> Vec<Seen> {
    let is_foreign = |state: &State| matches!(state, State::Foreign { .. } | State::OfAnother { .. });
    if seen.iter().any(|seen| seen.object.is_the_namespace() && is_foreign(&seen.state)) {
        let inside = seen.iter_mut().filter(|seen| seen.object.namespace() == Some(NAMESPACE));
        inside.for_each(|seen| seen.state = State::Foreign { whose: format!("Its namespace {NAMESPACE} is another's.") });
    }
    seen
}

/// Of what is as it should be: whether it has what it needs of others.
async fn health(client: &Client, object: &Object, found: &Value) -> Result<State> {
    let trouble = match (object.kind(), object.name()) {
        ("Deployment", _) => return of_its_pod(client, found).await,
        ("StorageClass", _) => storage::trouble(client).await?,
        ("ServiceAccount", SERVICE_ACCOUNT) => place::trouble(client).await?,
        _ => None,
    };
    Ok(trouble.map_or(State::Ready, |reason| State::Sick { reason }))
}

/// Whether the deployment's pod runs, and if not, what the pod says.
async fn of_its_pod(client: &Client, deployment: &Value) -> Result<State> {
    if is_available(deployment) {
        return Ok(State::Ready);
    }
    let of_pods = autoscaler::pods(client).await?.iter().find_map(|pod| trouble_of(&json!(pod)));
    let reason = of_pods.or_else(|| message(deployment, "ReplicaFailure", "True"));
    Ok(reason.map_or(State::Starting, |reason| State::Sick { reason }))
}

/// What the controller says of an older version of it does not count.
fn is_available(deployment: &Value) -> bool {
    let (seen, current) = (deployment["status"]["observedGeneration"].as_i64(), deployment["metadata"]["generation"].as_i64());
    seen >= current && condition(deployment, "Available", "True").is_some()
}

fn condition<'a>(object: &'a Value, kind: &str, status: &str) -> Option<&'a Value> {
    object["status"]["conditions"].as_array()?.iter().find(|condition| condition["type"] == kind && condition["status"] == status)
}

fn message(object: &Value, kind: &str, status: &str) -> Option<String> {
    condition(object, kind, status)?["message"].as_str().map(str::to_owned)
}

/// Why a pod does not run: it has no node, its image cannot be had, or it ends again and again.
fn trouble_of(pod: &Value) -> Option<String> {
    if let Some(said) = message(pod, "PodScheduled", "False") {
        return Some(format!("No node takes its pod: {said}"));
    }
    let containers = pod["status"]["containerStatuses"].as_array()?;
    let waiting = containers.iter().map(|container| &container["state"]["waiting"]).find(|waiting| waiting.is_object())?;
    if waiting["reason"] == "ContainerCreating" {
        return None;
    }
    let ended = containers.iter().find_map(|container| container["lastState"]["terminated"]["message"].as_str());
    let reason = waiting["reason"].as_str().unwrap_or("waiting");
    let said = ended.or(waiting["message"].as_str()).unwrap_or_default().trim();
    Some(format!("Its pod does not run ({reason}): {said}").trim_end_matches([' ', ':']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_says_why_it_does_not_run() {
        let waiting = |waiting: Value| json!({"status": {"containerStatuses": [{"state": {"waiting": waiting}}]}});
        for (pod, told) in [
            (
                json!({"status": {"conditions": [{"type": "PodScheduled", "status": "False", "message": "0/1 nodes are available"}]}}),
                Some("No node takes its pod: 0/1 nodes are available"),
            ),
            (
                waiting(json!({"reason": "ImagePullBackOff", "message": "Back-off pulling"})),
                Some("Its pod does not run (ImagePullBackOff): Back-off pulling"),
            ),
            (
                json!({"status": {"containerStatuses": [{
                    "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s restarting failed container"}},
                    "lastState": {"terminated": {"message": "AccessDenied\n"}}
                }]}}),
                Some("Its pod does not run (CrashLoopBackOff): AccessDenied"),
            ),
            (waiting(json!({"reason": "ContainerCreating"})), None),
            (json!({"status": {"containerStatuses": [{"state": {"running": {}}}]}}), None),
        ] {
            assert_eq!(trouble_of(&pod).as_deref(), told);
        }
    }

    #[test]
    fn only_what_the_controller_says_of_the_newest_version_counts() {
        let deployment = |generation: u32, status: &str| json!({"metadata": {"generation": generation}, "status": {"observedGeneration": 2, "conditions": [{"type": "Available", "status": status}]}});
        for (deployment, available) in [(deployment(2, "True"), true), (deployment(3, "True"), false), (deployment(2, "False"), false)] {
            assert_eq!(is_available(&deployment), available, "{deployment}");
        }
        assert!(!is_available(&json!({"metadata": {"generation": 1}})), "nobody has looked at it yet");
    }
}
