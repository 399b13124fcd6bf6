//! Idempotency keys: for 24 hours a tenant's key stands for its first request and the cluster that it was about.

use super::{Records, transact_put};
use crate::desk::Answer;
use crate::errors::Result;
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

const LIFE: SignedDuration = SignedDuration::from_hours(24);

#[derive(Serialize, Deserialize)]
struct Stored {
    fingerprint: String,
    /// Rows of earlier versions have the whole answer in its place.
    #[serde(alias = "body", deserialize_with = "id_or_answer")]
    cluster_id: String,
    /// Epoch seconds; DynamoDB drops the item some time later.
    expires_at: i64,
}

/// The id, also out of an answer with a cluster.
fn id_or_answer<'de, D: serde::Deserializer<'de>>(from: D) -> std::result::Result<String, D::Error> {
    let text = String::deserialize(from)?;
    let answer: Option<Value> = serde_json::from_str(&text).ok();
    Ok(answer.and_then(|answer| answer.get("id")?.as_str().map(str::to_owned)).unwrap_or(text))
}

impl Records {
    pub(super) fn put_answer(&self, tenant: &str, key: &str, answer: &Answer, now: Timestamp) -> Result<TransactWriteItem> {
        let Answer { fingerprint, cluster_id } = answer.clone();
        let put = self
            .put(&partition(tenant, key), "KEY", &Stored { fingerprint, cluster_id, expires_at: (now + LIFE).as_second() })?
            .condition_expression("attribute_not_exists(pk) OR expires_at < :now")
            .expression_attribute_values(":now", AttributeValue::N(now.as_second().to_string()));
        transact_put(put)
    }

    pub(super) async fn stored_answer(&self, tenant: &str, key: &str, now: Timestamp) -> Result<Option<Answer>> {
        let stored: Option<Stored> = self.get(&partition(tenant, key), "KEY").await?;
        let valid = stored.filter(|stored| stored.expires_at >= now.as_second());
        Ok(valid.map(|stored| Answer { fingerprint: stored.fingerprint, cluster_id: stored.cluster_id }))
    }
}

fn partition(tenant: &str, key: &str) -> String {
    format!("IDEMPOTENCY#{tenant}#{key}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::{Item, read};
    use serde_dynamo::aws_sdk_dynamodb_1::to_item;
    use serde_json::json;

    #[test]
    fn a_key_names_its_cluster_even_in_a_row_of_an_earlier_version() {
        for (row, reason) in [
            (json!({"fingerprint": "create {}", "cluster_id": "abcdefghijkl", "expires_at": 7}), "as it is written"),
            (
                json!({"fingerprint": "create {}", "body": "{\"id\":\"abcdefghijkl\",\"name\":\"a\"}", "expires_at": 7}),
                "with the answer's body",
            ),
        ] {
            let item: Item = to_item(row).expect("an item");
            let stored: Stored = read(item).expect(reason);
            let written = json!({"fingerprint": "create {}", "cluster_id": "abcdefghijkl", "expires_at": 7});
            assert_eq!(json!(stored), written, "{reason}");
        }
    }
}
