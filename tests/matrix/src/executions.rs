//! Step Functions: plays the machines of the table, on the real stages.

use crate::desk::MemoryDesk;
use crate::process::Mortality;
use async_trait::async_trait;
use engine::desk::Desk;
use engine::errors::Error;
use engine::executions::{Execution, Executions, Input};
use engine::records::record::Record;
use engine::stage::{Function, Invocation, Reply, Stage};
use engine::stages::{MACHINES, Machine, RETRY, Turn, retried};
use engine::sweep::{Park, Sweep};
use futures::future::{join_all, try_join_all};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::{sleep, timeout};
use wire::status::Desired;

/// `StageTimeoutSeconds` of template.yaml.
const LAMBDA: Duration = Duration::from_secs(60);
/// Enough for a stage at AWS's pace; one that needs more is in an endless loop.
const MOST_INVOCATIONS: usize = 400;

/// The started executions, by name.
#[derive(Default)]
pub struct Started {
    known: Mutex<BTreeMap<String, bool>>,
    waiting: Mutex<Vec<Run>>,
}

/// One execution to play.
pub struct Run {
    name: String,
    desired: Desired,
    input: Input,
}

impl Started {
    /// Those not yet being played.
    pub fn waiting(&self) -> Vec<Run> {
        std::mem::take(&mut *lock(&self.waiting))
    }

    pub fn is_idle(&self) -> bool {
        lock(&self.waiting).is_empty()
    }
}

#[async_trait]
impl Executions for Started {
    async fn start(&self, record: &Record) -> engine::errors::Result<()> {
        let name = record.execution_name();
        if lock(&self.known).insert(name.clone(), true).is_none() {
            let input = Input { cluster_id: record.id.clone(), run: record.run };
            lock(&self.waiting).push(Run { name, desired: record.desired, input });
        }
        Ok(())
    }

    async fn of(&self, record: &Record) -> engine::errors::Result<Execution> {
        Ok(match lock(&self.known).get(&record.execution_name()) {
            None => Execution::NeverStarted,
            Some(true) => Execution::Running,
            Some(false) => Execution::Ended,
        })
    }
}

/// Why a state failed: the name that Step Functions matches, and the cause.
struct Failed {
    error: String,
    cause: String,
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self { error: error.class.name().into(), cause: error.reason }
    }
}

/// What plays the executions.
pub struct Machines {
    pub stages: BTreeMap<Stage, Arc<Function>>,
    pub sweep: Arc<Sweep>,
    pub desk: Arc<MemoryDesk>,
    pub started: Arc<Started>,
    pub mortality: Mortality,
    invocations: AtomicUsize,
}

impl Machines {
    pub fn new(stages: BTreeMap<Stage, Arc<Function>>, sweep: Arc<Sweep>, desk: Arc<MemoryDesk>, started: Arc<Started>) -> Self {
        Self { stages, sweep, desk, started, mortality: Mortality::default(), invocations: AtomicUsize::default() }
    }

    /// From the first state to the end: ready, parked, or gave way.
    pub async fn play(&self, run: Run) {
        let name = match run.desired {
            Desired::Present => "provision",
            Desired::Absent => "teardown",
        };
        let machine = MACHINES.iter().find(|machine| machine.name == name).expect("a machine of this name");
        match self.turns(machine, &run.input).await {
            Ok(()) => {}
            Err(failed) if failed.error == "Superseded" => {}
            Err(failed) => self.park(&run.input, failed).await,
        }
        lock(&self.started.known).insert(run.name, false);
    }

    async fn turns(&self, machine: &Machine, input: &Input) -> Result<(), Failed> {
        for turn in machine.turns {
            match turn {
                Turn::One(stage) => self.stage(*stage, input).await?,
                // An error in one branch stops the others, but a function that is at work finishes.
                Turn::AtOnce { stages, .. } => {
                    try_join_all(stages.iter().map(|stage| self.stage(*stage, input))).await?;
                }
            }
        }
        Ok(())
    }

    /// Task, Choice and Wait.
    async fn stage(&self, stage: Stage, input: &Input) -> Result<(), Failed> {
        for _ in 0..MOST_INVOCATIONS {
            match self.task(|| self.invoke(stage, input)).await? {
                Reply::Ready => return Ok(()),
                Reply::Pending { wait_seconds } => sleep(Duration::from_secs(wait_seconds)).await,
            }
        }
        Err(Failed { error: "Endless".into(), cause: format!("{stage} does not end") })
    }

    /// Calls a function, and retries as the machines' Retry says.
    async fn task<T>(&self, call: impl AsyncFn() -> Result<T, Failed>) -> Result<T, Failed> {
        let mut delay = RETRY.interval_seconds;
        for _ in 0..RETRY.max_attempts {
            match call().await {
                Err(failed) if retried().contains(&failed.error.as_str()) => {
                    sleep(Duration::from_secs(delay.into())).await;
                    delay = (delay * RETRY.backoff_rate).min(RETRY.max_delay_seconds);
                }
                outcome => return outcome,
            }
        }
        call().await
    }

    /// Like Lambda: the process may die, and is ended at its deadline.
    async fn invoke(&self, stage: Stage, input: &Input) -> Result<Reply, Failed> {
        let holder = format!("invocation-{}", self.invocations.fetch_add(1, Ordering::Relaxed));
        let mut input = input.clone();
        if self.desk.lax.without_run {
            input.run = self.desk.peek(&input.cluster_id).run;
        }
        let cluster_id = input.cluster_id.clone();
        let invocation = Invocation { input, holder, deadline: self.desk.now() + LAMBDA };
        let function = Arc::clone(&self.stages[&stage]);
        // Boxed, because a stage is too large for a test's stack.
        let work = async move { timeout(LAMBDA, Box::pin(function.invoke(&invocation))).await };
        match self.mortality.run(work).await {
            None => Err(Failed { error: "Runtime.ExitError".into(), cause: String::new() }),
            Some(Err(_)) => Err(Failed { error: "Sandbox.Timedout".into(), cause: String::new() }),
            Some(Ok(Ok(_))) if self.stops_at(&cluster_id) => Err(Failed { error: "Customer".into(), cause: String::new() }),
            Some(Ok(outcome)) => outcome.map_err(Failed::from),
        }
    }

    fn stops_at(&self, cluster_id: &str) -> bool {
        let given_up = || self.desk.peek(cluster_id).troubles.values().any(|trouble| trouble.given_up_at.is_some());
        self.desk.lax.stops_at_the_first_trouble && given_up()
    }

    /// Calls every stage that is at work once more; what comes of it nobody hears.
    pub async fn invoke_again(&self, record: &Record) {
        let input = Input { cluster_id: record.id.clone(), run: record.run };
        join_all(record.leases.keys().map(|stage| self.invoke(*stage, &input))).await;
    }

    async fn park(&self, input: &Input, failed: Failed) {
        let park = Arc::new(Park { run: input.clone(), error: failed.error, cause: failed.cause });
        let parked = self.task(async || {
            let (sweep, park) = (Arc::clone(&self.sweep), Arc::clone(&park));
            match self.mortality.run(async move { sweep.park(&park).await }).await {
                None => Err(Failed { error: "Runtime.ExitError".into(), cause: String::new() }),
                Some(outcome) => outcome.map_err(Failed::from),
            }
        });
        // The sweep finds what could not be parked.
        drop(parked.await);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
