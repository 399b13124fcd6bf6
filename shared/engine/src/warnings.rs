//! What a person would regret about a cluster, and that is no fault.

use crate::names::eks_cluster;
use crate::records::record::Record;
use wire::spec::{Access, Deletion, EVERYBODY, Spec};
use wire::status::Desired;
use wire::view::Warning;

/// Nothing about a cluster whose spec this version does not understand; about one that is being deleted only what can still be said.
pub fn of(record: &Record) -> Vec<Warning> {
    let Ok(spec) = record.spec.read() else { return vec![] };
    let of_now = match record.desired {
        Desired::Present => of_access(record, spec).into_iter().chain(record.advice.clone()).collect(),
        Desired::Absent => vec![],
    };
    of_now.into_iter().chain(of_defaults(record)).chain(of_data(record, spec)).collect()
}

/// The defaults that the cluster does without.
fn of_defaults(record: &Record) -> Option<Warning> {
    let left_out = &record.offering.as_ref()?.left_out;
    let message = format!(
        "The cluster's zones do not offer {} of the default instance types, so it has the others. A spec that names instance_types gets zones \
         that offer them.",
        left_out.join(", ")
    );
    (!left_out.is_empty() && record.desired == Desired::Present).then(|| Warning::new("$.instance_types", message))
}

/// A record of before that says nothing about the data, or what may have been only the default of its time.
fn of_data(record: &Record, spec: &Spec) -> Option<Warning> {
    let Deletion { data, .. } = spec.managed()?.deletion;
    let is_said = data.is_some() || spec.retains_buckets() || record.data.is_some() || record.status.is_over();
    (!is_said).then(|| Warning::new("$.deletion", KEPT))
}

const KEPT: &str = "The cluster is older than deletion.data, so its record does not tell a wish from the default of its time: its data is kept. A deletion \
     that says data=delete deletes it, too.";

fn of_access(record: &Record, spec: &Spec) -> Vec<Warning> {
    let Some(Access { administrators, public_cidrs, users: _ }) = spec.managed().map(|ours| &ours.access) else { return vec![] };
    let cluster = format!("--region {} --cluster-name {}", spec.region, eks_cluster(&record.name, &record.id));
    let nobody =
        administrators.is_empty().then(|| Warning::new("$.access.administrators", nobody_is_administrator(&cluster, spec.partition())));
    let ranges = public_cidrs.as_deref().unwrap_or_default();
    let reach = if ranges.is_empty() {
        Some(closed(&cluster.replace("--cluster-name", "--name")))
    } else {
        ranges.iter().any(|range| range == EVERYBODY).then(|| OPEN.to_owned())
    };
    nobody.into_iter().chain(reach.map(|message| Warning::new("$.access.public_cidrs", message))).collect()
}

fn nobody_is_administrator(cluster: &str, partition: &str) -> String {
    format!(
        "Nobody is the cluster's administrator, not even whoever asks for it, so kubectl lets nobody in. Once it runs, whoever may change access \
         entries in the account can let somebody in: aws eks create-access-entry {cluster} --principal-arn <ARN>, then aws eks \
         associate-access-policy {cluster} --principal-arn <ARN> --policy-arn \
         arn:{partition}:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy --access-scope type=cluster."
    )
}

fn closed(cluster: &str) -> String {
    format!(
        "The public endpoint is closed, so the cluster can be reached only from inside its VPC. A request whose access has \"public_cidrs\": \
         [\"requester\"] opens it to its own address. Once it runs: aws eks update-cluster-config {cluster} --resources-vpc-config \
         endpointPublicAccess=true,publicAccessCidrs=<your address>/32."
    )
}

const OPEN: &str =
    "The public endpoint is open to the whole internet: only IAM and the access entries protect the cluster. Name the ranges that need it.";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::Cluster;
    use crate::offering::Offering;
    use jiff::Timestamp;
    use serde_json::json;
    use wire::spec::Data;
    use wire::status::{EndpointAccess, Status};

    fn record(example: Cluster) -> Record {
        let Cluster { id, tenant, spec, .. } = example;
        Record::new(id, tenant, spec, EndpointAccess::Given, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn what_a_person_would_regret_is_said() {
        let administrator = json!("arn:aws:iam::222222222222:role/admin");
        let (nobody, reach) = ("$.access.administrators", "$.access.public_cidrs");
        for (example, expected, words) in [
            (Cluster::example(json!({})), vec![nobody, reach], "--name groundwork-research-abcdefghijkl --resources-vpc-config"),
            (Cluster::example(json!({"admin_principal_arn": administrator})), vec![reach], "is closed"),
            (Cluster::example(json!({"admin_principal_arn": administrator, "public_access_cidrs": ["0.0.0.0/0"]})), vec![reach], "whole"),
            (Cluster::example(json!({"admin_principal_arn": administrator, "public_access_cidrs": ["8.8.8.0/24"]})), vec![], ""),
            (Cluster::self_managed(json!({})), vec![], ""),
        ] {
            let warnings = of(&record(example));
            assert_eq!(warnings.iter().map(|warning| warning.path.as_str()).collect::<Vec<_>>(), expected, "{words}");
            assert!(warnings.last().is_none_or(|last| last.message.contains(words)), "{warnings:?}");
        }
    }

    #[test]
    fn what_a_check_of_the_account_was_not_sure_of_is_said_too() {
        let mut record = record(Cluster::self_managed(json!({})));
        record.advice = vec![Warning::new("$.role_arn", "It may be denied.")];
        assert_eq!(of(&record), record.advice);
    }

    #[test]
    fn the_defaults_that_a_cluster_does_without_are_named() {
        let mut record = record(Cluster::self_managed(json!({})));
        for (left_out, expected) in [(vec![], 0), (vec!["g5.xlarge".to_owned()], 1)] {
            record.offering = Some(Offering { left_out, ..Offering::default() });
            let warnings = of(&record);
            assert_eq!(warnings.len(), expected);
            assert!(warnings.iter().all(|warning| warning.message.contains("do not offer g5.xlarge of")));
        }
    }

    #[test]
    fn a_record_of_before_is_told_that_its_data_is_kept_until_somebody_speaks_of_it() {
        for (deletion, said, status, warned, reason) in [
            (json!({"buckets": "delete"}), None, Status::Running, true, "perhaps the default"),
            (json!({}), None, Status::Terminating, true, "nothing is too late yet"),
            (json!({"buckets": "delete"}), Some(Data::Delete), Status::Terminating, false, "now it is said"),
            (json!({"buckets": "delete"}), None, Status::Deleted, false, "too late"),
            (json!({"buckets": "retain"}), None, Status::Running, false, "no default was ever that"),
            (json!({"data": "keep"}), None, Status::Running, false, "today's default is written as a wish"),
        ] {
            let mut record = record(Cluster::example(json!({})));
            let mut spec = json!(record.spec);
            spec["deletion"] = deletion.clone();
            (record.spec, record.data) = (spec.into(), said);
            record.set_status(status, Timestamp::UNIX_EPOCH);
            let warnings = of(&record);
            let of_data: Vec<&Warning> = warnings.iter().filter(|warning| warning.path == "$.deletion").collect();
            assert_eq!(!of_data.is_empty(), warned, "{reason}: {deletion}");
            assert!(of_data.iter().all(|warning| warning.message.ends_with("A deletion that says data=delete deletes it, too.")));
        }
    }

    #[test]
    fn nobody_is_warned_about_a_cluster_that_goes() {
        let mut record = record(Cluster::example(json!({})));
        record.begin_run(Desired::Absent, Timestamp::UNIX_EPOCH);
        assert_eq!(of(&record), []);
    }
}
