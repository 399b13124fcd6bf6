//! What a verb may use.

use crate::aws::Clients;
use crate::cluster::Cluster;
use crate::errors::{Error, Result};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};
use wire::error::Code;
use wire::journal::Outputs;
use wire::key::Key;

/// The session in the customer's account, the cluster, and the outputs of what is ready.
pub struct Context {
    pub aws: Clients,
    pub cluster: Cluster,
    /// When the invocation began.
    pub begun: Timestamp,
    outputs: RwLock<BTreeMap<Key, Outputs>>,
}

impl Context {
    pub fn new(aws: Clients, cluster: Cluster, begun: Timestamp) -> Self {
        Self { aws, cluster, begun, outputs: RwLock::default() }
    }

    /// The output of a need. Absent only when a resource asks for something that it does not list under `needs`.
    pub fn output(&self, key: &Key, name: &str) -> Result<String> {
        let outputs = self.outputs.read().unwrap_or_else(PoisonError::into_inner);
        let found = outputs.get(key).and_then(|found| found.get(name)).cloned();
        found.ok_or_else(|| Error::permanent(Code::MissingOutput, format!("The output {name} of {key} is not known.")))
    }

    pub fn learn(&self, key: &Key, outputs: Outputs) {
        self.outputs.write().unwrap_or_else(PoisonError::into_inner).insert(key.clone(), outputs);
    }
}
