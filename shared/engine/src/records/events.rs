//! A cluster's events: who, what, when, on what, from where. The log that a user reads.

use super::{Records, cluster_pk, transact_put};
use crate::errors::{Called, Result};
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use serde::Serialize;
use wire::event::{Event, Listed};

const PREFIX: &str = "EVENT#";
/// How long an event is kept.
pub(super) const KEPT: jiff::SignedDuration = jiff::SignedDuration::from_hours(24 * 400);

#[derive(Serialize)]
struct Stored<'a> {
    #[serde(flatten)]
    event: &'a Event,
    /// Epoch seconds after which DynamoDB may drop it.
    expires_at: i64,
}

/// True if it could be an event's id, or is the beginning.
pub fn is_cursor(text: &str) -> bool {
    text.len() <= 32 && text.chars().all(|character| character.is_ascii_hexdigit() || character == '-')
}

impl Records {
    pub(super) fn put_event(&self, cluster_id: &str, event: &Event) -> Result<TransactWriteItem> {
        let expires_at = (event.at + KEPT).as_second();
        let id = format!("{PREFIX}{:017}-{:08x}", event.at.as_microsecond(), rand::random::<u32>());
        transact_put(self.put(&cluster_pk(cluster_id), &id, &Stored { event, expires_at })?)
    }

    /// At most `limit` events after the cursor, oldest first.
    pub async fn events(&self, cluster_id: &str, after: &str, limit: i32) -> Result<Vec<Listed>> {
        let answer = self
            .db
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk AND sk BETWEEN :after AND :end")
            .expression_attribute_values(":pk", AttributeValue::S(cluster_pk(cluster_id)))
            // '~' sorts after every id.
            .expression_attribute_values(":after", AttributeValue::S(format!("{PREFIX}{after}")))
            .expression_attribute_values(":end", AttributeValue::S(format!("{PREFIX}~")))
            .consistent_read(true)
            .limit(limit + 1)
            .send()
            .await
            .called("dynamodb:Query")?;
        let mut events = Vec::new();
        for item in answer.items.unwrap_or_default() {
            let id = super::rest_of_key(&item, PREFIX);
            if id != after && events.len() < limit.unsigned_abs() as usize {
                events.push(Listed { id, event: super::read(item)? });
            }
        }
        Ok(events)
    }
}
