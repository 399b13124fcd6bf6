//! Makes what is absent, and sets right what is otherwise.

use crate::error::{Cause, Doing, Error, Result};
use crate::{Facts, MANAGER, Object, Seen, State, autoscaler, credentials, look};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, DeleteParams, Patch, PatchParams};
use kube::{Client, ResourceExt};
use serde::Serialize;
use serde_json::json;
use wire::place::AUTOSCALER_NAMESPACE;

/// An object with what was done about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Applied {
    pub object: Object,
    pub done: Done,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "done", rename_all = "snake_case")]
pub enum Done {
    Made,
    Changed {
        fields: Vec<String>,
    },
    /// Deleted and made anew, because these fields cannot change.
    Replaced {
        fields: Vec<String>,
    },
    /// It was as it should be.
    Kept,
    /// It was as it should be, and is on its way to work.
    Starting,
    /// It was as it should be, and does not work: why.
    Sick {
        reason: String,
    },
    /// Its pod, which had no credentials of AWS, was deleted: the next one gets them.
    Restarted,
    /// Not ours.
    LeftOut {
        whose: String,
    },
    /// Of a cluster with another id.
    OfAnother {
        cluster: String,
    },
    /// Its pod would get no credentials of AWS, now or ever.
    WithoutRole,
    /// This one was refused; the others went on.
    Refused(Error),
}

/// Applies each object that is not as it should be. Whatever happens, it can be done again.
///
/// # Errors
/// Nothing can be done at all: the API server does not answer, or does not know us.
pub async fn apply(client: &Client, facts: &Facts) -> Result<Vec<Applied>> {
    let mut applied = vec![];
    for Seen { object, state } in look(client, facts).await? {
        let done = match set_right(client, &object, state).await {
            Err(error) if error.cause.is_of_all() => return Err(error),
            Err(error) => Done::Refused(error),
            Ok(done) => done,
        };
        applied.push(Applied { object, done });
    }
    Ok(applied)
}

async fn set_right(client: &Client, object: &Object, state: State) -> Result<Done> {
    match state {
        State::Ready => Ok(Done::Kept),
        State::Starting => Ok(Done::Starting),
        State::Sick { reason } => heal(client, object, reason).await,
        State::Foreign { whose } => Ok(Done::LeftOut { whose }),
        State::OfAnother { cluster } => Ok(Done::OfAnother { cluster }),
        State::Released => replace(client, object).await.map(|()| Done::Replaced { fields: vec!["spec.claimRef".into()] }),
        State::Absent | State::Drifted { .. } if !gets_its_credentials(client, object).await? => Ok(Done::WithoutRole),
        // Without force: who made it in the meantime has it.
        State::Absent => send(client, object, &PatchParams::apply(MANAGER)).await.map(|()| Done::Made),
        State::Drifted { fields } => match send(client, object, &PatchParams::apply(MANAGER).force()).await {
            Err(error) if error.cause == Cause::Invalid && may_be_replaced(object) => {
                replace(client, object).await.map(|()| Done::Replaced { fields })
            }
            sent => sent.map(|()| Done::Changed { fields }),
        },
    }
}

/// What has no pods, or none that need AWS, does.
async fn gets_its_credentials(client: &Client, object: &Object) -> Result<bool> {
    match object.pod() {
        Some(pod) => credentials::would_be_given(client, AUTOSCALER_NAMESPACE, pod).await,
        None => Ok(true),
    }
}

/// A pod from before its role never gets any credentials, and fails again and again.
async fn heal(client: &Client, object: &Object, reason: String) -> Result<Done> {
    if object.pod().is_none() || !gets_its_credentials(client, object).await? {
        return Ok(Done::Sick { reason });
    }
    let pods = autoscaler::pods(client).await?;
    let without: Vec<&Pod> = pods.iter().filter(|pod| !credentials::are_in(&json!(pod))).collect();
    for pod in &without {
        let api = Api::<Pod>::namespaced(client.clone(), AUTOSCALER_NAMESPACE);
        api.delete(&pod.name_any(), &DeleteParams::default()).await.map(drop).doing("restart the autoscaler's pod")?;
    }
    Ok(if without.is_empty() { Done::Sick { reason } } else { Done::Restarted })
}

async fn send(client: &Client, object: &Object, params: &PatchParams) -> Result<()> {
    let sent = object.api(client).patch(object.name(), params, &Patch::Apply(object.wanted())).await;
    sent.map(drop).doing(format_args!("apply the {object}"))
}

/// What has fields that never change, and is missed by nobody for a moment. Volumes do not need the class that they were made by, and running
/// pods do not need their bindings; the autoscaler starts again. A namespace takes everything with it and is never deleted.
fn may_be_replaced(object: &Object) -> bool {
    matches!(object.kind(), "StorageClass" | "ClusterRoleBinding" | "RoleBinding" | "Deployment")
}

async fn replace(client: &Client, object: &Object) -> Result<()> {
    object.api(client).delete(object.name(), &DeleteParams::default()).await.map(drop).doing(format_args!("replace the {object}"))?;
    send(client, object, &PatchParams::apply(MANAGER)).await
}
