//! Which cluster has a tenant's name, and which the tenant had. A name stays with a deleted cluster, whose record can still be read, until a new one takes it.

use super::{Records, events, record::Record, transact_put};
use crate::errors::{Called, Error, Result};
use crate::names::is_cluster_id;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, TransactWriteItem};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use wire::error::Code;

#[derive(Debug, Serialize, Deserialize)]
pub struct Taken {
    pub cluster_id: String,
    /// The cluster is deleted: anyone may take the name.
    pub released: bool,
    /// A deleted cluster's hold on the name goes with its record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<i64>,
}

impl Records {
    pub(super) async fn named(&self, tenant: &str, name: &str) -> Result<Option<Record>> {
        match self.get::<Taken>(&tenant_pk(tenant), &format!("NAME#{name}")).await? {
            None => Ok(None),
            // DynamoDB may have dropped the record since the cluster was deleted.
            Some(taken) => self.get(&super::cluster_pk(&taken.cluster_id), "RECORD").await,
        }
    }

    /// The tenant's clusters that are not deleted, by name.
    pub async fn clusters(&self, tenant: &str) -> Result<Vec<Record>> {
        let names = self.list::<Taken>(&tenant_pk(tenant), "NAME#").await?;
        let ids: Vec<String> = names.into_iter().filter(|(_, taken)| !taken.released).map(|(_, taken)| taken.cluster_id).collect();
        let mut records = self.all(&ids).await?;
        records.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(records)
    }

    async fn batch(&self, ids: &[String]) -> Result<Vec<Record>> {
        let mut records = Vec::new();
        let mut left = Some(self.keys_of(ids)?);
        while let Some(keys) = left.take() {
            let answer = self.db.batch_get_item().request_items(&self.table, keys).send().await.called("dynamodb:BatchGetItem")?;
            let found = answer.responses.and_then(|mut tables| tables.remove(&self.table)).unwrap_or_default();
            records.extend(found.into_iter().filter_map(readable));
            left = answer.unprocessed_keys.and_then(|mut tables| tables.remove(&self.table));
        }
        Ok(records)
    }

    fn keys_of(&self, ids: &[String]) -> Result<KeysAndAttributes> {
        let keys = ids.iter().map(|id| {
            super::Item::from([
                ("pk".to_owned(), AttributeValue::S(super::cluster_pk(id))),
                ("sk".to_owned(), AttributeValue::S("RECORD".into())),
            ])
        });
        KeysAndAttributes::builder()
            .set_keys(Some(keys.collect()))
            .consistent_read(true)
            .build()
            .map_err(|error| Error::caused(Code::Build, &error))
    }

    /// Takes a name that is new or free.
    pub(super) fn take_name(&self, record: &Record) -> Result<TransactWriteItem> {
        let taken = Taken { cluster_id: record.id.clone(), released: false, expires_at: None };
        let put = self
            .put(&tenant_pk(&record.tenant), &format!("NAME#{}", record.name), &taken)?
            .condition_expression("attribute_not_exists(pk) OR released = :yes")
            .expression_attribute_values(":yes", AttributeValue::Bool(true));
        transact_put(put)
    }

    /// Gives the name of a deleted cluster back, if it still has it.
    pub(super) fn free_name(&self, record: &Record) -> Result<TransactWriteItem> {
        let taken = Taken { cluster_id: record.id.clone(), released: true, expires_at: record.expires_at };
        let put = self
            .put(&tenant_pk(&record.tenant), &format!("NAME#{}", record.name), &taken)?
            .condition_expression("cluster_id = :id")
            .expression_attribute_values(":id", AttributeValue::S(record.id.clone()));
        transact_put(put)
    }
}

/// A deleted cluster in its tenant's list of them, which is kept as long as its log is.
#[derive(Debug, Serialize, Deserialize)]
struct Deleted {
    deleted_at: Timestamp,
    expires_at: i64,
}

/// The most deleted clusters in a list.
const MOST_DELETED: usize = 1000;

impl Records {
    /// The tenant's cluster with this id, even a deleted one. Another tenant's is as absent as one that never existed.
    pub async fn with_id(&self, tenant: &str, id: &str) -> Result<Option<Record>> {
        if !is_cluster_id(id) {
            return Ok(None);
        }
        let record: Option<Record> = self.get(&super::cluster_pk(id), "RECORD").await?;
        Ok(record.filter(|record| record.tenant == tenant))
    }

    /// True for a deleted cluster of the tenant whose log is kept, even if its record is not.
    pub async fn had(&self, tenant: &str, id: &str) -> Result<bool> {
        if !is_cluster_id(id) {
            return Ok(false);
        }
        let found: Option<Deleted> = self.get(&tenant_pk(tenant), &format!("DELETED#{id}")).await?;
        Ok(found.is_some())
    }

    /// The tenant's deleted clusters whose records are kept, the last deleted first.
    pub async fn deleted(&self, tenant: &str) -> Result<Vec<Record>> {
        let mut deleted = self.list::<Deleted>(&tenant_pk(tenant), "DELETED#").await?;
        deleted.sort_by_key(|(_, one)| Reverse(one.deleted_at));
        deleted.truncate(MOST_DELETED);
        let ids: Vec<String> = deleted.into_iter().map(|(id, _)| id).collect();
        let mut records = self.all(&ids).await?;
        records.sort_by_key(|record| Reverse(record.updated_at));
        Ok(records)
    }

    pub(super) fn list_deleted(&self, record: &Record) -> Result<TransactWriteItem> {
        let deleted = Deleted { deleted_at: record.updated_at, expires_at: (record.updated_at + events::KEPT).as_second() };
        transact_put(self.put(&tenant_pk(&record.tenant), &format!("DELETED#{}", record.id), &deleted)?)
    }

    async fn all(&self, ids: &[String]) -> Result<Vec<Record>> {
        let mut records = Vec::new();
        // BatchGetItem takes a hundred keys at a time.
        for some in ids.chunks(100) {
            records.extend(self.batch(some).await?);
        }
        Ok(records)
    }
}

/// One record that this version cannot read, because a newer one wrote it, is not to hide all others.
fn readable(item: super::Item) -> Option<Record> {
    let record = super::read(item);
    record.inspect_err(|error: &Error| tracing::error!(detail = error.detail, "a record is left out of a list")).ok()
}

pub(super) fn tenant_pk(tenant: &str) -> String {
    format!("TENANT#{tenant}")
}
