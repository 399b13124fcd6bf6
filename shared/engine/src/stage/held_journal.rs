//! A cluster's journal for one invocation, which may write as long as it holds the lease.

use crate::desk::{Desk, Hold};
use crate::errors::{Error, Result};
use crate::journal::Journal;
use async_trait::async_trait;
use jiff::Timestamp;
use std::collections::BTreeMap;
use wire::journal::Entry;
use wire::key::Key;

pub(super) struct HeldJournal<'a> {
    pub desk: &'a dyn Desk,
    pub hold: Hold,
}

impl HeldJournal<'_> {
    async fn enter(&self, key: &Key, entry: Option<&Entry>) -> Result<()> {
        if self.desk.enter(&self.hold, key, entry).await? { Ok(()) } else { Err(Error::superseded()) }
    }
}

#[async_trait]
impl Journal for HeldJournal<'_> {
    fn run(&self) -> u64 {
        self.hold.run
    }

    fn now(&self) -> Timestamp {
        self.desk.now()
    }

    async fn entries(&self) -> Result<BTreeMap<Key, Entry>> {
        self.desk.journal(&self.hold.cluster_id).await
    }

    async fn write(&self, key: &Key, entry: &Entry) -> Result<()> {
        self.enter(key, Some(entry)).await
    }

    async fn forget(&self, key: &Key) -> Result<()> {
        self.enter(key, None).await
    }
}
