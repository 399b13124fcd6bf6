//! What passed through the cloud, in numbers and names.

use crate::call::Call;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Default, Serialize)]
pub struct Report {
    /// `ec2:CreateVpc` → attempts.
    pub calls: BTreeMap<String, usize>,
    /// Attempts of calls that had been tried before.
    pub retries: usize,
    /// Effect → how often it struck.
    pub faults: BTreeMap<String, usize>,
    #[serde(skip)]
    operations: BTreeSet<String>,
}

impl Report {
    pub fn count(&mut self, call: &Call) {
        *self.calls.entry(call.name()).or_default() += 1;
        if !self.operations.insert(call.operation.clone()) {
            self.retries += 1;
        }
    }
}
