//! What requests, stages and the sweep work on: the clusters' records, and a clock.

use crate::errors::{Error, Result};
use crate::records::record::Record;
use async_trait::async_trait;
use jiff::Timestamp;
use std::collections::BTreeMap;
use wire::error::Code;
use wire::event::Event;
use wire::journal::Entry;
use wire::key::Key;
use wire::stage::Stage;

/// Every write is conditional: two executions never interleave.
#[async_trait]
pub trait Desk: Send + Sync {
    fn now(&self) -> Timestamp;

    /// A cluster's record as it is now.
    ///
    /// # Errors
    /// `Permanent` if there is none: ids come from our own names and events.
    async fn record(&self, id: &str) -> Result<Record>;

    /// The cluster that has, or last had, the tenant's name.
    async fn find(&self, tenant: &str, name: &str) -> Result<Option<Record>>;

    /// Writes a record and what goes with it, all or nothing: a new record if `seen` is none, else over the version that was seen.
    async fn write(&self, record: &Record, seen: Option<u64>, with: &[With]) -> Result<Written>;

    /// A random delay, so that writers that collided do not collide again.
    async fn pause(&self);

    async fn journal(&self, id: &str) -> Result<BTreeMap<Key, Entry>>;

    /// Writes a journal entry, or drops it if `entry` is none, with the event about it. False if the hold is lost.
    async fn enter(&self, hold: &Hold, key: &Key, entry: Option<&Entry>) -> Result<bool>;

    /// The ids of the clusters that still need something done.
    async fn unsettled(&self) -> Result<Vec<String>>;

    /// What the first request with this key asked for and which cluster it was about, as long as it is kept.
    async fn answer(&self, tenant: &str, key: &str) -> Result<Option<Answer>>;

    async fn external_id(&self, tenant: &str) -> Result<String>;

    /// Claims a customer's role for a tenant; repeating it changes nothing. False if another tenant has it.
    /// Only for a role that passed the trust test; otherwise anybody could claim other tenants' roles.
    async fn claim_role(&self, tenant: &str, arn: &str) -> Result<bool>;

    /// Gives a role back that the tenant has claimed; repeating it changes nothing.
    async fn free_role(&self, tenant: &str, arn: &str) -> Result<()>;

    /// True for a role that another tenant has claimed.
    async fn role_of_another(&self, tenant: &str, arn: &str) -> Result<bool>;
}

/// What is written together with a record.
#[derive(Clone, Debug)]
pub enum With {
    Event(Event),
    /// The cluster is new: it takes its name and one of its tenant's places for clusters.
    Arrival {
        places: u32,
    },
    /// The cluster is over: it gives back its name and place, and joins its tenant's list of those that are.
    Departure,
    /// So that the same request counts once.
    Answer {
        key: String,
        answer: Answer,
    },
}

/// What the first request with an idempotency key asked and which cluster it was about. Its repetition is answered with that cluster as it
/// is by then.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The request for which the key was first used.
    pub fingerprint: String,
    pub cluster_id: String,
}

/// What came of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    Done,
    /// Another write came in between.
    RecordChanged,
    NameTaken,
    /// All of the tenant's places are taken.
    NoPlace,
    /// The idempotency key has an answer already.
    Answered,
}

/// What an invocation must still hold when it writes to the journal: its stage's lease, in the current run.
#[derive(Clone, Debug)]
pub struct Hold {
    pub cluster_id: String,
    pub stage: Stage,
    pub holder: String,
    pub run: u64,
}

/// How often a conditional write is tried again after another write came first.
pub const ATTEMPTS: usize = 12;

/// Reads, edits and writes a record and what goes with it; again if another write came in between.
pub async fn change<T>(
    desk: &dyn Desk,
    id: &str,
    mut edit: impl FnMut(&mut Record) -> Result<T>,
    with: impl Fn(&Record) -> Vec<With>,
) -> Result<(Record, T)> {
    for _ in 0..ATTEMPTS {
        let mut record = desk.record(id).await?;
        let seen = record.version;
        let outcome = edit(&mut record)?;
        record.version += 1;
        record.updated_at = desk.now();
        match desk.write(&record, Some(seen), &with(&record)).await? {
            Written::Done => return Ok((record, outcome)),
            Written::RecordChanged => desk.pause().await,
            // The same request was accepted elsewhere, so trying again does not help.
            Written::NameTaken | Written::NoPlace | Written::Answered => break,
        }
    }
    Err(Error::of(Code::Contention, "The cluster's record is being changed by others."))
}
