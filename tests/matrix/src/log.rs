//! The AWS calls and desk writes in order, and waiting for a certain call.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// An AWS call: the operation with its input.
    Call(String),
    /// A write to a record: what it says about the cluster.
    Record(String),
    /// A write to a journal: the key and the state.
    Entry(String),
}

#[derive(Clone, Default)]
pub struct Log(Arc<Inside>);

#[derive(Default)]
struct Inside {
    steps: Mutex<Vec<Step>>,
    /// How many calls to wait for, and whom to notify.
    awaited: Mutex<Option<usize>>,
    reached: Notify,
}

impl Log {
    pub fn steps(&self) -> Vec<Step> {
        lock(&self.0.steps).clone()
    }

    pub fn calls(&self) -> Vec<String> {
        let call = |step: &Step| match step {
            Step::Call(call) => Some(call.clone()),
            Step::Record(_) | Step::Entry(_) => None,
        };
        lock(&self.0.steps).iter().filter_map(call).collect()
    }

    pub fn call(&self, call: String) {
        lock(&self.0.steps).push(Step::Call(call));
        if let Some(left) = lock(&self.0.awaited).as_mut() {
            match left {
                0 => self.0.reached.notify_one(),
                left => *left -= 1,
            }
        }
    }

    /// How long the latest call takes on its way: some tenths of a second, not the same for all. In that time others act.
    pub fn latency(&self) -> Duration {
        let calls = lock(&self.0.steps).len() as u64;
        Duration::from_millis(20 + calls * 37 % 160)
    }

    pub fn write(&self, write: Step) {
        lock(&self.0.steps).push(write);
    }

    /// Returns at the n-th call from now, counted from 0; never if there are fewer.
    pub async fn reaches(&self, nth: usize) {
        *lock(&self.0.awaited) = Some(nth);
        self.0.reached.notified().await;
        *lock(&self.0.awaited) = None;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
