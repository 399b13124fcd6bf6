//! The process of one invocation, which may die at any moment.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Notify;

/// What may end a process from within.
#[derive(Clone)]
pub struct Process {
    death: Arc<Notify>,
    /// Whether a call that gets no answer ends the process; else it is a timeout.
    dies_of_silence: bool,
}

tokio::task_local! {
    static PROCESS: Process;
}

/// Whether calls without an answer end the process.
#[derive(Default)]
pub struct Mortality(AtomicBool);

impl Mortality {
    pub fn set(&self, dies_of_silence: bool) {
        self.0.store(dies_of_silence, Ordering::Relaxed);
    }

    /// Runs as a process of its own, which goes on even if nobody waits for it any more. None if it died.
    pub async fn run<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> Option<T> {
        let process = Process { death: Arc::default(), dies_of_silence: self.0.load(Ordering::Relaxed) };
        let death = Arc::clone(&process.death);
        let life = async move {
            tokio::select! {
                biased;
                outcome = work => Some(outcome),
                () = death.notified() => None,
            }
        };
        tokio::spawn(PROCESS.scope(process, life)).await.expect("no panic in a process")
    }
}

/// No answer ever comes.
pub async fn silence<T>() -> T {
    let dies = PROCESS.try_with(|process| process.dies_of_silence).unwrap_or_default();
    if dies { crash().await } else { std::future::pending().await }
}

/// Ends the process.
pub async fn crash<T>() -> T {
    // Outside a process there is nothing to end, but nothing goes on either.
    if let Ok(death) = PROCESS.try_with(|process| Arc::clone(&process.death)) {
        death.notify_one();
    }
    std::future::pending().await
}
