//! What we intended and what came of it, written before the call.

use crate::errors::Result;
use crate::resource::{Key, Outputs};
use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Its create was about to be called and nobody has seen it yet: absent is not believed within the grace.
    Creating,
    /// Seen on AWS, on its way or half-made.
    Pending,
    Ready,
    Broken,
    /// Its delete was about to be called.
    Deleting,
    /// Seen to be absent on the way down.
    Gone,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    pub state: State,
    /// When the state was entered.
    pub since: Timestamp,
    /// The run (execution of a request) that wrote the entry.
    pub run: u64,
    #[serde(default)]
    pub outputs: Outputs,
    /// Why it is broken, or what it waits for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Entry {
    pub fn new(state: State, run: u64) -> Self {
        Self { state, since: Timestamp::now(), run, outputs: Outputs::new(), note: None }
    }
}

/// A cluster's journal, as one invocation may write it. Every write fails with `Superseded` once a newer request owns the cluster.
#[async_trait]
pub trait Journal: Send + Sync {
    /// The run that this invocation belongs to.
    fn run(&self) -> u64;
    async fn entries(&self) -> Result<BTreeMap<Key, Entry>>;
    async fn write(&self, key: &Key, entry: &Entry) -> Result<()>;
    async fn forget(&self, key: &Key) -> Result<()>;
}
