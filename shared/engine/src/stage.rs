//! What the stage functions share: take the lease, do the stage's part, write down what came of it, answer the state machine.

mod lease;
pub mod table;
mod work;

use crate::drive::Answer;
use crate::errors::{Class, Error, Result};
use crate::records::Records;
use crate::records::events::Event;
use crate::records::record::{Failure, Record, Status};
use crate::resource::Stage;
use crate::session;
use crate::settings::{self, seconds};
use aws_config::SdkConfig;
use futures::future::{BoxFuture, LocalBoxFuture};
use jiff::Timestamp;
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

const LOOK_AGAIN_AFTER_REFUSAL: Duration = Duration::from_secs(5);

/// All that travels through the state machine.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Input {
    pub cluster_id: String,
    pub run: u64,
}

#[derive(Debug, PartialEq, Serialize)]
#[serde(tag = "status", rename_all = "lowercase")]
pub enum Reply {
    Ready,
    Pending { wait_seconds: u64 },
}

struct Function {
    stage: Stage,
    config: SdkConfig,
    records: Records,
    grace: Duration,
    budget: Duration,
    /// How long a refusal by IAM is not believed: a fresh role or policy is not visible everywhere at once.
    refusal_grace: Duration,
}

/// Serves one stage until Lambda ends the process. Boxed, so that the library and not every function compiles what is inside.
///
/// # Errors
/// When the environment lacks a setting, or the runtime API is gone.
pub fn serve(stage: Stage) -> LocalBoxFuture<'static, std::result::Result<(), lambda_runtime::Error>> {
    Box::pin(async move {
        settings::log();
        let config = session::operator_config().await;
        let function = Arc::new(Function {
            stage,
            records: Records::new(&config, settings::text("TABLE")?),
            config,
            grace: seconds("GRACE_SECONDS")?,
            budget: seconds("BUDGET_SECONDS")?,
            refusal_grace: seconds("REFUSAL_GRACE_SECONDS")?,
        });
        let handle = move |event: LambdaEvent<Input>| handle(Arc::clone(&function), event);
        lambda_runtime::run(service_fn(handle)).await
    })
}

fn handle(function: Arc<Function>, event: LambdaEvent<Input>) -> BoxFuture<'static, std::result::Result<Reply, Diagnostic>> {
    Box::pin(async move { function.invoke(event).await.map_err(Diagnostic::from) })
}

/// One invocation: who it is and how long it may take.
struct Invocation {
    input: Input,
    holder: String,
    deadline: SystemTime,
}

impl Function {
    async fn invoke(&self, event: LambdaEvent<Input>) -> Result<Reply> {
        let invocation = Invocation { input: event.payload, holder: event.context.request_id.clone(), deadline: event.context.deadline() };
        let record = match self.begin(&invocation).await? {
            lease::Begun::Held(record) => record,
            lease::Begun::HeldByAnother { wait } => return Ok(pending(wait)),
        };
        let outcome = self.work(&invocation, &record).await.and_then(|answer| self.within_budget(&record, answer));
        let refused_for = self.end(&invocation, &outcome).await?;
        match outcome {
            Ok(Answer::Ready) => Ok(Reply::Ready),
            Ok(Answer::Pending { wait, .. }) => Ok(pending(wait)),
            Err(error) if error.may_be_stale() && refused_for < self.refusal_grace => Ok(pending(LOOK_AGAIN_AFTER_REFUSAL)),
            Err(error) => {
                tracing::error!(stage = %self.stage, cluster_id = invocation.input.cluster_id, class = error.class.name(), detail = error.detail, "stage failed");
                Err(error)
            }
        }
    }

    fn over_budget(&self, record: &Record) -> bool {
        let started = record.stages.get(&self.stage).map_or(Timestamp::now(), |progress| progress.started_at);
        Timestamp::now().duration_since(started).unsigned_abs() > self.budget
    }

    fn within_budget(&self, record: &Record, answer: Answer) -> Result<Answer> {
        match answer {
            Answer::Pending { on, .. } if self.over_budget(record) => {
                let on: Vec<String> = on.into_iter().map(|key| key.0).collect();
                Err(Error::customer(
                    "OverBudget",
                    format!("{} took more than {} s; AWS is not done with {}.", self.stage, self.budget.as_secs(), on.join(", ")),
                    "Look at the named resources in the account, then retry: what exists is kept.",
                ))
            }
            answer => Ok(answer),
        }
    }

    /// Gives the lease back and writes down what came of the invocation. Answers for how long IAM has refused the stage.
    async fn end(&self, invocation: &Invocation, outcome: &Result<Answer>) -> Result<Duration> {
        let close = |record: &mut Record| {
            record.leases.retain(|_, lease| lease.holder != invocation.holder);
            self.owned(record, invocation)?;
            Ok(self.close(record, outcome))
        };
        let also = |record: &Record| {
            let mut items = self.closing_event(record, outcome)?;
            if record.status == Status::Deleted {
                items.push(self.records.free_name(record)?);
                items.push(self.records.free_place(record)?);
            }
            Ok(items)
        };
        match self.records.change(&invocation.input.cluster_id, close, also).await {
            Err(error) if error.class == Class::Superseded => self.give_back(invocation).await.map(|()| Duration::ZERO),
            ended => ended.map(|(_, refused_for)| refused_for),
        }
    }

    fn close(&self, record: &mut Record, outcome: &Result<Answer>) -> Duration {
        let now = Timestamp::now();
        let Some(progress) = record.stages.get_mut(&self.stage) else {
            return Duration::ZERO;
        };
        let refused = outcome.as_ref().is_err_and(Error::may_be_stale);
        progress.refused_since = refused.then(|| progress.refused_since.unwrap_or(now));
        let refused_for = progress.refused_since.map_or(Duration::ZERO, |since| now.duration_since(since).unsigned_abs());
        match outcome {
            Ok(Answer::Pending { .. }) => {}
            Ok(Answer::Ready) => {
                progress.ready_at = Some(now);
                // What another stage stumbles over beside this one stays known.
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
        if let Some(status) = table::row(self.stage).settles {
            record.set_status(status);
        }
    }

    fn closing_event(&self, record: &Record, outcome: &Result<Answer>) -> Result<Vec<aws_sdk_dynamodb::types::TransactWriteItem>> {
        let actor = format!("stage:{}", self.stage);
        let event = match outcome {
            Ok(Answer::Pending { .. }) => return Ok(vec![]),
            Ok(Answer::Ready) => Event::new(actor, "finished", self.stage.to_string(), format!("The cluster is {}.", record.status.name())),
            Err(error) => Event::new(actor, "stumbled", self.stage.to_string(), &error.reason),
        };
        Ok(vec![self.records.put_event(&record.id, &event)?])
    }
}

/// Step Functions waits for whole seconds, one at least.
fn pending(wait: Duration) -> Reply {
    Reply::Pending { wait_seconds: wait.as_millis().div_ceil(1000).max(1) as u64 }
}
