//! What we intended, written before the call, and what came of it.

use crate::errors::Result;
use async_trait::async_trait;
use jiff::Timestamp;
use std::collections::BTreeMap;
use wire::journal::Entry;
use wire::key::Key;

/// A cluster's journal for one invocation. Every write fails with `Superseded` once a newer request owns the cluster.
#[async_trait]
pub trait Journal: Send + Sync {
    /// The run that this invocation belongs to.
    fn run(&self) -> u64;
    /// The time, by the clock that the entries are dated with.
    fn now(&self) -> Timestamp;
    async fn entries(&self) -> Result<BTreeMap<Key, Entry>>;
    async fn write(&self, key: &Key, entry: &Entry) -> Result<()>;
    async fn forget(&self, key: &Key) -> Result<()>;
}
