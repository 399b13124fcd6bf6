//! What went through the cloud, in figures and names.

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
    /// Session → the IAM actions that its calls needed.
    pub needed: BTreeMap<String, BTreeSet<String>>,
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

    /// Only of sessions in customers' accounts, which the cloud has seen being assumed.
    pub fn needed(&mut self, session: &str, actions: Vec<String>) {
        if !session.is_empty() {
            self.needed.entry(session.to_owned()).or_default().extend(actions);
        }
    }
}
