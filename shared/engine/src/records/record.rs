//! The record of one cluster.

use crate::cluster::Cluster;
use crate::errors::{Error, Result};
use crate::offering::{self, Offering};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;
use strum::VariantArray;
use wire::cidr::Cidr;
use wire::error::{Class, Code, Turn};
use wire::instances::Hardware;
use wire::inventory::Inventory;
use wire::key::Key;
use wire::spec::{Data, InstanceType, Spec};
use wire::stage::Stage;
use wire::status::{Desired, EndpointAccess, Status};
use wire::stored::StoredSpec;
use wire::trouble::Trouble;
use wire::view::Warning;

/// The shape of the record that this version writes.
pub const SCHEMA: u32 = 1;

/// One invocation's hold on a cluster. It ends when the invocation must have ended, so it need not be given back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lease {
    pub holder: String,
    pub run: u64,
    pub until: Timestamp,
}

/// How far a stage got in a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    pub run: u64,
    pub started_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready_at: Option<Timestamp>,
    /// Since when IAM has refused the stage every time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused_since: Option<Timestamp>,
}

/// Why a run stopped, or what its stage last met.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    pub run: u64,
    /// The stage that failed; none if it could not say so itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<Stage>,
    /// None if an earlier version wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<Class>,
    pub code: Code,
    pub reason: String,
    pub hint: String,
}

impl Failure {
    pub fn new(run: u64, stage: Option<Stage>, error: &Error) -> Self {
        let (code, reason, hint) = (error.code.clone(), error.reason.clone(), error.hint.clone());
        Self { run, stage, class: Some(error.class), code, reason, hint }
    }
}

/// What came of a run's way into the cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Furnishing {
    pub run: u64,
    /// None: it is furnished.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

/// How often a cluster was parked in a row, and when it begins again by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Again {
    pub times: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// The operator was alerted since somebody last asked for something, which happens once.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub alerted: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    pub schema: u32,
    pub id: String,
    pub tenant: String,
    pub name: String,
    pub spec: StoredSpec,
    /// Counts the changes of the spec.
    pub generation: u64,
    pub desired: Desired,
    /// What the deletion says about the data, whatever the spec says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Data>,
    pub status: Status,
    pub endpoint_access: EndpointAccess,
    /// Counts the executions: each request that is acted on begins a run, and older runs give way.
    pub run: u64,
    /// The run that the last retry of its tenant began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retried: Option<u64>,
    /// Who last asked for something that was acted on; none if an earlier version took it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_by: Option<String>,
    #[serde(default, deserialize_with = "of_known_stages")]
    pub leases: BTreeMap<Stage, Lease>,
    #[serde(default, deserialize_with = "of_known_stages")]
    pub stages: BTreeMap<Stage, Progress>,
    /// The availability zones, once assume-role has chosen them for a managed cluster.
    #[serde(default)]
    pub zones: Vec<String>,
    /// What they offer; none if an earlier version chose them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offering: Option<Offering>,
    /// What EC2 says of the instance types; empty if an earlier version checked the account.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub hardware: BTreeMap<String, Hardware>,
    /// What the last check of the role could not be sure of, although it passed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub advice: Vec<Warning>,
    /// The operator's address that the run reaches the API server from; none if there is none, or if the cluster is the customer's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub door: Option<Cidr>,
    /// What came of the last try to furnish it; none if an earlier version brought it to running.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub furnishing: Option<Furnishing>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// What the current run cannot make, mend or remove.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub troubles: BTreeMap<Key, Trouble>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again: Option<Again>,
    /// Since when AWS has not let Groundwork assume the role, whichever stage tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused_since: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inventory: Option<Inventory>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// Counts the writes.
    pub version: u64,
    /// Key of the sparse index that sweep reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unsettled: Option<String>,
    /// Epoch seconds after which DynamoDB may drop the record of a deleted cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) expires_at: Option<i64>,
    /// Other fields, from a newer version that has since been rolled back; kept when the record is written again.
    #[serde(flatten)]
    unknown: BTreeMap<String, Value>,
}

/// What belongs to a stage that only a newer version has is over: this version does not run it.
fn of_known_stages<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> std::result::Result<BTreeMap<Stage, T>, D::Error> {
    let all = BTreeMap::<String, T>::deserialize(from)?;
    let stage = |name: String| Stage::VARIANTS.iter().copied().find(|stage| stage.to_string() == name);
    Ok(all.into_iter().filter_map(|(name, value)| Some((stage(name)?, value))).collect())
}

/// How long the record of a deleted cluster, its inventory and its events can still be read.
const KEPT_AFTER_DELETE: jiff::SignedDuration = jiff::SignedDuration::from_hours(24 * 90);

impl Record {
    pub fn new(id: String, tenant: String, spec: Spec, endpoint_access: EndpointAccess, now: Timestamp) -> Self {
        let mut record = Self {
            schema: SCHEMA,
            id,
            tenant,
            name: spec.name.clone(),
            spec: spec.into(),
            generation: 1,
            desired: Desired::Present,
            data: None,
            status: Status::Queued,
            endpoint_access,
            run: 1,
            retried: None,
            asked_by: None,
            leases: BTreeMap::new(),
            stages: BTreeMap::new(),
            zones: vec![],
            offering: None,
            hardware: BTreeMap::new(),
            advice: vec![],
            door: None,
            furnishing: None,
            failure: None,
            troubles: BTreeMap::new(),
            again: None,
            refused_since: None,
            inventory: None,
            created_at: now,
            updated_at: now,
            version: 1,
            unsettled: None,
            expires_at: None,
            unknown: BTreeMap::new(),
        };
        record.set_status(Status::Queued, now);
        record
    }

    pub fn set_status(&mut self, status: Status, now: Timestamp) {
        self.status = status;
        if !(status.is_unsettled() || status.is_parked()) {
            self.again = None;
        }
        self.unsettled = self.is_unsettled().then(|| "yes".into());
        self.expires_at = status.is_over().then(|| (now + KEPT_AFTER_DELETE).as_second());
    }

    /// True as long as Groundwork itself has something to do.
    pub fn is_unsettled(&self) -> bool {
        self.status.is_unsettled() || self.again_at().is_some()
    }

    /// When a parked cluster begins again by itself.
    pub fn again_at(&self) -> Option<Timestamp> {
        self.again.and_then(|again| again.at)
    }

    /// True once the run has tried to furnish it.
    pub fn has_been_inside(&self) -> bool {
        self.furnishing.as_ref().is_some_and(|furnishing| furnishing.run == self.run)
    }

    /// True if all is inside that every cluster has.
    pub fn is_furnished(&self) -> bool {
        self.furnishing.as_ref().is_some_and(|furnishing| furnishing.failure.is_none())
    }

    /// Begins a new run that somebody asked for, to which all older ones give way.
    pub fn begin_run(&mut self, desired: Desired, now: Timestamp) {
        self.again = None;
        self.desired = desired;
        self.begin_again(now);
    }

    /// Begins a new run by itself.
    pub fn begin_again(&mut self, now: Timestamp) {
        self.run += 1;
        self.failure = None;
        self.troubles.clear();
        self.again = self.again.map(|again| Again { at: None, ..again });
        let status = match self.desired {
            Desired::Present => Status::Queued,
            Desired::Absent => Status::Terminating,
        };
        self.set_status(status, now);
    }

    /// Stops the run; what exists is kept.
    pub fn park(&mut self, failure: Failure, again_after: Option<Duration>, now: Timestamp) {
        let before = self.again.unwrap_or_default();
        let alerted = before.alerted || failure.class.is_none_or(|class| class.turn() == Turn::Operator);
        self.failure = Some(failure);
        self.again = Some(Again { times: before.times + 1, at: again_after.map(|delay| now + delay), alerted });
        let parked = match self.desired {
            Desired::Present => Status::Failed,
            Desired::Absent => Status::DeleteBlocked,
        };
        self.set_status(parked, now);
    }

    /// The execution of the current run. One name per run, so that starting it twice runs it once.
    pub fn execution_name(&self) -> String {
        format!("{}-{}", self.id, self.run)
    }

    /// The stage that the current run failed in, or is at: the last begun that is not ready.
    pub fn stage(&self) -> Option<Stage> {
        if let Some(failure) = self.failure.as_ref().filter(|_| self.status.is_parked()) {
            return failure.stage;
        }
        let open = self.stages.iter().filter(|(_, progress)| progress.run == self.run && progress.ready_at.is_none());
        open.map(|(stage, _)| *stage).next_back()
    }

    /// What happens to the data when the cluster is deleted.
    pub fn data(&self) -> Data {
        self.data.or_else(|| self.spec.read().ok().map(Spec::data)).unwrap_or_default()
    }

    /// Those of its node groups; none if this version does not understand the spec, or they are not chosen yet.
    pub fn instance_types(&self) -> &[InstanceType] {
        self.spec.read().map_or(&[], |spec| offering::wanted(spec, self.offering.as_ref()))
    }

    /// What a run works on. A record can be read, listed, shown and changed whatever its spec says; it has to make sense only here.
    ///
    /// # Errors
    /// `Permanent` if a newer version wrote the spec and this one does not understand it: the run is parked.
    pub fn cluster(&self) -> Result<Cluster> {
        let not_understood = |why| of_newer_version(format!("This version of Groundwork does not understand the cluster's spec ({why})."));
        let spec = self.spec.read().map_err(not_understood)?.clone();
        Ok(Cluster {
            id: self.id.clone(),
            name: self.name.clone(),
            tenant: self.tenant.clone(),
            account: spec.account().to_owned(),
            zones: self.zones.clone(),
            offering: self.offering.clone(),
            data: self.data(),
            door: self.door,
            spec,
        })
    }
}

/// A newer version, since rolled back, wrote what this one cannot work with.
pub fn of_newer_version(reason: String) -> Error {
    Error::of(Code::Spec, reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::Item;
    use serde_dynamo::aws_sdk_dynamodb_1::{from_item, to_item};
    use serde_json::json;

    /// As the version before the modes became types wrote it, in the middle of a run.
    const ROW: &str = r#"{
        "schema": 1, "id": "abcdefghijkl", "tenant": "demo", "name": "research",
        "spec": {
            "name": "research", "role_arn": "arn:aws:iam::222222222222:role/groundwork", "region": "us-west-2", "mode": "managed",
            "instance_types": [{"name": "g4dn.xlarge", "overprovisioned_ondemand_count": 1, "max_count": 10}],
            "admin_principal_arn": "arn:aws:iam::222222222222:role/admin", "public_access_cidrs": ["54.240.193.129/32"],
            "deletion": {"buckets": "retain"}
        },
        "generation": 1, "desired": "present", "status": "provisioning", "endpoint_access": "requester", "run": 2,
        "leases": {"create-eks": {"holder": "a", "run": 2, "until": "2025-01-02T03:05:05.678901Z"}},
        "stages": {
            "validate": {"run": 2, "started_at": "2025-01-02T03:04:05.678901Z", "ready_at": "2025-01-02T03:04:06.678901Z"},
            "create-eks": {
                "run": 2, "started_at": "2025-01-02T03:04:07.678901Z", "refused_since": "2025-01-02T03:04:08.678901Z"
            }
        },
        "zones": ["us-west-2a", "us-west-2b"],
        "failure": {"run": 2, "stage": "create-eks", "code": "VpcLimitExceeded", "reason": "No.", "hint": "Raise it."},
        "inventory": {"left": [{"kind": "subnet", "id": "subnet-1", "why": "its tag"}], "kept": []},
        "created_at": "2025-01-02T03:04:05.678901Z", "updated_at": "2025-01-02T03:04:08.678901Z", "version": 7, "unsettled": "yes"
    }"#;

    fn row(path: &str, value: Value) -> Value {
        let mut row: Value = serde_json::from_str(ROW).expect("JSON");
        let (parent, name) = path.rsplit_once('/').expect("a pointer");
        row.pointer_mut(parent).expect("it is there")[name] = value;
        row
    }

    fn record(row: &Value) -> Record {
        serde_json::from_value(row.clone()).expect("every row is read")
    }

    #[test]
    fn a_row_of_the_version_before_is_written_back_with_the_same_text() {
        let row = row("/version", json!(7));
        let record = record(&row);
        assert_eq!((json!(record), record.spec.notice()), (row, None));
        let item: Item = to_item(&record).expect("an item");
        assert_eq!(from_item::<Record>(item).expect("a record"), record, "in the table too");
    }

    #[test]
    fn what_the_zones_offer_is_kept_and_given_to_the_cluster() {
        let offering = json!({"system": "t3.medium", "zones": {"g4dn.xlarge": ["us-west-2b"], "t3.medium": ["us-west-2a", "us-west-2b"]}});
        let row = row("/offering", offering);
        let record = record(&row);
        assert_eq!(json!(record), row);
        let cluster = record.cluster().expect("a spec that is understood");
        assert_eq!((cluster.zones_with(&["g4dn.xlarge"]), cluster.zones_with(&["m6i.large"])), (vec![1], vec![0, 1]));
    }

    #[test]
    fn the_word_of_a_deletion_about_the_data_comes_before_the_spec_s() {
        for (spec, said, data) in [
            (json!({"buckets": "delete"}), None, Data::Keep),
            (json!({"buckets": "retain"}), None, Data::Keep),
            (json!({"data": "delete"}), None, Data::Delete),
            (json!({"data": "delete"}), Some(Data::Keep), Data::Keep),
            (json!({"buckets": "retain"}), Some(Data::Delete), Data::Delete),
        ] {
            let mut record = record(&row("/spec/deletion", spec.clone()));
            record.data = said;
            assert_eq!((record.data(), record.cluster().map(|cluster| cluster.data)), (data, Ok(data)), "{spec} {said:?}");
        }
    }

    #[test]
    fn what_a_newer_version_wrote_is_kept_when_the_record_is_changed() {
        for (path, newer) in [
            ("/spec/network", json!({"mode": "existing", "vpc_ids": ["vpc-1"]})),
            ("/spec/deletion/volumes", json!("retain")),
            ("/spec/mode", json!("fargate")),
            ("/lifetime", json!({"hours": 8, "since": null})),
        ] {
            let mut expected = row(path, newer);
            let item: Item = to_item(record(&expected)).expect("an item");
            let mut record: Record = from_item(item).expect("a record");
            record.set_status(Status::Running, record.updated_at);
            expected["status"] = json!("running");
            expected.as_object_mut().expect("a row").remove("unsettled");
            assert_eq!(json!(record), expected, "{path}");
        }
    }

    #[test]
    fn what_belongs_to_a_stage_of_a_newer_version_is_over() {
        let newer = json!({"of-tomorrow": {"run": 2, "started_at": "2025-01-02T03:04:07.678901Z"}});
        assert_eq!(record(&row("/stages", newer)).stages, BTreeMap::new());
    }

    #[test]
    fn the_operator_is_alerted_once_until_somebody_asks_again() {
        let (mut record, now) = (record(&row("/spec/mode", json!("managed"))), Timestamp::UNIX_EPOCH);
        for (code, alerted, why) in [
            (Code::InUse, false, "the tenant's turn"),
            (Code::OverBudget, false, "it passes"),
            (Code::Unknown, true, "not foreseen, whatever came before"),
            (Code::InUse, true, "they know already"),
        ] {
            record.park(Failure::new(1, None, &Error::of(code, "Why.")), None, now);
            assert_eq!(record.again.map(|again| again.alerted), Some(alerted), "{why}");
            record.begin_again(now);
        }
        record.begin_run(Desired::Present, now);
        assert_eq!(record.again, None);
    }

    #[test]
    fn a_spec_that_is_not_understood_is_an_error_only_to_those_who_work_on_it() {
        let record = record(&row("/spec/mode", json!("fargate")));
        let error = record.cluster().expect_err("this mode is unknown");
        assert_eq!((error.class, &error.code), (Class::Permanent, &Code::Spec));
        assert!(error.reason.contains("unknown variant `fargate`") && error.hint.contains("newer version"), "{error:?}");
    }
}
