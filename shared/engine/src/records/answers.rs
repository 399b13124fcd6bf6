//! Idempotency keys: for 24 hours a tenant's key gets the same answer as its first request.

use super::{Records, transact_put};
use crate::desk::Answer;
use crate::errors::Result;
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

const LIFE: SignedDuration = SignedDuration::from_hours(24);

#[derive(Serialize, Deserialize)]
struct Stored {
    fingerprint: String,
    body: String,
    /// Epoch seconds; DynamoDB drops the item some time later.
    expires_at: i64,
}

impl Records {
    pub(super) fn put_answer(&self, tenant: &str, key: &str, answer: &Answer, now: Timestamp) -> Result<TransactWriteItem> {
        let Answer { fingerprint, body } = answer.clone();
        let put = self
            .put(&partition(tenant, key), "KEY", &Stored { fingerprint, body, expires_at: (now + LIFE).as_second() })?
            .condition_expression("attribute_not_exists(pk) OR expires_at < :now")
            .expression_attribute_values(":now", AttributeValue::N(now.as_second().to_string()));
        transact_put(put)
    }

    pub(super) async fn stored_answer(&self, tenant: &str, key: &str, now: Timestamp) -> Result<Option<Answer>> {
        let stored: Option<Stored> = self.get(&partition(tenant, key), "KEY").await?;
        let valid = stored.filter(|stored| stored.expires_at >= now.as_second());
        Ok(valid.map(|stored| Answer { fingerprint: stored.fingerprint, body: stored.body }))
    }
}

fn partition(tenant: &str, key: &str) -> String {
    format!("IDEMPOTENCY#{tenant}#{key}")
}
