//! The law of a resource: one thing that we own in a customer's account.

use crate::errors::{Error, Result};
use crate::session::Clients;
use crate::spec::Spec;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// A resource's place in the plan: `vpc`, `subnet/private-0`, `node-group/g4dn.xlarge`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Key(pub String);

impl<T: Into<String>> From<T> for Key {
    fn from(text: T) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What others need to know of a resource: `id`, `arn`, `name`, `endpoint`.
pub type Outputs = BTreeMap<String, String>;

/// What `observe` found on AWS.
#[derive(Debug)]
pub enum Observed {
    Absent,
    /// On its way up or down; nothing can be asked of it now.
    Pending,
    /// Ours and half-made, or not as the spec wants it: `update` finishes it, `delete` removes it.
    Drifted,
    Ready(Outputs),
    /// There and in use, and not well: the error says why. Going up it stops the run, but a retry does not replace it.
    Sick(Error),
    /// AWS gave up on it; the error carries the cause that AWS gives.
    Broken(Error),
}

/// The part of the cluster that a Lambda function brings about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    Validate,
    AssumeRole,
    CreateBuckets,
    CreateEks,
    CreateNodegroups,
    Teardown,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Stage::Validate => "validate",
            Stage::AssumeRole => "assume-role",
            Stage::CreateBuckets => "create-buckets",
            Stage::CreateEks => "create-eks",
            Stage::CreateNodegroups => "create-nodegroups",
            Stage::Teardown => "teardown",
        })
    }
}

/// When looking again is worth it: the first time this long after the create, then at this interval.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    pub first: Duration,
    pub then: Duration,
}

impl Pace {
    pub const fn seconds(first: u64, then: u64) -> Self {
        Self { first: Duration::from_secs(first), then: Duration::from_secs(then) }
    }
}

/// What a cluster's resources are derived from; the same for every resource of a cluster.
#[derive(Clone, Debug)]
pub struct Cluster {
    pub id: String,
    pub name: String,
    pub tenant: String,
    /// The customer's account, twelve digits.
    pub account: String,
    /// Names of the availability zones, chosen once: two or three.
    pub zones: Vec<String>,
    pub spec: Spec,
}

impl Cluster {
    pub fn scoped(&self, purpose: &str) -> String {
        crate::names::scoped(&self.id, purpose)
    }

    /// The customer's own cluster, where there is one.
    pub fn eks_name(&self) -> String {
        self.spec.eks_cluster_name.clone().unwrap_or_else(|| crate::names::eks_cluster(&self.name, &self.id))
    }

    pub fn log_group(&self) -> String {
        crate::names::log_group(&self.name, &self.id)
    }

    /// The owner tags, as every create call gives them.
    pub fn tags(&self, key: &Key) -> BTreeMap<String, String> {
        BTreeMap::from([
            (crate::names::OWNER_TAG.into(), self.id.clone()),
            (crate::names::RESOURCE_TAG.into(), key.0.clone()),
            ("Name".into(), self.scoped(&key.0.replace('/', "-"))),
        ])
    }

    /// A token that is the same whenever the same resource of the same cluster is created: `ClientToken` and the like.
    pub fn token(&self, key: &Key) -> String {
        format!("{}-{}", self.id, key.0.replace(['/', '.'], "-"))
    }
}

/// What a verb may use: the session in the customer's account, the cluster, and the outputs of what is ready.
pub struct Context {
    pub aws: Clients,
    pub cluster: Cluster,
    pub outputs: std::sync::RwLock<BTreeMap<Key, Outputs>>,
}

impl Context {
    /// The output of a need. Absent only when a resource asks for something that it does not list under `needs`.
    pub fn output(&self, key: impl Into<Key>, name: &str) -> Result<String> {
        let key = key.into();
        let outputs = self.outputs.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        outputs
            .get(&key)
            .and_then(|found| found.get(name))
            .cloned()
            .ok_or_else(|| Error::permanent("MissingOutput", format!("The output {name} of {key} is not known.")))
    }
}

/// One thing that we own in a customer's account. The law:
///
/// 1. No verb waits. `create`, `update` and `delete` ask; only `observe` says that it happened.
/// 2. Every verb can run any number of times, and the process can die at any await point.
/// 3. `observe` finds by owner tag, or by name and owner tag, and needs no outputs of others. The same name without our tag is a
///    user's error: never adopted, never deleted.
/// 4. Tags go in the create call itself. Where the API takes a token and no name makes the thing one of a kind, the token comes from
///    `Cluster::token`.
/// 5. "Already exists" (ours) on create and "not found" on delete are success.
/// 6. What Kubernetes made is ours to remove only with this cluster's Kubernetes tags and, where it has one, inside our VPC.
#[async_trait]
pub trait Resource: Send + Sync {
    fn key(&self) -> Key;
    fn stage(&self) -> Stage;
    /// The resources that must be ready before it; going down, it goes before them.
    fn needs(&self) -> Vec<Key>;
    fn pace(&self) -> Pace {
        Pace::seconds(2, 3)
    }
    /// Data that a retry must not delete when the resource is broken.
    fn holds_data(&self) -> bool {
        false
    }
    /// Exists only to be removed: going up there is nothing to make, and nobody looks.
    fn only_down(&self) -> bool {
        false
    }
    async fn observe(&self, cx: &Context) -> Result<Observed>;
    async fn create(&self, cx: &Context) -> Result<()>;
    /// Finishes what `observe` called drifted.
    async fn update(&self, cx: &Context) -> Result<()>;
    async fn delete(&self, cx: &Context) -> Result<()>;
}
