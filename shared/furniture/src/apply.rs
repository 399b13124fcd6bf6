//! Makes what is absent, and sets right what is otherwise.

use crate::error::{Cause, Doing, Error, Result};
use crate::{Facts, MANAGER, Object, Seen, State, look};
use kube::Client;
use kube::api::{DeleteParams, Patch, PatchParams};
use serde::Serialize;

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
    /// Not ours.
    LeftOut {
        whose: String,
    },
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
        State::Sick { reason } => Ok(Done::Sick { reason }),
        State::Foreign { whose } => Ok(Done::LeftOut { whose }),
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
