//! A cluster's events: who, what, when, on what, from where. The log that a user reads.

use super::{Records, cluster_pk, transact_put};
use crate::errors::{Called, Result};
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

const PREFIX: &str = "EVENT#";
/// How long an event can be read.
const KEPT: jiff::SignedDuration = jiff::SignedDuration::from_hours(24 * 400);

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Event {
    pub at: Timestamp,
    /// `tenant:<subject of the token>`, `queue:AIDA…`, `stage:create-eks`, `sweep`.
    pub actor: String,
    /// `requested`, `creating`, `ready`, `deleting`, `gone`, `parked` …
    pub action: String,
    /// A resource's key, a stage, or the cluster.
    pub target: String,
    pub message: String,
    /// Where a request came from: an address, or the queue's sender.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
}

impl Event {
    pub fn new(actor: impl Into<String>, action: &str, target: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            at: Timestamp::now(),
            actor: actor.into(),
            action: action.into(),
            target: target.into(),
            message: message.into(),
            from: None,
        }
    }
}

#[derive(Serialize)]
struct Stored<'a> {
    #[serde(flatten)]
    event: &'a Event,
    /// Epoch seconds after which DynamoDB may drop it.
    expires_at: i64,
}

/// An event and its id: sortable, unique, and the cursor of the next page.
#[derive(Debug, Serialize)]
pub struct Listed {
    pub id: String,
    #[serde(flatten)]
    pub event: Event,
}

/// True for what could be an event's id, and for the beginning.
pub fn is_cursor(text: &str) -> bool {
    text.len() <= 32 && text.chars().all(|character| character.is_ascii_hexdigit() || character == '-')
}

impl Records {
    pub(crate) fn put_event(&self, cluster_id: &str, event: &Event) -> Result<TransactWriteItem> {
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
            // '~' sorts behind every id.
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
