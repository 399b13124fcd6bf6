//! Sweep looks for what is stuck or left over, and parks what failed.

use crate::errors::{Error, Result};
use crate::executions::{Execution, Executions};
use crate::records::Records;
use crate::records::events::Event;
use crate::records::record::{Desired, Failure, Record, Status};
use crate::stage::Input;
use jiff::Timestamp;
use serde::Deserialize;
use std::time::Duration;

/// What the state machines ask for when a run cannot go on.
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
    pub records: Records,
    pub executions: Executions,
    /// A record that nobody has touched for as long is looked at.
    pub stuck_after: Duration,
}

impl Sweep {
    /// Stops a run with what exists kept: a create is `failed`, a teardown `delete_blocked`. A newer run is left alone.
    pub async fn park(&self, park: &Park) -> Result<()> {
        let stop = |record: &mut Record| {
            let open = matches!(record.status, Status::Queued | Status::Provisioning | Status::Terminating);
            if record.run != park.run.run || !open {
                return Err(Error::superseded());
            }
            if record.failure.as_ref().is_none_or(|failure| failure.run != record.run) {
                record.failure = Some(unexplained(park));
            }
            record.set_status(match record.desired {
                Desired::Present => Status::Failed,
                Desired::Absent => Status::DeleteBlocked,
            });
            Ok(())
        };
        let tell = |record: &Record| {
            let reason = record.failure.as_ref().map_or("", |failure| &failure.reason);
            Ok(vec![self.records.put_event(&record.id, &Event::new("sweep", "parked", record.status.name(), reason))?])
        };
        match self.records.change(&park.run.cluster_id, stop, tell).await {
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
            Err(error) if error.code == "Superseded" => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Looks at every cluster that something is still to be done about. One that cannot be helped now does not stop the others.
    ///
    /// # Errors
    /// The last error, once all were looked at.
    pub async fn all(&self) -> Result<()> {
        let mut outcome = Ok(());
        for id in self.records.unsettled().await? {
            if let Err(error) = self.one(&id, self.stuck_after).await {
                tracing::error!(cluster_id = id, detail = error.detail, "sweep stumbled");
                outcome = Err(error);
            }
        }
        outcome
    }

    /// Starts the execution of a run that has none, and a new run where the execution ended without settling the cluster.
    pub async fn one(&self, id: &str, stuck_after: Duration) -> Result<()> {
        let record = self.records.cluster(id).await?;
        let idle = Timestamp::now().duration_since(record.updated_at).unsigned_abs();
        if idle < stuck_after {
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
            if record.run == stuck.run && record.status == stuck.status {
                record.begin_run(record.desired);
            }
            Ok(())
        };
        let tell = |record: &Record| {
            let message = "The last execution ended without an answer, or left something behind; a new one begins.";
            Ok(vec![self.records.put_event(&record.id, &Event::new("sweep", "retried", record.status.name(), message))?])
        };
        let (record, ()) = self.records.change(&stuck.id, begin, tell).await?;
        self.executions.start(&record).await
    }
}

/// The stage died before it could say why.
fn unexplained(park: &Park) -> Failure {
    let error = Error::permanent(&park.error, format!("The stage ended without an answer ({}).", park.error));
    Failure::new(park.run.run, None, &error)
}
