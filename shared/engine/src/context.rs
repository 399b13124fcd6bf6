//! What a verb may use.

use crate::aws::Clients;
use crate::cluster::Cluster;
use crate::errors::{Error, Result};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};
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
    /// When the next may call that waited for its turn.
    turn: Mutex<Option<Instant>>,
}

/// Between two calls that take turns.
const APART: Duration = Duration::from_millis(500);

impl Context {
    pub fn new(aws: Clients, cluster: Cluster, begun: Timestamp) -> Self {
        Self { aws, cluster, begun, outputs: RwLock::default(), turn: Mutex::default() }
    }

    /// The output of a need. Absent only when a resource asks for something that it does not list under `needs`.
    pub fn output(&self, key: &Key, name: &str) -> Result<String> {
        let outputs = self.outputs.read().unwrap_or_else(PoisonError::into_inner);
        let found = outputs.get(key).and_then(|found| found.get(name)).cloned();
        found.ok_or_else(|| Error::of(Code::MissingOutput, format!("The output {name} of {key} is not known.")))
    }

    /// Makes calls one after the other, with a pause in between, that would be too many at once for what AWS does behind them.
    pub async fn in_turn<T>(&self, call: impl Future<Output = T>) -> T {
        let mut next = self.turn.lock().await;
        if let Some(at) = *next {
            sleep_until(at).await;
        }
        let answer = call.await;
        *next = Some(Instant::now() + APART);
        answer
    }

    pub fn learn(&self, key: &Key, outputs: Outputs) {
        self.outputs.write().unwrap_or_else(PoisonError::into_inner).insert(key.clone(), outputs);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::future::join_all;
    use serde_json::json;

    #[tokio::test]
    async fn calls_that_take_turns_are_a_pause_apart() {
        let aws = Clients::new(&aws_config::SdkConfig::builder().behavior_version(aws_config::BehaviorVersion::latest()).build());
        let cx = Context::new(aws, Cluster::example(json!({})), Timestamp::UNIX_EPOCH);
        let begun = Instant::now();
        let times = join_all([(); 3].map(|()| cx.in_turn(async { begun.elapsed() }))).await;
        assert!(times[0] < APART && times[1] >= APART && times[2] >= APART * 2, "{times:?}");
    }
}
