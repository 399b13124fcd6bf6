//! The records in DynamoDB, one table: clusters, their journals and events, names, tenants, roles, limits, idempotency keys.
//!
//! | pk | sk | what |
//! |---|---|---|
//! | `CLUSTER#<id>` | `RECORD` | the cluster |
//! | `CLUSTER#<id>` | `RESOURCE#<key>` | a journal entry |
//! | `CLUSTER#<id>` | `EVENT#<time>` | an event |
//! | `TENANT#<tenant>` | `NAME#<name>` | which cluster has, or last had, a name |
//! | `TENANT#<tenant>` | `PROFILE` | the tenant's external ID, here and nowhere else |
//! | `TENANT#<tenant>` | `CLUSTERS` | the ids of the clusters that count for the tenant's limit: those that are not deleted |
//! | `TENANT#<tenant>` | `MINUTE#<minutes since 1970>` | how many requests came over HTTP |
//! | `ROLE#<arn in lower case>` | `CLAIM` | the tenant that a customer's role belongs to |
//! | `IDEMPOTENCY#<tenant>#<key>` | `KEY` | the answer that a request got |
//!
//! Every write is conditional: a record carries a version, and two executions never interleave.

pub mod events;
pub mod journal;
pub mod limits;
pub mod names;
pub mod record;
pub mod roles;
pub mod tenants;

use crate::errors::{Called, Error, Result};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, CancellationReason, Put, TransactWriteItem};
use record::Record;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::HashMap;

pub type Item = HashMap<String, AttributeValue>;

/// How often a conditional write is tried again after somebody else's write came first.
const ATTEMPTS: usize = 12;

#[derive(Clone)]
pub struct Records {
    pub(crate) db: Client,
    pub(crate) table: String,
}

impl Records {
    pub fn new(config: &aws_config::SdkConfig, table: String) -> Self {
        Self { db: Client::new(config), table }
    }

    /// Reads a cluster's record as it is now.
    ///
    /// # Errors
    /// `Permanent` if there is none: ids come from our own names and events.
    pub async fn cluster(&self, id: &str) -> Result<Record> {
        self.get(&cluster_pk(id), "RECORD")
            .await?
            .ok_or_else(|| Error::permanent("NoRecord", format!("There is no record of cluster {id}.")))
    }

    /// Reads, changes and writes a record, again if somebody else wrote in between. With `also`, further items in one transaction.
    pub async fn change<T>(
        &self,
        id: &str,
        mut edit: impl FnMut(&mut Record) -> Result<T>,
        also: impl Fn(&Record) -> Result<Vec<TransactWriteItem>>,
    ) -> Result<(Record, T)> {
        for _ in 0..ATTEMPTS {
            let mut record = self.cluster(id).await?;
            let seen = record.version;
            let outcome = edit(&mut record)?;
            record.version += 1;
            record.updated_at = jiff::Timestamp::now();
            let mut items = vec![self.put_record(&record, Some(seen))?];
            items.extend(also(&record)?);
            if self.commit(items).await? {
                return Ok((record, outcome));
            }
            pause().await;
        }
        Err(Error::transient("Contention", "The cluster's record is being changed by others."))
    }

    /// Puts a record: a new one if `seen` is none, else over the version that was seen.
    pub(crate) fn put_record(&self, record: &Record, seen: Option<u64>) -> Result<TransactWriteItem> {
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

    pub(crate) fn put<T: Serialize>(&self, pk: &str, sk: &str, value: &T) -> Result<aws_sdk_dynamodb::types::builders::PutBuilder> {
        let mut item: Item = serde_dynamo::aws_sdk_dynamodb_1::to_item(value).map_err(unreadable)?;
        item.insert("pk".into(), AttributeValue::S(pk.into()));
        item.insert("sk".into(), AttributeValue::S(sk.into()));
        Ok(Put::builder().table_name(&self.table).set_item(Some(item)))
    }

    pub(crate) async fn get<T: DeserializeOwned>(&self, pk: &str, sk: &str) -> Result<Option<T>> {
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
    pub(crate) async fn list<T: DeserializeOwned>(&self, pk: &str, prefix: &str) -> Result<Vec<(String, T)>> {
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
    pub(crate) async fn commit(&self, items: Vec<TransactWriteItem>) -> Result<bool> {
        Ok(self.commit_or_refused(items).await?.is_none())
    }

    /// Writes all items, or none and answers the place of the first whose condition failed. What merely met another transaction
    /// is tried again.
    pub(crate) async fn commit_or_refused(&self, items: Vec<TransactWriteItem>) -> Result<Option<usize>> {
        for _ in 0..ATTEMPTS {
            let sent = self.db.transact_write_items().set_transact_items(Some(items.clone())).send().await;
            let Some(reasons) = sent.as_ref().err().and_then(cancellation) else {
                return sent.called("dynamodb:TransactWriteItems").map(|_| None);
            };
            let refused = reasons.iter().position(|reason| reason.code() == Some("ConditionalCheckFailed"));
            if refused.is_some() {
                return Ok(refused);
            }
            pause().await;
        }
        Err(Error::transient("Contention", "The cluster's records are being changed by others."))
    }

    /// Clusters that something is still to be done about, as the sweep finds them.
    pub async fn unsettled(&self) -> Result<Vec<String>> {
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
}

pub(crate) fn cluster_pk(id: &str) -> String {
    format!("CLUSTER#{id}")
}

pub(crate) fn transact_put(put: aws_sdk_dynamodb::types::builders::PutBuilder) -> Result<TransactWriteItem> {
    let put = put.build().map_err(|error| Error::permanent("Build", error.to_string()))?;
    Ok(TransactWriteItem::builder().put(put).build())
}

/// Why a transaction was cancelled, item by item.
fn cancellation(error: &SdkError<TransactWriteItemsError, HttpResponse>) -> Option<&[CancellationReason]> {
    match error.as_service_error()? {
        TransactWriteItemsError::TransactionCanceledException(cancelled) => Some(cancelled.cancellation_reasons()),
        _ => None,
    }
}

/// A moment of random length, so that writers who met do not meet again.
pub(crate) async fn pause() {
    tokio::time::sleep(std::time::Duration::from_millis(rand::random_range(5..60))).await;
}

fn read<T: DeserializeOwned>(item: Item) -> Result<T> {
    serde_dynamo::aws_sdk_dynamodb_1::from_item(item).map_err(unreadable)
}

fn rest_of_key(item: &Item, prefix: &str) -> String {
    let key = item.get("sk").and_then(|key| key.as_s().ok()).map_or("", String::as_str);
    key.strip_prefix(prefix).unwrap_or(key).to_owned()
}

fn unreadable(error: serde_dynamo::Error) -> Error {
    Error::permanent("Record", format!("A record cannot be read or written: {error}"))
}
