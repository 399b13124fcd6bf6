//! The record of one cluster.

use crate::errors::Error;
use crate::inventory::Inventory;
use crate::resource::{Cluster, Stage};
use crate::spec::{Mode, Spec};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The shape of the record that this version writes.
pub const SCHEMA: u32 = 1;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Accepted; its execution has not begun.
    Queued,
    Provisioning,
    Running,
    /// Parked: what exists is kept; retry goes on from there.
    Failed,
    Terminating,
    /// Torn down but for the blockers listed; sweep tries again.
    DeleteBlocked,
    Deleted,
}

impl Status {
    /// The words of the API, the same as the serialized ones.
    pub fn name(self) -> &'static str {
        match self {
            Status::Queued => "queued",
            Status::Provisioning => "provisioning",
            Status::Running => "running",
            Status::Failed => "failed",
            Status::Terminating => "terminating",
            Status::DeleteBlocked => "delete_blocked",
            Status::Deleted => "deleted",
        }
    }

    /// True while Groundwork itself has something to do.
    fn unsettled(self) -> bool {
        match self {
            Status::Queued | Status::Provisioning | Status::Terminating | Status::DeleteBlocked => true,
            Status::Running | Status::Failed | Status::Deleted => false,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Desired {
    Present,
    Absent,
}

/// Who may reach the cluster's public endpoint, and who said so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndpointAccess {
    /// Open to the ranges that the request gave.
    Given,
    /// Open to the address that the request came from.
    Requester,
    /// Closed: no ranges given, and no public IPv4 address that the request came from.
    Closed,
    /// As the customer made it, whose cluster it is.
    Customer,
}

/// One invocation's hold on a cluster. It lives as long as the invocation may, so nobody has to give it back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lease {
    pub holder: String,
    pub run: u64,
    pub until: Timestamp,
}

/// How far a stage came in a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    pub run: u64,
    pub started_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready_at: Option<Timestamp>,
    /// Since when IAM has refused the stage, look after look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused_since: Option<Timestamp>,
}

/// Why a run stopped, or what it last stumbled over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    pub run: u64,
    /// The stage that stumbled; none if it could not say so itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<Stage>,
    pub code: String,
    pub reason: String,
    pub hint: String,
}

impl Failure {
    pub fn new(run: u64, stage: Option<Stage>, error: &Error) -> Self {
        let (code, reason, hint) = (error.code.clone(), error.reason.clone(), error.hint.clone());
        Self { run, stage, code, reason, hint }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    pub schema: u32,
    pub id: String,
    pub tenant: String,
    pub name: String,
    pub spec: Spec,
    /// Counts the changes of the spec.
    pub generation: u64,
    pub desired: Desired,
    pub status: Status,
    pub endpoint_access: EndpointAccess,
    /// Counts the executions: each request that is acted on begins a run, and older runs give way.
    pub run: u64,
    #[serde(default)]
    pub leases: BTreeMap<Stage, Lease>,
    #[serde(default)]
    pub stages: BTreeMap<Stage, Progress>,
    /// The availability zones, once assume-role has chosen them for a managed cluster.
    #[serde(default)]
    pub zones: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
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
}

/// How long the record of a deleted cluster, its inventory and its events can still be read.
const KEPT_AFTER_DELETE: jiff::SignedDuration = jiff::SignedDuration::from_hours(24 * 90);

impl Record {
    pub fn new(id: String, tenant: String, spec: Spec, endpoint_access: EndpointAccess) -> Self {
        let now = Timestamp::now();
        let mut record = Self {
            schema: SCHEMA,
            id,
            tenant,
            name: spec.name.clone(),
            spec,
            generation: 1,
            desired: Desired::Present,
            status: Status::Queued,
            endpoint_access,
            run: 1,
            leases: BTreeMap::new(),
            stages: BTreeMap::new(),
            zones: vec![],
            failure: None,
            inventory: None,
            created_at: now,
            updated_at: now,
            version: 1,
            unsettled: None,
            expires_at: None,
        };
        record.set_status(Status::Queued);
        record
    }

    pub fn set_status(&mut self, status: Status) {
        self.status = status;
        self.unsettled = status.unsettled().then(|| "yes".into());
        self.expires_at = (status == Status::Deleted).then(|| (Timestamp::now() + KEPT_AFTER_DELETE).as_second());
    }

    /// Begins a new run, before which all older ones give way.
    pub fn begin_run(&mut self, desired: Desired) {
        self.run += 1;
        self.desired = desired;
        self.failure = None;
        self.set_status(match desired {
            Desired::Present => Status::Queued,
            Desired::Absent => Status::Terminating,
        });
    }

    /// The execution of the current run. One name per run, so that it can be started twice without running twice.
    pub fn execution_name(&self) -> String {
        format!("{}-{}", self.id, self.run)
    }

    /// The stage that the current run is at: the last begun that is not ready.
    pub fn stage(&self) -> Option<Stage> {
        let open = self.stages.iter().filter(|(_, progress)| progress.run == self.run && progress.ready_at.is_none());
        open.map(|(stage, _)| *stage).next_back()
    }

    /// True once a stage that makes something has begun: until then nothing of ours can be in the account.
    pub fn has_begun(&self) -> bool {
        let makers: &[Stage] = match self.spec.mode {
            Mode::Managed => &[Stage::CreateBuckets, Stage::CreateEks, Stage::CreateNodegroups],
            Mode::SelfManaged => &[Stage::CreateNodegroups],
        };
        makers.iter().any(|stage| self.stages.contains_key(stage))
    }

    pub fn cluster(&self) -> Cluster {
        Cluster {
            id: self.id.clone(),
            name: self.name.clone(),
            tenant: self.tenant.clone(),
            account: self.spec.account().to_owned(),
            zones: self.zones.clone(),
            spec: self.spec.clone(),
        }
    }
}
