//! What the stage functions share: take the lease, do the stage's work, write down what came of it, answer the state machine.

mod check;
mod furnish;
mod held_journal;
mod lease;
mod outcome;
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
use crate::records::record::Record;
use crate::settings::{self, seconds};
use futures::future::{BoxFuture, LocalBoxFuture};
use jiff::Timestamp;
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde::{Deserialize, Serialize};
use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;
use wire::cidr::Cidr;
use wire::error::{Class, Code, Turn};
use wire::event::{Action, Event, sentence};
use wire::key::Key;
pub use wire::stage::Stage;
use wire::trouble::Trouble;
use wire::view::RoleCheck;

pub use check::Candidate;

const SOON: &str = " This usually passes: it is tried again within a minute.";

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
    /// The address from which clusters' API servers are reached; none if Groundwork does not reach into them. The stage that checks the
    /// account writes it into the record, for the others.
    pub door: Option<Cidr>,
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

/// What a stage's function is called with.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
pub enum Asked {
    /// By a state machine.
    Run(Input),
    /// By a request that has to know whether the role of the cluster with this id lets Groundwork in.
    Knock { knock: String },
    /// By a request that has to know whether a role would do for a cluster.
    Check { check: Candidate },
}

#[derive(Serialize)]
#[serde(untagged)]
enum Told {
    Reply(Reply),
    Knocked(Knocked),
    Checked(RoleCheck),
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Knocked {
    pub open: bool,
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
        let door = settings::address("FIXED_ADDRESS")?;
        let function = Arc::new(Function { stage, doors: Arc::new(Sts { config, desk: desk.clone() }), desk, patience, door });
        let handle = move |event: LambdaEvent<Asked>| handle(Arc::clone(&function), event);
        lambda_runtime::run(service_fn(handle)).await
    })
}

fn handle(function: Arc<Function>, event: LambdaEvent<Asked>) -> BoxFuture<'static, std::result::Result<Told, Diagnostic>> {
    Box::pin(async move {
        let deadline = event.context.deadline().try_into();
        let deadline = deadline.map_err(|error: jiff::Error| Error::caused(Code::Deadline, &error))?;
        let told = match event.payload {
            Asked::Knock { knock } => function.knock(&knock).await.map(Told::Knocked),
            Asked::Check { check } => Ok(Told::Checked(function.check(&check).await)),
            Asked::Run(input) => {
                let invocation = Invocation { input, holder: event.context.request_id, deadline };
                function.invoke(&invocation).await.map(Told::Reply)
            }
        };
        told.map_err(Diagnostic::from)
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
        let worked = self.work(invocation, &record).await;
        let reply = match worked {
            Err(error) if error.class == Class::Superseded => self.give_back(invocation).await.and(Err(error)),
            worked => self.end(invocation, &worked).await,
        };
        if let Err(error) = &reply {
            self.log(&invocation.input, error);
        }
        reply
    }

    /// Tries the role of a cluster, and does nothing with it.
    ///
    /// # Errors
    /// If AWS neither opens a session nor refuses it.
    pub async fn knock(&self, cluster_id: &str) -> Result<Knocked> {
        let cluster = self.desk.record(cluster_id).await?.cluster()?;
        match self.doors.open(&cluster, self.stage).await {
            Ok(_) => Ok(Knocked { open: true }),
            Err(error) if error.code == Code::RoleRefused => Ok(Knocked { open: false }),
            Err(error) => Err(error),
        }
    }

    /// Tries a role that may have no cluster yet. Claims nothing, and writes no record.
    pub async fn check(&self, candidate: &Candidate) -> RoleCheck {
        check::check(self.doors.as_ref(), candidate, self.desk.now()).await
    }

    /// Only what the operator has to look at is an error of theirs.
    fn log(&self, input: &Input, error: &Error) {
        let (stage, cluster_id, class, detail) = (self.stage, &input.cluster_id, error.class.name(), &error.detail);
        match error.class.turn() {
            Turn::Operator => tracing::error!(%stage, cluster_id, class, detail, "stage failed"),
            Turn::Tenant | Turn::Nobody => tracing::warn!(%stage, cluster_id, class, detail, "stage stopped"),
        }
    }

    /// Gives the lease back and writes down what came of the invocation.
    async fn end(&self, invocation: &Invocation, worked: &Result<Answer>) -> Result<Reply> {
        let now = self.desk.now();
        let close = |record: &mut Record| {
            record.leases.retain(|_, lease| lease.holder != invocation.holder);
            self.still_ours(record, invocation)?;
            Ok(match worked {
                Ok(answer) => self.conclude(record, answer, now),
                Err(error) => self.fail(record, error, now),
            })
        };
        match change(self.desk.as_ref(), &invocation.input.cluster_id, close, |record| self.traces(record, worked, now)).await {
            Ok((_, reply)) => reply,
            Err(error) => {
                if error.class == Class::Superseded {
                    self.give_back(invocation).await?;
                }
                Err(error)
            }
        }
    }

    /// What goes with the record at the end of an invocation.
    fn traces(&self, record: &Record, worked: &Result<Answer>, now: Timestamp) -> Vec<With> {
        let troubles = record.troubles.iter().filter(|(_, trouble)| trouble.stage == self.stage);
        let mut traces: Vec<With> = troubles.filter_map(|(key, trouble)| self.told(key, trouble, now)).collect();
        if let Err(error) = worked {
            traces.extend(self.told_of_stage(record, error, now));
        }
        if record.stages.get(&self.stage).is_some_and(|progress| progress.ready_at == Some(now)) {
            traces.push(self.event(Action::Finished, &self.stage, format!("The cluster is {}.", record.status.name()), now));
        }
        if record.status.is_over() {
            traces.push(With::Departure);
        }
        traces
    }

    /// A refusal that is not believed yet is told once.
    fn told_of_stage(&self, record: &Record, error: &Error, now: Timestamp) -> Option<With> {
        let refused_since = record.stages.get(&self.stage).and_then(|progress| progress.refused_since);
        let doubted = refused_since.filter(|since| passed(*since, now) < self.patience.refusal_grace);
        if doubted.is_some_and(|since| since != now) {
            return None;
        }
        let passes = doubted.is_some() || error.class.retryable();
        let (action, then) = if passes { (Action::Retrying, SOON) } else { (Action::Stuck, "") };
        Some(self.event(action, &self.stage, format!("{}{then}", sentence(&error.reason)), now))
    }

    /// A trouble is told when it begins, and when the run gives the resource up.
    fn told(&self, key: &Key, trouble: &Trouble, now: Timestamp) -> Option<With> {
        if trouble.given_up_at == Some(now) {
            return Some(self.event(Action::Stuck, key, format!("{} What does not need it goes on.", sentence(&trouble.reason)), now));
        }
        (trouble.since == now).then(|| self.event(Action::Retrying, key, format!("{}{SOON}", sentence(&trouble.reason)), now))
    }

    fn event(&self, action: Action, target: &dyn Display, message: String, now: Timestamp) -> With {
        With::Event(Event::new(now, format!("stage:{}", self.stage), action, target.to_string(), message))
    }
}

/// Step Functions waits for whole seconds, at least one.
fn pending(wait: Duration) -> Reply {
    Reply::Pending { wait_seconds: wait.as_millis().div_ceil(1000).max(1) as u64 }
}
