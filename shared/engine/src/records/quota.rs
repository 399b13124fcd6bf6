//! What a tenant has used of its quota: places for clusters, and requests in a minute.

use super::record::Record;
use super::{Records, names::tenant_pk};
use crate::errors::{Called, Error, Result};
use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, TransactWriteItem, Update};
use jiff::Timestamp;
use wire::error::Code;

/// How long the count of a minute is kept, in seconds.
const KEPT: i64 = 3600;

impl Records {
    /// Takes one of the tenant's places for clusters, if one is free.
    pub(super) fn take_place(&self, record: &Record, places: u32) -> Result<TransactWriteItem> {
        let update = self
            .places(record)
            .update_expression("ADD ids :ids")
            .condition_expression("attribute_not_exists(ids) OR size(ids) < :places")
            .expression_attribute_values(":places", AttributeValue::N(places.to_string()));
        transact_update(update)
    }

    /// Gives a deleted cluster's place back. The places are a set of ids, not a number, so that giving it back twice does no harm.
    pub(super) fn free_place(&self, record: &Record) -> Result<TransactWriteItem> {
        transact_update(self.places(record).update_expression("DELETE ids :ids"))
    }

    fn places(&self, record: &Record) -> UpdateBuilder {
        Update::builder()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(tenant_pk(&record.tenant)))
            .key("sk", AttributeValue::S("CLUSTERS".into()))
            .expression_attribute_values(":ids", AttributeValue::Ss(vec![record.id.clone()]))
    }

    /// Counts a request of the tenant, and returns how many that makes in this minute.
    pub async fn count_request(&self, tenant: &str, now: Timestamp) -> Result<u32> {
        let answer = self
            .db
            .update_item()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(tenant_pk(tenant)))
            .key("sk", AttributeValue::S(format!("MINUTE#{}", now.as_second() / 60)))
            .update_expression("ADD requests :one SET expires_at = :then")
            .expression_attribute_values(":one", AttributeValue::N("1".into()))
            .expression_attribute_values(":then", AttributeValue::N((now.as_second() + KEPT).to_string()))
            .return_values(ReturnValue::UpdatedNew)
            .send()
            .await
            .called("dynamodb:UpdateItem")?;
        let counted = answer.attributes.as_ref().and_then(|counted| counted.get("requests")?.as_n().ok()?.parse().ok());
        counted.ok_or_else(|| Error::of(Code::Count, "The count of a tenant's requests is not a number."))
    }
}

fn transact_update(update: UpdateBuilder) -> Result<TransactWriteItem> {
    let update = update.build().map_err(|error| Error::caused(Code::Build, &error))?;
    Ok(TransactWriteItem::builder().update(update).build())
}
