//! The journal in the table. Each write is one transaction: the lease still held, the entry, and the event that tells of it.

use super::{Records, cluster_pk, events::Event, transact_put};
use crate::errors::{Error, Result};
use crate::journal::{Entry, Journal, State};
use crate::resource::{Key, Stage};
use async_trait::async_trait;
use aws_sdk_dynamodb::types::{AttributeValue, ConditionCheck, Delete, TransactWriteItem};
use std::collections::BTreeMap;
use tokio::sync::Mutex;

const PREFIX: &str = "RESOURCE#";

/// The journal of one cluster in the hands of one invocation.
pub struct TableJournal {
    pub records: Records,
    pub cluster_id: String,
    pub stage: Stage,
    pub holder: String,
    pub run: u64,
    /// Transactions that check the same record conflict, so one goes at a time.
    turn: Mutex<()>,
}

impl TableJournal {
    pub fn new(records: Records, cluster_id: String, stage: Stage, holder: String, run: u64) -> Self {
        Self { records, cluster_id, stage, holder, run, turn: Mutex::default() }
    }

    fn lease_held(&self) -> Result<TransactWriteItem> {
        let check = ConditionCheck::builder()
            .table_name(&self.records.table)
            .key("pk", AttributeValue::S(cluster_pk(&self.cluster_id)))
            .key("sk", AttributeValue::S("RECORD".into()))
            .condition_expression("run = :run AND leases.#stage.holder = :holder")
            .expression_attribute_names("#stage", self.stage.to_string())
            .expression_attribute_values(":run", AttributeValue::N(self.run.to_string()))
            .expression_attribute_values(":holder", AttributeValue::S(self.holder.clone()))
            .build()
            .map_err(|error| Error::permanent("Build", error.to_string()))?;
        Ok(TransactWriteItem::builder().condition_check(check).build())
    }

    fn deletion(&self, key: &Key) -> Result<TransactWriteItem> {
        let delete = Delete::builder()
            .table_name(&self.records.table)
            .key("pk", AttributeValue::S(cluster_pk(&self.cluster_id)))
            .key("sk", AttributeValue::S(format!("{PREFIX}{key}")))
            .build()
            .map_err(|error| Error::permanent("Build", error.to_string()))?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }

    fn event(&self, key: &Key, action: &str, message: &str) -> Result<TransactWriteItem> {
        self.records.put_event(&self.cluster_id, &Event::new(format!("stage:{}", self.stage), action, &key.0, message))
    }

    async fn commit(&self, items: Vec<TransactWriteItem>) -> Result<()> {
        let _turn = self.turn.lock().await;
        match self.records.commit(items).await? {
            true => Ok(()),
            false => Err(Error::superseded()),
        }
    }
}

#[async_trait]
impl Journal for TableJournal {
    fn run(&self) -> u64 {
        self.run
    }

    async fn entries(&self) -> Result<BTreeMap<Key, Entry>> {
        self.records.journal(&self.cluster_id).await
    }

    async fn write(&self, key: &Key, entry: &Entry) -> Result<()> {
        let put = self.records.put(&cluster_pk(&self.cluster_id), &format!("{PREFIX}{key}"), entry)?;
        let event = self.event(key, action(entry.state), entry.note.as_deref().unwrap_or_default())?;
        self.commit(vec![self.lease_held()?, transact_put(put)?, event]).await
    }

    async fn forget(&self, key: &Key) -> Result<()> {
        self.commit(vec![self.lease_held()?, self.deletion(key)?, self.event(key, "refused", "")?]).await
    }
}

impl Records {
    pub async fn journal(&self, cluster_id: &str) -> Result<BTreeMap<Key, Entry>> {
        let entries = self.list(&cluster_pk(cluster_id), PREFIX).await?;
        Ok(entries.into_iter().map(|(key, entry)| (Key(key), entry)).collect())
    }
}

fn action(state: State) -> &'static str {
    match state {
        State::Creating => "creating",
        State::Pending => "pending",
        State::Ready => "ready",
        State::Broken => "broken",
        State::Deleting => "deleting",
        State::Gone => "gone",
    }
}
