//! What the stage functions share: take the lease, do the stage's part, write down what came of it, answer the state machine.

use crate::drive::{self, Answer, Limits};
use crate::errors::{Class, Error, Result};
use crate::inventory::{self, Inventory};
use crate::records::Records;
use crate::records::events::Event;
use crate::records::journal::TableJournal;
use crate::records::record::{Desired, Failure, Lease, Progress, Record, Status};
use crate::resource::{Context, Stage};
use crate::settings::{self, seconds};
use crate::{plan, preflight, session, spec};
use aws_config::SdkConfig;
use futures::future::{BoxFuture, LocalBoxFuture};
use jiff::Timestamp;
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

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
        let invocation = Invocation {
            input: event.payload,
            holder: event.context.request_id.clone(),
            deadline: event.context.deadline(),
        };
        let record = match self.begin(&invocation).await? {
            Begun::Held(record) => record,
            Begun::HeldByAnother { wait } => return Ok(pending(wait)),
        };
        let outcome = self
            .work(&invocation, &record)
            .await
            .and_then(|answer| self.within_budget(&record, answer));
        let refused_for = self.end(&invocation, &outcome).await?;
        match outcome {
            Ok(Answer::Ready) => Ok(Reply::Ready),
            Ok(Answer::Pending { wait, .. }) => Ok(pending(wait)),
            Err(error) if error.is_denial() && refused_for < self.refusal_grace => Ok(pending(LOOK_AGAIN_AFTER_REFUSAL)),
            Err(error) => {
                tracing::error!(stage = %self.stage, cluster_id = invocation.input.cluster_id, class = error.class.name(), detail = error.detail, "stage failed");
                Err(error)
            }
        }
    }

    /// Takes the lease, unless another invocation may still be at work: its lease ends when Lambda would have ended it.
    async fn begin(&self, invocation: &Invocation) -> Result<Begun> {
        let now = Timestamp::now();
        let stage = self.stage;
        let begin = |record: &mut Record| {
            self.owned(record, invocation)?;
            record
                .leases
                .retain(|_, lease| lease.until > now && lease.holder != invocation.holder);
            let other = record
                .leases
                .iter()
                .find(|(held, lease)| **held == stage || lease.run != invocation.input.run);
            if let Some((_, lease)) = other {
                return Ok(Some(lease.until));
            }
            let until = Timestamp::try_from(invocation.deadline).map_err(|error| Error::permanent("Deadline", error.to_string()))?;
            record.leases.insert(
                stage,
                Lease {
                    holder: invocation.holder.clone(),
                    run: record.run,
                    until,
                },
            );
            if record.stages.get(&stage).is_none_or(|progress| progress.run != record.run) {
                record.stages.insert(
                    stage,
                    Progress {
                        run: record.run,
                        started_at: now,
                        ready_at: None,
                        refused_since: None,
                    },
                );
            }
            if record.status == Status::Queued {
                record.set_status(Status::Provisioning);
            }
            Ok(None)
        };
        let (record, held_until) = self.records.change(&invocation.input.cluster_id, begin, |_| Ok(vec![])).await?;
        Ok(match held_until {
            None => Begun::Held(Box::new(record)),
            Some(until) => Begun::HeldByAnother {
                wait: until.duration_since(now).unsigned_abs(),
            },
        })
    }

    /// A newer run owns the cluster, or this one is parked already: the stage beside this one stumbled.
    fn owned(&self, record: &Record, invocation: &Invocation) -> Result<()> {
        let wanted = if self.stage == Stage::Teardown {
            Desired::Absent
        } else {
            Desired::Present
        };
        let parked = matches!(record.status, Status::Failed | Status::DeleteBlocked);
        if record.run != invocation.input.run || record.desired != wanted || parked {
            Err(Error::superseded())
        } else {
            Ok(())
        }
    }

    async fn work(&self, invocation: &Invocation, record: &Record) -> Result<Answer> {
        match self.stage {
            Stage::Validate => {
                preflight::region(&self.config, &record.spec.region).await?;
                validate(record)
            }
            Stage::AssumeRole => self.assume_role(invocation, record).await,
            Stage::CreateBuckets | Stage::CreateEks | Stage::CreateNodegroups => self.provision(invocation, record).await,
            Stage::Teardown => self.tear_down(invocation, record).await,
        }
    }

    async fn open(&self, record: &Record) -> Result<Context> {
        let external_id = self.records.external_id(&record.tenant).await?;
        let entry = session::Entry {
            role_arn: &record.spec.role_arn,
            external_id: &external_id,
            region: &record.spec.region,
            cluster_id: &record.id,
            stage: self.stage,
        };
        let customer = session::assume(&self.config, &entry).await?;
        Ok(Context {
            aws: session::Clients::new(&customer),
            cluster: record.cluster(),
            outputs: Default::default(),
        })
    }

    /// Proves that the role lets us in and that the region is usable.
    async fn assume_role(&self, invocation: &Invocation, record: &Record) -> Result<Answer> {
        let zones = preflight::zones(&self.open(record).await?).await?;
        let choose = |record: &mut Record| {
            self.owned(record, invocation)?;
            // Chosen once: subnets that exist stay where they are.
            if record.zones.is_empty() {
                record.zones.clone_from(&zones);
            }
            Ok(())
        };
        self.records.change(&record.id, choose, |_| Ok(vec![])).await?;
        Ok(Answer::Ready)
    }

    async fn provision(&self, invocation: &Invocation, record: &Record) -> Result<Answer> {
        let cx = self.open(record).await?;
        drive::ensure(
            &plan::of_stage(&cx.cluster, self.stage),
            &cx,
            &self.journal(invocation),
            self.limits(invocation),
        )
        .await
    }

    /// Takes everything away and looks at the account once more: deleted is what left nothing.
    async fn tear_down(&self, invocation: &Invocation, record: &Record) -> Result<Answer> {
        if record.zones.is_empty() {
            // assume-role never passed, so no stage has worked in the account.
            self.record_inventory(invocation, &Inventory::default()).await?;
            return Ok(Answer::Ready);
        }
        let cx = self.open(record).await?;
        let journal = self.journal(invocation);
        let entries = self.records.journal(&record.id).await?;
        let plan = plan::teardown(&cx.cluster, entries.into_keys());
        let answer = drive::destroy(&plan, &cx, &journal, self.limits(invocation)).await;
        let stuck = match &answer {
            Ok(Answer::Ready) => true,
            Ok(Answer::Pending { .. }) => self.over_budget(record),
            Err(error) => !error.class.retryable(),
        };
        if stuck {
            let inventory = inventory::take(&cx).await?;
            self.record_inventory(invocation, &inventory).await?;
            if let (Ok(Answer::Ready), false) = (&answer, inventory.left.is_empty()) {
                return Err(left_behind(&inventory));
            }
        }
        answer
    }

    async fn record_inventory(&self, invocation: &Invocation, inventory: &Inventory) -> Result<()> {
        let keep = |record: &mut Record| {
            self.owned(record, invocation)?;
            record.inventory = Some(inventory.clone());
            Ok(())
        };
        self.records
            .change(&invocation.input.cluster_id, keep, |_| Ok(vec![]))
            .await
            .map(drop)
    }

    fn journal(&self, invocation: &Invocation) -> TableJournal {
        let input = &invocation.input;
        TableJournal::new(
            self.records.clone(),
            input.cluster_id.clone(),
            self.stage,
            invocation.holder.clone(),
            input.run,
        )
    }

    /// Rounds begin in the first half of the invocation only, so that the last one can end in the second.
    fn limits(&self, invocation: &Invocation) -> Limits {
        let left = invocation.deadline.duration_since(SystemTime::now()).unwrap_or_default();
        Limits {
            grace: self.grace,
            until: Instant::now() + left / 2,
        }
    }

    fn over_budget(&self, record: &Record) -> bool {
        let started = record
            .stages
            .get(&self.stage)
            .map_or(Timestamp::now(), |progress| progress.started_at);
        Timestamp::now().duration_since(started).unsigned_abs() > self.budget
    }

    fn within_budget(&self, record: &Record, answer: Answer) -> Result<Answer> {
        match answer {
            Answer::Pending { on, .. } if self.over_budget(record) => {
                let on: Vec<String> = on.into_iter().map(|key| key.0).collect();
                Err(Error::customer(
                    "OverBudget",
                    format!(
                        "{} took more than {} s; AWS is not done with {}.",
                        self.stage,
                        self.budget.as_secs(),
                        on.join(", ")
                    ),
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
        let refused = outcome.as_ref().is_err_and(Error::is_denial);
        progress.refused_since = refused.then(|| progress.refused_since.unwrap_or(now));
        let refused_for = progress
            .refused_since
            .map_or(Duration::ZERO, |since| now.duration_since(since).unsigned_abs());
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

    /// Only the lease: the cluster belongs to a newer run, which need not wait.
    async fn give_back(&self, invocation: &Invocation) -> Result<()> {
        let give_back = |record: &mut Record| {
            record.leases.retain(|_, lease| lease.holder != invocation.holder);
            Ok(())
        };
        self.records
            .change(&invocation.input.cluster_id, give_back, |_| Ok(vec![]))
            .await
            .map(drop)
    }

    /// The last stage of a run settles the cluster.
    fn settle(&self, record: &mut Record) {
        match self.stage {
            Stage::CreateNodegroups => record.set_status(Status::Running),
            Stage::Teardown => record.set_status(Status::Deleted),
            Stage::Validate | Stage::AssumeRole | Stage::CreateBuckets | Stage::CreateEks => {}
        }
    }

    fn closing_event(&self, record: &Record, outcome: &Result<Answer>) -> Result<Vec<aws_sdk_dynamodb::types::TransactWriteItem>> {
        let actor = format!("stage:{}", self.stage);
        let event = match outcome {
            Ok(Answer::Pending { .. }) => return Ok(vec![]),
            Ok(Answer::Ready) => Event::new(
                actor,
                "finished",
                self.stage.to_string(),
                format!("The cluster is {}.", record.status.name()),
            ),
            Err(error) => Event::new(actor, "stumbled", self.stage.to_string(), &error.reason),
        };
        Ok(vec![self.records.put_event(&record.id, &event)?])
    }
}

enum Begun {
    Held(Box<Record>),
    HeldByAnother { wait: Duration },
}

/// The spec was checked when it was accepted; a record that an older version wrote is checked by the rules of this one.
fn validate(record: &Record) -> Result<Answer> {
    let body = serde_json::to_value(&record.spec).map_err(|error| Error::permanent("Spec", error.to_string()))?;
    match spec::parse(&body) {
        Ok(_) => Ok(Answer::Ready),
        Err(faults) => {
            let faults: Vec<String> = faults
                .into_iter()
                .map(|fault| format!("{}: {}", fault.path, fault.message))
                .collect();
            Err(Error::customer(
                "InvalidSpec",
                faults.join("; "),
                "Delete the cluster and create it with a spec that is valid.",
            ))
        }
    }
}

/// Everything that we made is gone, and yet something with our tags, our names or in our VPC is there.
fn left_behind(inventory: &Inventory) -> Error {
    let things: Vec<String> = inventory.left.iter().map(|found| format!("{} {}", found.kind, found.id)).collect();
    Error::customer(
        "LeftBehind",
        format!("{} thing(s) are left in the account: {}.", things.len(), things.join(", ")),
        "inventory.left says why each counts. Remove what you do not need, then delete again; Groundwork also tries again by itself.",
    )
}

/// Step Functions waits for whole seconds, one at least.
fn pending(wait: Duration) -> Reply {
    Reply::Pending {
        wait_seconds: wait.as_millis().div_ceil(1000).max(1) as u64,
    }
}
