//! Sweep looks for clusters that are stuck, and parks runs that failed.

use crate::clock::passed;
use crate::desk::{Desk, With, change};
use crate::errors::table::INSIDE;
use crate::errors::{Error, Result};
use crate::executions::{Execution, Executions, Input};
use crate::records::record::{Failure, Record};
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;
use wire::error::Class;
use wire::event::{Action, Event, sentence};
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

/// The names of errors by which a stage that was retried long enough is not at fault: its own words, and those of a Lambda that does not run.
const OF_AWS: [&str; 5] = ["Transient", "Throttled", "Lambda.ServiceException", "Lambda.AWSLambdaException", "Lambda.SdkClientException"];
/// The most time between two tries.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

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
            let known = record.failure.take().filter(|failure| failure.run == record.run);
            let mut failure = known.unwrap_or_else(|| unexplained(park));
            failure.class = failure.class.map(|class| if class.retryable() { Class::Later } else { class });
            let again_after = self.again_after(record, &failure);
            let alerted = record.again.is_some_and(|again| again.alerted);
            record.park(failure, again_after, self.desk.now());
            Ok(!alerted && record.again.is_some_and(|again| again.alerted))
        };
        match change(self.desk.as_ref(), &park.run.cluster_id, stop, |record| self.parked(record)).await {
            Ok((record, alerts)) => {
                log(&record, park, alerts);
                Ok(())
            }
            Err(error) if error.class == Class::Superseded => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// A deletion is tried again in any case, a creation only if its error passes by itself: each time after twice as long, at most a day.
    fn again_after(&self, record: &Record, failure: &Failure) -> Option<Duration> {
        let passes = failure.class == Some(Class::Later);
        let times = record.again.map_or(0, |again| again.times);
        let delay = self.stuck_after.saturating_mul(2_u32.saturating_pow(times)).min(LONGEST);
        (passes || record.desired == Desired::Absent).then_some(delay)
    }

    fn parked(&self, record: &Record) -> Vec<With> {
        let reason = record.failure.as_ref().map_or("", |failure| &failure.reason);
        let again = record.again_at().map(|at| format!(" Groundwork tries again by itself at {at:.0}.")).unwrap_or_default();
        self.event(record, Action::Parked, &format!("{}{again}", sentence(reason)))
    }

    /// Looks at every cluster that still needs something done. An error with one does not stop the others.
    ///
    /// # Errors
    /// The last error, after all were looked at.
    pub async fn all(&self) -> Result<()> {
        let mut outcome = Ok(());
        for id in self.desk.unsettled().await? {
            if let Err(error) = self.one(&id, self.stuck_after).await {
                tracing::error!(cluster_id = id, detail = error.detail, "sweep failed with a cluster");
                outcome = Err(error);
            }
        }
        outcome
    }

    /// Starts the execution of a run that has none, and a new run if the execution ended without settling the cluster, or if a parked
    /// cluster's time has come.
    pub async fn one(&self, id: &str, stuck_after: Duration) -> Result<()> {
        let (record, now) = (self.desk.record(id).await?, self.desk.now());
        let due = match record.again_at() {
            Some(at) => at <= now,
            None => record.is_unsettled() && passed(record.updated_at, now) >= stuck_after,
        };
        if !due {
            return Ok(());
        }
        match self.executions.of(&record).await? {
            Execution::Running => Ok(()),
            Execution::NeverStarted => self.executions.start(&record).await,
            Execution::Ended => self.again(&record).await,
        }
    }

    async fn again(&self, stuck: &Record) -> Result<()> {
        let begin = |record: &mut Record| {
            // In between a last invocation may have settled it, or a request begun anew.
            if record.run != stuck.run || record.status != stuck.status {
                return Err(Error::superseded());
            }
            record.begin_again(self.desk.now());
            Ok(())
        };
        let message = match stuck.status.is_parked() {
            true => "Groundwork tries again by itself what could not be done before.",
            false => "The last run ended without an answer; a new one begins.",
        };
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

/// The operator's alarm counts the lines that say who has to look.
fn log(record: &Record, park: &Park, alerts: bool) {
    let (Park { error, cause, .. }, status, cluster_id) = (park, record.status.name(), &record.id);
    match alerts {
        true => tracing::error!(cluster_id, status, error, cause, "cluster parked, the operator has to look"),
        false => tracing::warn!(cluster_id, status, error, cause, "cluster parked"),
    }
}

/// The stage died before it could say why.
fn unexplained(park: &Park) -> Failure {
    let error = Error::of(park.error.as_str().into(), format!("The stage ended without an answer ({}).", park.error));
    let error = match OF_AWS.contains(&park.error.as_str()) {
        true => Error { class: Class::Later, ..error }.with_hint(INSIDE),
        false => error,
    };
    Failure::new(park.run.run, None, &error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_stage_that_is_at_fault_itself_alerts_the_operator() {
        for (error, class, reason) in [
            ("Transient", Class::Later, "the table did not answer, however often the stage was called"),
            ("Lambda.ServiceException", Class::Later, "Lambda itself failed"),
            ("Sandbox.Timedout", Class::Permanent, "the function never ends"),
            ("States.Timeout", Class::Permanent, "nobody knows why"),
            ("Permanent", Class::Permanent, "it could not write why"),
        ] {
            let input = Input { cluster_id: "abcdefghijkl".into(), run: 1 };
            let failure = unexplained(&Park { run: input, error: error.into(), cause: String::new() });
            assert_eq!(failure.class, Some(class), "{reason}");
        }
    }
}
