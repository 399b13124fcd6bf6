//! Sweep looks for clusters that are stuck, and parks runs that failed.

use crate::clock::passed;
use crate::desk::{Desk, With, change};
use crate::errors::{Error, Result};
use crate::executions::{Execution, Executions, Input};
use crate::records::record::{Failure, Record};
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;
use wire::error::Class;
use wire::event::{Action, Event};
use wire::status::{Desired, Status};

/// What the state machines send when a run cannot go on.
#[derive(Debug, Deserialize)]
pub struct Park {
    #[serde(flatten)]
    pub run: Input,
    /// The name of the error, as the state machine caught it.
    pub error: String,
    #[serde(default)]
    pub cause: String,
}

pub struct Sweep {
    pub desk: Arc<dyn Desk>,
    pub executions: Arc<dyn Executions>,
    /// A record that has not been written for this long is looked at.
    pub stuck_after: Duration,
}

impl Sweep {
    /// Stops a run and keeps what exists: a create becomes `failed`, a teardown `delete_blocked`. A newer run is left alone.
    pub async fn park(&self, park: &Park) -> Result<()> {
        let stop = |record: &mut Record| {
            let open = matches!(record.status, Status::Queued | Status::Provisioning | Status::Terminating);
            if record.run != park.run.run || !open {
                return Err(Error::superseded());
            }
            if record.failure.as_ref().is_none_or(|failure| failure.run != record.run) {
                record.failure = Some(unexplained(park));
            }
            let parked = match record.desired {
                Desired::Present => Status::Failed,
                Desired::Absent => Status::DeleteBlocked,
            };
            record.set_status(parked, self.desk.now());
            Ok(())
        };
        let tell = |record: &Record| self.event(record, Action::Parked, record.failure.as_ref().map_or("", |failure| &failure.reason));
        match change(self.desk.as_ref(), &park.run.cluster_id, stop, tell).await {
            Ok((record, ())) => {
                // The alarm on parked clusters counts this line.
                tracing::warn!(
                    cluster_id = record.id,
                    status = record.status.name(),
                    error = park.error,
                    cause = park.cause,
                    "cluster parked"
                );
                Ok(())
            }
            Err(error) if error.class == Class::Superseded => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Looks at every cluster that still needs something done. An error with one does not stop the others.
    ///
    /// # Errors
    /// The last error, after all were looked at.
    pub async fn all(&self) -> Result<()> {
        let mut outcome = Ok(());
        for id in self.desk.unsettled().await? {
            if let Err(error) = self.one(&id, self.stuck_after).await {
                tracing::error!(cluster_id = id, detail = error.detail, "sweep stumbled");
                outcome = Err(error);
            }
        }
        outcome
    }

    /// Starts the execution of a run that has none, and a new run if the execution ended without settling the cluster.
    pub async fn one(&self, id: &str, stuck_after: Duration) -> Result<()> {
        let record = self.desk.record(id).await?;
        if passed(record.updated_at, self.desk.now()) < stuck_after {
            return Ok(());
        }
        match (record.status, self.executions.of(&record).await?) {
            (Status::Running | Status::Failed | Status::Deleted, _) | (_, Execution::Running) => Ok(()),
            (_, Execution::NeverStarted) => self.executions.start(&record).await,
            (_, Execution::Ended) => self.again(&record).await,
        }
    }

    async fn again(&self, stuck: &Record) -> Result<()> {
        let begin = |record: &mut Record| {
            // In between a last invocation may have settled it, or a request begun anew.
            if record.run != stuck.run || record.status != stuck.status {
                return Err(Error::superseded());
            }
            record.begin_run(record.desired, self.desk.now());
            Ok(())
        };
        let message = "The last execution ended without an answer or left something behind; a new one begins.";
        let tell = |record: &Record| self.event(record, Action::Retried, message);
        match change(self.desk.as_ref(), &stuck.id, begin, tell).await {
            Ok((record, ())) => self.executions.start(&record).await,
            Err(error) if error.class == Class::Superseded => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn event(&self, record: &Record, action: Action, message: &str) -> Vec<With> {
        vec![With::Event(Event::new(self.desk.now(), "sweep", action, record.status.name(), message))]
    }
}

/// The stage died before it could say why.
fn unexplained(park: &Park) -> Failure {
    let error = Error::permanent(park.error.as_str().into(), format!("The stage ended without an answer ({}).", park.error));
    Failure::new(park.run.run, None, &error)
}
