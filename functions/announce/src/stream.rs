//! The stream of the table's records, as Lambda hands it over, and the changes that are in it.

use engine::records::record::Record;
use engine::view;
use serde::Deserialize;
use serde_dynamo::{Item, from_item};
use wire::change::{StatusChange, told};
use wire::status::Status;

/// <https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html>
#[derive(Deserialize)]
pub struct Batch {
    #[serde(rename = "Records")]
    records: Vec<Written>,
}

#[derive(Deserialize)]
struct Written {
    dynamodb: Images,
}

#[derive(Deserialize)]
struct Images {
    #[serde(rename = "NewImage")]
    after: Item,
    /// None if the record is new.
    #[serde(default, rename = "OldImage")]
    before: Option<Item>,
}

#[derive(Deserialize)]
struct Before {
    status: Status,
}

impl Batch {
    /// In their order. A record that cannot be read was written by a newer version, since rolled back, and is left out as it is in lists:
    /// an error would hold up all other clusters' changes.
    pub fn changes(self) -> Vec<StatusChange> {
        let read = |written: Written| match written.dynamodb.change() {
            Ok(change) => change,
            Err(error) => {
                tracing::error!(why = %error, "record not understood, so a change of its status is not announced");
                None
            }
        };
        self.records.into_iter().filter_map(read).collect()
    }
}

impl Images {
    /// None if the status stayed as it was: most writes are about leases and progress.
    fn change(self) -> Result<Option<StatusChange>, serde_dynamo::Error> {
        let before = self.before.map(from_item::<_, Before>).transpose()?.map(|before| before.status);
        let record: Record = from_item(self.after)?;
        Ok((before != Some(record.status)).then(|| announced(&record, before)))
    }
}

fn announced(record: &Record, before: Option<Status>) -> StatusChange {
    let cluster = view::summary(record);
    StatusChange {
        event_id: format!("{}-{}", record.id, record.version),
        version: record.version,
        tenant: record.tenant.clone(),
        previous_status: before,
        asked_by: record.asked_by.clone(),
        text: told(&record.tenant, &cluster),
        cluster,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use wire::error::Code;

    /// As DynamoDB writes it.
    fn image(status: &str, version: u64) -> Value {
        let role = "arn:aws:iam::222222222222:role/groundwork";
        let spec = json!({"name": {"S": "research"}, "role_arn": {"S": role}, "region": {"S": "us-west-2"}});
        json!({
            "pk": {"S": "CLUSTER#abcdefghijkl"}, "sk": {"S": "RECORD"}, "schema": {"N": "1"}, "id": {"S": "abcdefghijkl"},
            "tenant": {"S": "demo"}, "name": {"S": "research"}, "spec": {"M": spec}, "generation": {"N": "1"}, "desired": {"S": "present"},
            "status": {"S": status}, "endpoint_access": {"S": "closed"}, "run": {"N": "2"}, "asked_by": {"S": "tenant:ada"},
            "created_at": {"S": "2025-01-02T03:04:05.678901Z"}, "updated_at": {"S": "2025-01-02T03:04:08.678901Z"},
            "version": {"N": version.to_string()}
        })
    }

    fn changes(images: Vec<(Option<Value>, Value)>) -> Vec<StatusChange> {
        let written = images.into_iter().map(|(before, after)| match before {
            Some(before) => json!({"eventName": "MODIFY", "dynamodb": {"OldImage": before, "NewImage": after}}),
            None => json!({"eventName": "INSERT", "dynamodb": {"NewImage": after}}),
        });
        let batch: Batch = serde_json::from_value(json!({"Records": written.collect::<Vec<_>>()})).expect("a batch");
        batch.changes()
    }

    #[test]
    fn only_a_change_of_the_status_is_announced() {
        for (before, after, announced, why) in [
            (None, "queued", Some((None, Status::Queued)), "a new cluster"),
            (Some("queued"), "provisioning", Some((Some(Status::Queued), Status::Provisioning)), "its status changed"),
            (Some("provisioning"), "provisioning", None, "only its progress changed"),
            (Some("terminating"), "deleted", Some((Some(Status::Terminating), Status::Deleted)), "it is over"),
        ] {
            let told = changes(vec![(before.map(|status| image(status, 6)), image(after, 7))]);
            let told: Vec<_> = told.into_iter().map(|change| (change.previous_status, change.cluster.status)).collect();
            assert_eq!(told, announced.into_iter().collect::<Vec<_>>(), "{why}");
        }
    }

    #[test]
    fn a_change_delivered_twice_has_the_same_id_and_the_next_one_a_greater_version() {
        let one = || (Some(image("queued", 1)), image("provisioning", 2));
        let told = changes(vec![one(), one(), (Some(image("provisioning", 8)), image("running", 9))]);
        let ids: Vec<_> = told.iter().map(|change| (change.event_id.as_str(), change.version)).collect();
        assert_eq!(ids, [("abcdefghijkl-2", 2), ("abcdefghijkl-2", 2), ("abcdefghijkl-9", 9)]);
    }

    #[test]
    fn a_parked_cluster_says_why_what_to_do_and_who_asked() {
        let mut failed = image("failed", 7);
        let failure = json!({
            "run": {"N": "2"}, "stage": {"S": "create-eks"}, "class": {"S": "Customer"}, "code": {"S": "VpcLimitExceeded"},
            "reason": {"S": "No \"room\"."}, "hint": {"S": "Raise it."}
        });
        failed["failure"] = json!({"M": failure});
        let told = changes(vec![(Some(image("provisioning", 6)), failed)]).remove(0);
        assert_eq!((told.tenant.as_str(), told.asked_by.as_deref()), ("demo", Some("tenant:ada")));
        assert_eq!(told.cluster.code, Some(Code::from("VpcLimitExceeded")));
        assert_eq!((told.cluster.reason.as_deref(), told.cluster.hint.as_deref()), (Some("No \"room\"."), Some("Raise it.")));
        assert_eq!((told.cluster.account.as_deref(), told.cluster.region.as_deref()), (Some("222222222222"), Some("us-west-2")));
    }

    #[test]
    fn a_record_that_is_not_understood_holds_up_no_other() {
        let told = changes(vec![
            (Some(image("running", 1)), image("hibernating", 2)),
            (Some(image("hibernating", 2)), image("running", 3)),
            (None, image("queued", 1)),
        ]);
        assert_eq!(told.into_iter().map(|change| change.cluster.status).collect::<Vec<_>>(), [Status::Queued]);
    }
}
