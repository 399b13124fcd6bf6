//! The records in DynamoDB, one table: clusters, their journals and events, names, tenants, roles, limits, idempotency keys.
//!
//! | pk | sk | what |
//! |---|---|---|
//! | `CLUSTER#<id>` | `RECORD` | the cluster |
//! | `CLUSTER#<id>` | `RESOURCE#<key>` | a journal entry |
//! | `CLUSTER#<id>` | `EVENT#<time>` | an event |
//! | `TENANT#<tenant>` | `NAME#<name>` | which cluster has, or last had, a name |
//! | `TENANT#<tenant>` | `DELETED#<id>` | when a cluster was deleted; kept as long as its events |
//! | `TENANT#<tenant>` | `PROFILE` | the tenant's external ID, stored only here |
//! | `TENANT#<tenant>` | `CLUSTERS` | the ids of the clusters that count for the tenant's limit: those that are not deleted |
//! | `TENANT#<tenant>` | `MINUTE#<minutes since 1970>` | how many requests came over HTTP |
//! | `ROLE#<arn in lower case>` | `CLAIM` | the tenant that a customer's role belongs to |
//! | `IDEMPOTENCY#<tenant>#<key>` | `KEY` | the request that a key was first used for, and its cluster |
//!
//! Every write is conditional: a record carries a version, and two executions never interleave.

mod answers;
pub mod events;
mod journal;
pub mod names;
mod quota;
pub mod record;
mod roles;
mod tenants;

use crate::desk::{ATTEMPTS, Answer, Desk, Hold, With, Written};
use crate::errors::{Called, Error, Result};
use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, CancellationReason, Put, TransactWriteItem};
use jiff::Timestamp;
use record::Record;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use tokio::sync::Mutex;
use wire::error::Code;
use wire::journal::Entry;
use wire::key::Key;

pub type Item = HashMap<String, AttributeValue>;

#[derive(Clone)]
pub struct Records {
    db: Client,
    table: String,
    /// Held while writing to a journal.
    turn: Arc<Mutex<()>>,
}

impl Records {
    pub fn new(config: &aws_config::SdkConfig, table: String) -> Self {
        Self { db: Client::new(config), table, turn: Arc::default() }
    }

    /// Puts a record: a new one if `seen` is none, else over the version that was seen.
    fn put_record(&self, record: &Record, seen: Option<u64>) -> Result<TransactWriteItem> {
        let put = self.put(&cluster_pk(&record.id), "RECORD", record)?;
        let put = match seen {
            None => put.condition_expression("attribute_not_exists(pk)"),
            Some(version) => put
                .condition_expression("#version = :version")
                .expression_attribute_names("#version", "version")
                .expression_attribute_values(":version", AttributeValue::N(version.to_string())),
        };
        transact_put(put)
    }

    fn put<T: Serialize>(&self, pk: &str, sk: &str, value: &T) -> Result<aws_sdk_dynamodb::types::builders::PutBuilder> {
        let mut item: Item = serde_dynamo::aws_sdk_dynamodb_1::to_item(value).map_err(unreadable)?;
        item.insert("pk".into(), AttributeValue::S(pk.into()));
        item.insert("sk".into(), AttributeValue::S(sk.into()));
        Ok(Put::builder().table_name(&self.table).set_item(Some(item)))
    }

    async fn get<T: DeserializeOwned>(&self, pk: &str, sk: &str) -> Result<Option<T>> {
        let answer = self
            .db
            .get_item()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(pk.into()))
            .key("sk", AttributeValue::S(sk.into()))
            .consistent_read(true)
            .send()
            .await
            .called("dynamodb:GetItem")?;
        answer.item.map(read).transpose()
    }

    /// All items of a partition whose sort key begins with `prefix`, with that key's remainder.
    async fn list<T: DeserializeOwned>(&self, pk: &str, prefix: &str) -> Result<Vec<(String, T)>> {
        let pages = self
            .db
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
            .expression_attribute_values(":pk", AttributeValue::S(pk.into()))
            .expression_attribute_values(":prefix", AttributeValue::S(prefix.into()))
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        let items: Vec<Item> = pages.collect::<Result<_, _>>().await.called("dynamodb:Query")?;
        items.into_iter().map(|item| Ok((rest_of_key(&item, prefix), read(item)?))).collect()
    }

    /// Writes all items or none. Answers false if a condition failed.
    async fn commit(&self, items: Vec<TransactWriteItem>) -> Result<bool> {
        let items: Vec<_> = items.into_iter().map(|item| (item, Written::RecordChanged)).collect();
        Ok(self.commit_all(&items).await? == Written::Done)
    }

    /// Writes all items or none. Each comes with what it means if its condition fails, and the first such meaning is returned. A mere
    /// collision with another transaction is tried again.
    async fn commit_all(&self, items: &[(TransactWriteItem, Written)]) -> Result<Written> {
        let all: Vec<TransactWriteItem> = items.iter().map(|(item, _)| item.clone()).collect();
        for _ in 0..ATTEMPTS {
            let sent = self.db.transact_write_items().set_transact_items(Some(all.clone())).send().await;
            let Some(reasons) = sent.as_ref().err().and_then(cancellation) else {
                return sent.called("dynamodb:TransactWriteItems").map(|_| Written::Done);
            };
            let mut refused = items.iter().zip(reasons).filter(|(_, reason)| reason.code() == Some("ConditionalCheckFailed"));
            if let Some(((_, meaning), _)) = refused.next() {
                return Ok(*meaning);
            }
            self.pause().await;
        }
        Err(Error::of(Code::Contention, "The cluster's records are being changed by others."))
    }

    /// The items that go with a record, each with what its refusal means.
    fn items(&self, record: &Record, with: &With) -> Result<Vec<(TransactWriteItem, Written)>> {
        Ok(match with {
            With::Event(event) => vec![(self.put_event(&record.id, event)?, Written::RecordChanged)],
            With::Arrival { places } => {
                vec![(self.take_name(record)?, Written::NameTaken), (self.take_place(record, *places)?, Written::NoPlace)]
            }
            With::Departure => {
                let items = [self.free_place(record)?, self.list_deleted(record)?].map(|item| (item, Written::RecordChanged));
                [(self.free_name(record)?, Written::RecordChanged)].into_iter().chain(items).collect()
            }
            With::Answer { key, answer } => {
                vec![(self.put_answer(&record.tenant, key, answer, record.updated_at)?, Written::Answered)]
            }
        })
    }
}

#[async_trait]
impl Desk for Records {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    async fn record(&self, id: &str) -> Result<Record> {
        let record = self.get(&cluster_pk(id), "RECORD").await?;
        record.ok_or_else(|| Error::of(Code::NoRecord, format!("There is no record of cluster {id}.")))
    }

    async fn find(&self, tenant: &str, name: &str) -> Result<Option<Record>> {
        self.named(tenant, name).await
    }

    async fn write(&self, record: &Record, seen: Option<u64>, with: &[With]) -> Result<Written> {
        if with.iter().any(|one| matches!(one, With::Departure)) {
            self.expire_entries(record).await?;
        }
        let mut items = vec![(self.put_record(record, seen)?, Written::RecordChanged)];
        for one in with {
            items.extend(self.items(record, one)?);
        }
        self.commit_all(&items).await
    }

    async fn pause(&self) {
        tokio::time::sleep(std::time::Duration::from_millis(rand::random_range(5..60))).await;
    }

    async fn journal(&self, id: &str) -> Result<BTreeMap<Key, Entry>> {
        self.entries(id).await
    }

    async fn enter(&self, hold: &Hold, key: &Key, entry: Option<&Entry>) -> Result<bool> {
        self.put_entry(hold, key, entry, self.now()).await
    }

    async fn unsettled(&self) -> Result<Vec<String>> {
        let pages = self
            .db
            .query()
            .table_name(&self.table)
            .index_name("unsettled")
            .key_condition_expression("unsettled = :yes")
            .expression_attribute_values(":yes", AttributeValue::S("yes".into()))
            .into_paginator()
            .items()
            .send();
        let items: Vec<Item> = pages.collect::<Result<_, _>>().await.called("dynamodb:Query")?;
        Ok(items.iter().filter_map(|item| item.get("pk")?.as_s().ok()?.strip_prefix("CLUSTER#").map(str::to_owned)).collect())
    }

    async fn answer(&self, tenant: &str, key: &str) -> Result<Option<Answer>> {
        self.stored_answer(tenant, key, self.now()).await
    }

    async fn external_id(&self, tenant: &str) -> Result<String> {
        self.tenants_external_id(tenant).await
    }

    async fn claim_role(&self, tenant: &str, arn: &str) -> Result<bool> {
        self.put_claim(tenant, arn).await
    }

    async fn free_role(&self, tenant: &str, arn: &str) -> Result<()> {
        self.drop_claim(tenant, arn).await
    }

    async fn role_of_another(&self, tenant: &str, arn: &str) -> Result<bool> {
        Ok(self.claimed_by(arn).await?.is_some_and(|claimant| claimant != tenant))
    }
}

fn cluster_pk(id: &str) -> String {
    format!("CLUSTER#{id}")
}

fn transact_put(put: aws_sdk_dynamodb::types::builders::PutBuilder) -> Result<TransactWriteItem> {
    let put = put.build().map_err(|error| Error::caused(Code::Build, &error))?;
    Ok(TransactWriteItem::builder().put(put).build())
}

/// Why a transaction was cancelled, item by item.
fn cancellation(error: &SdkError<TransactWriteItemsError, HttpResponse>) -> Option<&[CancellationReason]> {
    match error.as_service_error()? {
        TransactWriteItemsError::TransactionCanceledException(cancelled) => Some(cancelled.cancellation_reasons()),
        _ => None,
    }
}

/// Without the keys, which are not part of what is stored under them.
fn read<T: DeserializeOwned>(mut item: Item) -> Result<T> {
    item.retain(|name, _| name != "pk" && name != "sk");
    serde_dynamo::aws_sdk_dynamodb_1::from_item(item).map_err(unreadable)
}

fn rest_of_key(item: &Item, prefix: &str) -> String {
    let key = item.get("sk").and_then(|key| key.as_s().ok()).map_or("", String::as_str);
    key.strip_prefix(prefix).unwrap_or(key).to_owned()
}

fn unreadable(error: serde_dynamo::Error) -> Error {
    Error::caused(Code::Record, &error)
}
