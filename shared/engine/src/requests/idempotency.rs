//! Idempotency keys: for 24 hours a tenant's key gets the answer that its first request got.

use crate::errors::{Error, Result};
use crate::records::{Records, transact_put};
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

const LIFE: SignedDuration = SignedDuration::from_hours(24);

#[derive(Debug, Serialize, Deserialize)]
pub struct Answer {
    /// The request that the key was first used for.
    pub fingerprint: String,
    /// The answer's body as JSON text, so that it comes back to the letter.
    body: String,
    /// Epoch seconds; DynamoDB drops the item some time later.
    expires_at: i64,
}

impl Answer {
    pub fn body(&self) -> Result<Value> {
        serde_json::from_str(&self.body).map_err(|error| Error::permanent("Answer", error.to_string()))
    }
}

impl Records {
    pub(crate) fn put_answer(&self, tenant: &str, key: &str, fingerprint: &str, body: &Value) -> Result<TransactWriteItem> {
        let now = Timestamp::now();
        let answer = Answer { fingerprint: fingerprint.to_owned(), body: body.to_string(), expires_at: (now + LIFE).as_second() };
        let put = self
            .put(&partition(tenant, key), "KEY", &answer)?
            .condition_expression("attribute_not_exists(pk) OR expires_at < :now")
            .expression_attribute_values(":now", AttributeValue::N(now.as_second().to_string()));
        transact_put(put)
    }

    pub(crate) async fn answer(&self, tenant: &str, key: &str) -> Result<Option<Answer>> {
        let answer: Option<Answer> = self.get(&partition(tenant, key), "KEY").await?;
        Ok(answer.filter(|answer| answer.expires_at >= Timestamp::now().as_second()))
    }
}

fn partition(tenant: &str, key: &str) -> String {
    format!("IDEMPOTENCY#{tenant}#{key}")
}
