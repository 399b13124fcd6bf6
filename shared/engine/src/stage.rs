//! What the stage functions share: take the lease, do the stage's work, write down what came of it, answer the state machine.

mod held_journal;
mod lease;
mod work;

use crate::aws;
use crate::clock::passed;
use crate::desk::{Desk, With, change};
use crate::doors::{Doors, Sts};
use crate::drive::Answer;
use crate::errors::{Error, Result};
use crate::executions::Input;
use crate::lambda;
use crate::records::Records;
use crate::records::record::{Failure, Record};
use crate::settings::{self, seconds};
use crate::stages::row;
use futures::future::{BoxFuture, LocalBoxFuture};
use jiff::Timestamp;
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;
use wire::error::{Class, Code};
use wire::event::{Action, Event};
pub use wire::stage::Stage;
use wire::status::Status;

const LOOK_AGAIN_AFTER_REFUSAL: Duration = Duration::from_secs(5);

#[derive(Debug, PartialEq, Serialize)]
#[serde(tag = "status", rename_all = "lowercase")]
pub enum Reply {
    Ready,
    Pending { wait_seconds: u64 },
}

/// One stage, with everything that it works on.
pub struct Function {
    pub stage: Stage,
    pub desk: Arc<dyn Desk>,
    pub doors: Arc<dyn Doors>,
    pub patience: Patience,
}

/// How long a stage waits, and for what.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// How long "absent" right after a create is not believed.
    pub grace: Duration,
    /// How long a refusal by IAM is not believed, because a new role or policy is not visible everywhere at once.
    pub refusal_grace: Duration,
    /// How long the stage may take in one run.
    pub budget: Duration,
}

/// One invocation: its run, its name and its deadline.
pub struct Invocation {
    pub input: Input,
    pub holder: String,
    pub deadline: Timestamp,
}

/// Serves one stage until Lambda ends the process. Boxed, so that what is inside is compiled once, in the library.
///
/// # Errors
/// If the environment lacks a setting, or the runtime API is gone.
pub fn serve(stage: Stage) -> LocalBoxFuture<'static, std::result::Result<(), lambda_runtime::Error>> {
    Box::pin(async move {
        lambda::log();
        let config = aws::operator_config().await;
        let desk = Arc::new(Records::new(&config, settings::text("TABLE")?));
        let patience = Patience {
            grace: seconds("GRACE_SECONDS")?,
            refusal_grace: seconds("REFUSAL_GRACE_SECONDS")?,
            budget: seconds("BUDGET_SECONDS")?,
        };
        let function = Arc::new(Function { stage, doors: Arc::new(Sts { config, desk: desk.clone() }), desk, patience });
        let handle = move |event: LambdaEvent<Input>| handle(Arc::clone(&function), event);
        lambda_runtime::run(service_fn(handle)).await
    })
}

fn handle(function: Arc<Function>, event: LambdaEvent<Input>) -> BoxFuture<'static, std::result::Result<Reply, Diagnostic>> {
    Box::pin(async move {
        let deadline = event.context.deadline().try_into();
        let deadline = deadline.map_err(|error: jiff::Error| Error::permanent(Code::Deadline, error.to_string()))?;
        let invocation = Invocation { input: event.payload, holder: event.context.request_id, deadline };
        function.invoke(&invocation).await.map_err(Diagnostic::from)
    })
}

impl Function {
    /// # Errors
    /// What the state machine retries or parks with.
    pub async fn invoke(&self, invocation: &Invocation) -> Result<Reply> {
        let record = match self.begin(invocation).await? {
            lease::Begun::Held(record) => record,
            lease::Begun::HeldByAnother { wait } => return Ok(pending(wait)),
        };
        let outcome = self.work(invocation, &record).await.and_then(|answer| self.within_budget(&record, answer));
        let refused_for = self.end(invocation, &outcome).await?;
        match outcome {
            Ok(Answer::Ready) => Ok(Reply::Ready),
            Ok(Answer::Pending { wait, .. }) => Ok(pending(wait)),
            Err(error) if error.may_be_stale() && refused_for < self.patience.refusal_grace => Ok(pending(LOOK_AGAIN_AFTER_REFUSAL)),
            Err(error) => {
                tracing::error!(stage = %self.stage, cluster_id = invocation.input.cluster_id, class = error.class.name(), detail = error.detail, "stage failed");
                Err(error)
            }
        }
    }

    fn over_budget(&self, record: &Record) -> bool {
        let progress = record.stages.get(&self.stage);
        progress.is_some_and(|progress| passed(progress.started_at, self.desk.now()) > self.patience.budget)
    }

    fn within_budget(&self, record: &Record, answer: Answer) -> Result<Answer> {
        match answer {
            Answer::Pending { on, .. } if self.over_budget(record) => {
                let on: Vec<String> = on.iter().map(ToString::to_string).collect();
                let budget = self.patience.budget.as_secs();
                Err(Error::customer(
                    Code::OverBudget,
                    format!("{} took more than {budget} s; AWS has not finished {}.", self.stage, on.join(", ")),
                    "Look at these resources in the account, then retry; what exists is kept.",
                ))
            }
            answer => Ok(answer),
        }
    }

    /// Gives the lease back and writes down what came of the invocation. Returns for how long IAM has refused the stage.
    async fn end(&self, invocation: &Invocation, outcome: &Result<Answer>) -> Result<Duration> {
        let close = |record: &mut Record| {
            record.leases.retain(|_, lease| lease.holder != invocation.holder);
            self.still_ours(record, invocation)?;
            Ok(self.note_outcome(record, outcome))
        };
        let ended = change(self.desk.as_ref(), &invocation.input.cluster_id, close, |record| self.closing(record, outcome)).await;
        match ended {
            Err(error) if error.class == Class::Superseded => self.give_back(invocation).await.map(|()| Duration::ZERO),
            ended => ended.map(|(_, refused_for)| refused_for),
        }
    }

    fn note_outcome(&self, record: &mut Record, outcome: &Result<Answer>) -> Duration {
        let now = self.desk.now();
        let Some(progress) = record.stages.get_mut(&self.stage) else {
            return Duration::ZERO;
        };
        let refused = outcome.as_ref().is_err_and(Error::may_be_stale);
        progress.refused_since = refused.then(|| progress.refused_since.unwrap_or(now));
        let refused_for = progress.refused_since.map_or(Duration::ZERO, |since| passed(since, now));
        match outcome {
            Ok(Answer::Pending { .. }) => {}
            Ok(Answer::Ready) => {
                progress.ready_at = Some(now);
                // The error of another stage that runs beside this one stays on the record.
                if record.failure.as_ref().is_some_and(|failure| failure.stage == Some(self.stage)) {
                    record.failure = None;
                }
                self.settle(record);
            }
            Err(error) => record.failure = Some(Failure::new(record.run, Some(self.stage), error)),
        }
        refused_for
    }

    /// The last stage of a run settles the cluster.
    fn settle(&self, record: &mut Record) {
        if let Some(status) = row(self.stage).settles {
            record.set_status(status, self.desk.now());
        }
    }

    /// What goes with the record at the end of an invocation.
    fn closing(&self, record: &Record, outcome: &Result<Answer>) -> Vec<With> {
        let event = |action, message: &str| {
            let event = Event::new(self.desk.now(), format!("stage:{}", self.stage), action, self.stage.to_string(), message);
            With::Event(event)
        };
        match outcome {
            Ok(Answer::Pending { .. }) => vec![],
            Ok(Answer::Ready) => {
                let finished = event(Action::Finished, &format!("The cluster is {}.", record.status.name()));
                let departure = (record.status == Status::Deleted).then_some(With::Departure);
                [finished].into_iter().chain(departure).collect()
            }
            Err(error) => vec![event(Action::Stumbled, &error.reason)],
        }
    }
}

/// Step Functions waits for whole seconds, at least one.
fn pending(wait: Duration) -> Reply {
    Reply::Pending { wait_seconds: wait.as_millis().div_ceil(1000).max(1) as u64 }
}
