//! Tearing a cluster down, and what becomes of its data.

use super::{Deletion, Request, Requests};
use crate::desk::change;
use crate::errors::Error;
use crate::records::record::Record;
use wire::inventory::Found;
use wire::problem::Problem;
use wire::spec::{Data, Fault};
use wire::status::{Desired, Status};

impl Requests {
    /// Repeating it changes nothing. What it says about the data counts even if the cluster is going down already: then a new run looks at
    /// everything again.
    pub(super) async fn delete(&self, request: &Request, deletion: &Deletion) -> Result<Record, Problem> {
        let record = self.find(&request.tenant, &deletion.name).await?;
        check(&record, deletion.data)?;
        let begin = |record: &mut Record| {
            // In between the last run may have ended.
            if is_too_late(record, deletion.data) {
                return Err(Error::superseded());
            }
            let at_work = record.status == Status::Terminating || record.status.is_over();
            if !at_work || says_otherwise(record, deletion.data) {
                record.data = deletion.data.or(record.data);
                record.begin_run(Desired::Absent, self.desk.now());
                record.asked_by = Some(request.actor.clone());
            }
            Ok(())
        };
        match change(self.desk.as_ref(), &record.id, begin, |record| self.traces(request, record)).await {
            Ok((record, ())) => Ok(record),
            Err(error) if error == Error::superseded() => Err(too_late(&self.find(&request.tenant, &deletion.name).await?)),
            Err(error) => Err(error.into()),
        }
    }
}

fn check(record: &Record, data: Option<Data>) -> Result<(), Problem> {
    let is_theirs = record.spec.read().is_ok_and(|spec| spec.self_managed().is_some());
    if is_theirs && data.is_some() {
        let message = "only for a cluster with mode managed: of a self-managed one the data is yours alone, and stays";
        return Err(Problem::invalid(vec![Fault::new("data", message)]));
    }
    if is_too_late(record, data) { Err(too_late(record)) } else { Ok(()) }
}

fn says_otherwise(record: &Record, data: Option<Data>) -> bool {
    data.is_some_and(|data| data != record.data())
}

/// It is over, and something was kept that was to be deleted.
fn is_too_late(record: &Record, data: Option<Data>) -> bool {
    let is_kept = record.status == Status::Forgotten || !removable(record).is_empty();
    record.status.is_over() && data == Some(Data::Delete) && record.data() == Data::Keep && is_kept
}

fn too_late(record: &Record) -> Problem {
    match record.status {
        Status::Forgotten => Problem::already_forgotten(&record.name),
        _ => Problem::already_deleted(&record.name, removable(record)),
    }
}

/// What was kept and the tenant may remove.
fn removable(record: &Record) -> Vec<Found> {
    let kept = record.inventory.iter().flat_map(|inventory| &inventory.kept);
    kept.filter(|found| found.remove.is_some()).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::Cluster;
    use jiff::Timestamp;
    use serde_json::json;
    use wire::inventory::Inventory;
    use wire::status::EndpointAccess;

    fn record(cluster: Cluster, status: Status, kept: Vec<Found>) -> Record {
        let Cluster { id, tenant, spec, .. } = cluster;
        let mut record = Record::new(id, tenant, spec, EndpointAccess::Given, Timestamp::UNIX_EPOCH);
        record.set_status(status, Timestamp::UNIX_EPOCH);
        record.inventory = Some(Inventory { left: vec![], kept });
        record
    }

    #[test]
    fn a_word_about_the_data_is_too_late_once_it_was_kept() {
        let volume = || Found { remove: Some("aws x".into()), ..Found::new("volume", "vol-1", "a claim's") };
        let role = || Found::new("service-linked role", "a", "AWS keeps it");
        for (spec, status, kept, said, refused, reason) in [
            ("keep", Status::Deleted, vec![volume(), role()], Some(Data::Delete), true, "a volume was kept"),
            ("keep", Status::Deleted, vec![role()], Some(Data::Delete), false, "nothing was kept that could go"),
            ("keep", Status::Deleted, vec![volume()], Some(Data::Keep), false, "so it was"),
            ("keep", Status::Deleted, vec![volume()], None, false, "a mere repetition"),
            (
                "delete",
                Status::Deleted,
                vec![volume()],
                Some(Data::Delete),
                false,
                "a repetition of what was done: the rest is no data of ours",
            ),
            ("keep", Status::Forgotten, vec![], Some(Data::Delete), true, "nobody knows what is there"),
            ("keep", Status::DeleteBlocked, vec![volume()], Some(Data::Delete), false, "the next run does it"),
        ] {
            let record = record(Cluster::example(json!({"deletion": {"data": spec}})), status, kept);
            let problem = check(&record, said).err();
            assert_eq!(problem.as_ref().map(|problem| problem.status), refused.then_some(409), "{reason}");
            assert!(problem.is_none_or(|problem| problem.kept.iter().all(|found| found.remove.is_some())), "{reason}");
        }
    }

    #[test]
    fn the_data_of_a_self_managed_cluster_is_not_ours_to_speak_of() {
        let record = record(Cluster::self_managed(json!({})), Status::Running, vec![]);
        assert_eq!(check(&record, Some(Data::Delete)).err().map(|problem| problem.status), Some(400));
        assert_eq!(check(&record, None), Ok(()));
    }
}
