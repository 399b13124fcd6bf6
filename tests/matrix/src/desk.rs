//! The records in memory, with a clock that the tests set. As with DynamoDB, others come in between a read and a write.

use crate::log::{Log, Step};
use crate::process;
use async_trait::async_trait;
use cloud::faults::When;
use engine::desk::{Answer, Desk, Hold, With, Written};
use engine::errors::{Error, Result};
use engine::records::record::Record;
use jiff::{SignedDuration, Timestamp};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep};
use wire::error::Class;
use wire::journal::{Entry, State};
use wire::key::Key;
use wire::status::Status;

/// How a write goes wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum WriteFault {
    Crash(When),
    FailedInside,
    TimedOutAfterEffect,
}

/// A rule of the desk that is switched off, to see that a case then fails.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Lax {
    /// Intents are not written.
    pub forgets_intents: bool,
    /// Leases are ignored.
    pub without_lease: bool,
    /// The run is not compared.
    pub without_run: bool,
    /// The run ends as soon as one thing is given up.
    pub stops_at_the_first_trouble: bool,
}

/// What was written, and when it was frozen.
#[derive(Clone)]
pub struct Frozen {
    papers: Papers,
    now: Timestamp,
}

#[derive(Clone, Default)]
struct Papers {
    records: BTreeMap<String, Record>,
    journals: BTreeMap<String, BTreeMap<Key, Entry>>,
}

pub struct MemoryDesk {
    papers: Mutex<Papers>,
    began: Timestamp,
    set_up: Instant,
    /// How far the clock was put forward or back.
    jump: Mutex<SignedDuration>,
    /// Which write goes wrong, counted from 1, and how.
    fault: Mutex<Option<(usize, WriteFault)>>,
    writes: Mutex<usize>,
    rng: Mutex<StdRng>,
    log: Log,
    pub lax: Lax,
}

impl MemoryDesk {
    pub fn new(log: Log) -> Self {
        Self::thawed(&Frozen { papers: Papers::default(), now: Timestamp::UNIX_EPOCH }, 0, log)
    }

    /// A desk as it was frozen; the seed decides how long reads and writes take.
    pub fn thawed(frozen: &Frozen, seed: u64, log: Log) -> Self {
        Self {
            papers: Mutex::new(frozen.papers.clone()),
            began: frozen.now,
            set_up: Instant::now(),
            jump: Mutex::default(),
            fault: Mutex::default(),
            writes: Mutex::default(),
            rng: Mutex::new(StdRng::seed_from_u64(seed)),
            log,
            lax: Lax::default(),
        }
    }

    pub fn frozen(&self) -> Frozen {
        Frozen { papers: lock(&self.papers).clone(), now: self.now() }
    }

    pub fn put(&self, record: Record) {
        lock(&self.papers).records.insert(record.id.clone(), record);
    }

    /// As if this key had been written in place of that one.
    pub fn rename(&self, id: &str, key: &Key, before: &Key) {
        let mut papers = lock(&self.papers);
        let journal = papers.journals.entry(id.to_owned()).or_default();
        if let Some(entry) = journal.remove(key) {
            journal.insert(before.clone(), entry);
        }
    }

    /// The n-th write, counted from 1, goes wrong.
    pub fn fail(&self, nth: usize, fault: Option<WriteFault>) {
        *lock(&self.writes) = 0;
        *lock(&self.fault) = fault.map(|fault| (nth, fault));
    }

    /// True if the write that was to go wrong has come.
    pub fn has_failed(&self) -> bool {
        lock(&self.fault).is_none()
    }

    pub fn put_clock(&self, forward: SignedDuration) {
        *lock(&self.jump) += forward;
    }

    /// A record as it is now, without waiting.
    pub fn peek(&self, id: &str) -> Record {
        lock(&self.papers).records[id].clone()
    }

    /// A journal as it is now, without waiting.
    pub fn entries(&self, id: &str) -> BTreeMap<Key, Entry> {
        lock(&self.papers).journals.get(id).cloned().unwrap_or_default()
    }

    /// Every call to the table takes some milliseconds.
    async fn takes_time(&self) {
        let time = Duration::from_micros(lock(&self.rng).random_range(1000..8000));
        sleep(time).await;
    }

    /// Counted and logged in the order in which writes reach the table.
    async fn change<T>(&self, what: Step, effect: impl FnOnce(&mut Papers) -> T) -> Result<T> {
        self.takes_time().await;
        self.log.write(what);
        let number = {
            let mut writes = lock(&self.writes);
            *writes += 1;
            *writes
        };
        let fault = lock(&self.fault).take_if(|(nth, _)| *nth == number).map(|(_, fault)| fault);
        match fault {
            Some(WriteFault::Crash(When::BeforeEffect)) => return process::crash().await,
            Some(WriteFault::FailedInside) => return Err(lost("InternalServerError")),
            Some(WriteFault::Crash(When::AfterEffect) | WriteFault::TimedOutAfterEffect) | None => {}
        }
        let outcome = effect(&mut lock(&self.papers));
        match fault {
            Some(WriteFault::Crash(_)) => process::crash().await,
            Some(_) => Err(lost("NoAnswer")),
            None => Ok(outcome),
        }
    }
}

fn lost(code: &str) -> Error {
    Error { class: Class::Transient, ..Error::of(code.into(), "the table did not answer") }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What in a record says how far its cluster is: everything except holders and times.
fn gist(record: &Record) -> String {
    let leases: Vec<_> = record.leases.keys().collect();
    let stages: Vec<_> = record.stages.iter().map(|(stage, progress)| (stage, progress.run, progress.ready_at.is_some())).collect();
    let failure = record.failure.as_ref().map(|failure| &failure.code);
    format!("{:?} {} {leases:?} {stages:?} {failure:?}", record.status, record.run)
}

impl Papers {
    fn holds(&self, hold: &Hold, lax: Lax) -> bool {
        let Some(record) = self.records.get(&hold.cluster_id) else { return false };
        let leased = record.leases.get(&hold.stage).is_some_and(|lease| lease.holder == hold.holder);
        (lax.without_run || record.run == hold.run) && (lax.without_lease || leased)
    }

    fn has_name(&self, record: &Record) -> bool {
        let same = |other: &&Record| other.tenant == record.tenant && other.name == record.name && other.status != Status::Deleted;
        self.records.values().filter(same).any(|other| other.id != record.id)
    }
}

#[async_trait]
impl Desk for MemoryDesk {
    fn now(&self) -> Timestamp {
        self.began + self.set_up.elapsed() + *lock(&self.jump)
    }

    async fn record(&self, id: &str) -> Result<Record> {
        self.takes_time().await;
        let mut record = self.peek(id);
        if self.lax.without_lease {
            record.leases.clear();
        }
        Ok(record)
    }

    async fn find(&self, tenant: &str, name: &str) -> Result<Option<Record>> {
        self.takes_time().await;
        let papers = lock(&self.papers);
        Ok(papers.records.values().find(|record| record.tenant == tenant && record.name == name).cloned())
    }

    async fn write(&self, record: &Record, seen: Option<u64>, with: &[With]) -> Result<Written> {
        self.change(Step::Record(gist(record)), |papers| {
            if papers.records.get(&record.id).map(|there| there.version) != seen {
                return Written::RecordChanged;
            }
            if with.iter().any(|one| matches!(one, With::Arrival { .. })) && papers.has_name(record) {
                return Written::NameTaken;
            }
            papers.records.insert(record.id.clone(), record.clone());
            Written::Done
        })
        .await
    }

    async fn pause(&self) {
        let time = Duration::from_millis(lock(&self.rng).random_range(5..60));
        sleep(time).await;
    }

    async fn journal(&self, id: &str) -> Result<BTreeMap<Key, Entry>> {
        self.takes_time().await;
        Ok(self.entries(id))
    }

    async fn enter(&self, hold: &Hold, key: &Key, entry: Option<&Entry>) -> Result<bool> {
        if self.lax.forgets_intents && entry.is_some_and(|entry| entry.state == State::Creating) {
            return Ok(true);
        }
        self.change(Step::Entry(format!("{key} {:?}", entry.map(|entry| entry.state))), |papers| {
            if !papers.holds(hold, self.lax) {
                return false;
            }
            let journal = papers.journals.entry(hold.cluster_id.clone()).or_default();
            match entry {
                Some(entry) => drop(journal.insert(key.clone(), entry.clone())),
                None => drop(journal.remove(key)),
            }
            true
        })
        .await
    }

    async fn unsettled(&self) -> Result<Vec<String>> {
        let papers = lock(&self.papers);
        Ok(papers.records.values().filter(|record| record.is_unsettled()).map(|record| record.id.clone()).collect())
    }

    async fn answer(&self, _: &str, _: &str) -> Result<Option<Answer>> {
        Ok(None)
    }

    async fn external_id(&self, _: &str) -> Result<String> {
        Ok("an external ID".into())
    }

    async fn claim_role(&self, _: &str, _: &str) -> Result<bool> {
        Ok(true)
    }

    async fn free_role(&self, _: &str, _: &str) -> Result<()> {
        Ok(())
    }

    async fn role_of_another(&self, _: &str, _: &str) -> Result<bool> {
        Ok(false)
    }
}
