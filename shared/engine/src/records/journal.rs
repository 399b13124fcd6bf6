//! The journal in the table. Each write is one transaction: the check of the hold, the entry, and the event about it.

use super::record::Record;
use super::{Records, cluster_pk, transact_put};
use crate::desk::Hold;
use crate::errors::{Called, Error, Result};
use aws_sdk_dynamodb::types::{AttributeValue, ConditionCheck, Delete, TransactWriteItem};
use futures::future::try_join_all;
use jiff::Timestamp;
use serde::de::IgnoredAny;
use std::collections::BTreeMap;
use wire::error::Code;
use wire::event::{Action, Event};
use wire::journal::Entry;
use wire::key::Key;

const PREFIX: &str = "RESOURCE#";

impl Records {
    pub async fn entries(&self, cluster_id: &str) -> Result<BTreeMap<Key, Entry>> {
        let entries = self.list(&cluster_pk(cluster_id), PREFIX).await?;
        Ok(entries.into_iter().map(|(key, entry)| (key.into(), entry)).collect())
    }

    /// False if the hold is lost.
    pub(super) async fn put_entry(&self, hold: &Hold, key: &Key, entry: Option<&Entry>, now: Timestamp) -> Result<bool> {
        let (pk, sk) = (cluster_pk(&hold.cluster_id), format!("{PREFIX}{key}"));
        let change = match entry {
            Some(entry) => transact_put(self.put(&pk, &sk, entry)?)?,
            None => self.deletion(&pk, &sk)?,
        };
        let action = entry.map_or(Action::Refused, |entry| entry.state.into());
        let message = message(&action, entry.and_then(|entry| entry.note.as_deref()));
        let event = Event::new(now, format!("stage:{}", hold.stage), action, key.to_string(), message);
        // Transactions that check the same record conflict, so a process runs one at a time.
        let _turn = self.turn.lock().await;
        self.commit(vec![self.hold_is_good(hold)?, change, self.put_event(&hold.cluster_id, &event)?]).await
    }

    /// Lets what is left of a journal go with its cluster's record. Before the cluster is deleted, not after, so that a death in between
    /// leaves nothing: the deletion comes again. An entry that is written anew does not expire.
    pub(super) async fn expire_entries(&self, record: &Record) -> Result<()> {
        let Some(expires_at) = record.expires_at else { return Ok(()) };
        let entries = self.list::<IgnoredAny>(&cluster_pk(&record.id), PREFIX).await?;
        try_join_all(entries.iter().map(|(key, _)| self.expire_entry(&record.id, key, expires_at))).await.map(drop)
    }

    async fn expire_entry(&self, cluster_id: &str, key: &str, expires_at: i64) -> Result<()> {
        self.db
            .update_item()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(cluster_pk(cluster_id)))
            .key("sk", AttributeValue::S(format!("{PREFIX}{key}")))
            .update_expression("SET expires_at = :then")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":then", AttributeValue::N(expires_at.to_string()))
            .send()
            .await
            .called("dynamodb:UpdateItem")
            .map(drop)
    }

    fn hold_is_good(&self, hold: &Hold) -> Result<TransactWriteItem> {
        let check = ConditionCheck::builder()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(cluster_pk(&hold.cluster_id)))
            .key("sk", AttributeValue::S("RECORD".into()))
            .condition_expression("run = :run AND leases.#stage.holder = :holder")
            .expression_attribute_names("#stage", hold.stage.to_string())
            .expression_attribute_values(":run", AttributeValue::N(hold.run.to_string()))
            .expression_attribute_values(":holder", AttributeValue::S(hold.holder.clone()))
            .build()
            .map_err(|error| Error::caused(Code::Build, &error))?;
        Ok(TransactWriteItem::builder().condition_check(check).build())
    }

    fn deletion(&self, pk: &str, sk: &str) -> Result<TransactWriteItem> {
        let delete = Delete::builder()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(pk.into()))
            .key("sk", AttributeValue::S(sk.into()))
            .build()
            .map_err(|error| Error::caused(Code::Build, &error))?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }
}

/// What happened in a sentence, and what is to be said about it.
fn message(action: &Action, note: Option<&str>) -> String {
    let sentence = action.of_resource().unwrap_or_default();
    [sentence].into_iter().chain(note).filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::journal::State;

    #[test]
    fn every_event_of_the_journal_is_a_sentence() {
        for state in [State::Creating, State::Pending, State::Ready, State::Broken, State::Deleting, State::Gone] {
            let said = message(&state.into(), None);
            assert!(said.starts_with(char::is_uppercase) && said.ends_with('.'), "{state:?}: {said:?}");
        }
        assert_eq!(message(&Action::Refused, None), "AWS refused to create it, so nothing was made.");
        assert_eq!(message(&Action::Ready, Some("size is 3, wanted 2")), "It is ready. size is 3, wanted 2");
    }
}
