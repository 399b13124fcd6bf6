//! A journal in memory whose entries grow old as fast as the clock that the tests turn.

use async_trait::async_trait;
use cloud::faults::When;
use engine::errors::{Error, Result};
use engine::journal::{Entry, Journal, State};
use engine::resource::Key;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// How a write goes wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    Crash(When),
    Throttled,
    FailedInside,
    TimedOutAfterEffect,
}

/// Entries and how old they are.
pub type Frozen = BTreeMap<Key, (Entry, Duration)>;

#[derive(Default)]
pub struct Notebook {
    pub run: u64,
    pages: Mutex<BTreeMap<Key, Page>>,
    /// The write that goes wrong, counted from the first, and how.
    fault: Mutex<Option<(usize, Fault)>>,
    writes: Mutex<usize>,
    /// As if no intent had ever been written: to see that it is missed.
    pub forgets_intents: bool,
    /// Told when a write falls silent: whoever plays a crash ends the process now.
    pub silent: Notify,
}

struct Page {
    entry: Entry,
    /// How old the entry was when it was written, and when that was.
    age: Duration,
    written: Instant,
}

impl Notebook {
    pub fn writes(&self) -> usize {
        *lock(&self.writes)
    }

    pub fn keys(&self) -> Vec<Key> {
        lock(&self.pages).keys().cloned().collect()
    }

    pub fn frozen(&self) -> Frozen {
        lock(&self.pages).iter().map(|(key, page)| (key.clone(), (page.entry.clone(), page.age + page.written.elapsed()))).collect()
    }

    pub fn thawed(run: u64, pages: &Frozen) -> Self {
        let page = |(entry, age): &(Entry, Duration)| Page { entry: entry.clone(), age: *age, written: Instant::now() };
        let pages = pages.iter().map(|(key, frozen)| (key.clone(), page(frozen))).collect();
        Self { run, pages: Mutex::new(pages), ..Self::default() }
    }

    /// The n-th write, counted from 1, goes wrong.
    pub fn fail(&self, nth: usize, fault: Fault) {
        *lock(&self.fault) = Some((nth, fault));
    }

    async fn change(&self, effect: impl FnOnce(&mut BTreeMap<Key, Page>)) -> Result<()> {
        let number = {
            let mut writes = lock(&self.writes);
            *writes += 1;
            *writes
        };
        let fault = lock(&self.fault).filter(|(nth, _)| *nth == number).map(|(_, fault)| fault);
        match fault {
            Some(Fault::Crash(When::BeforeEffect)) => return self.fall_silent().await,
            Some(Fault::Throttled) => return Err(lost("ThrottlingException")),
            Some(Fault::FailedInside) => return Err(lost("InternalServerError")),
            _ => effect(&mut lock(&self.pages)),
        }
        match fault {
            Some(Fault::Crash(When::AfterEffect)) => self.fall_silent().await,
            Some(Fault::TimedOutAfterEffect) => Err(lost("NoAnswer")),
            _ => Ok(()),
        }
    }

    async fn fall_silent<T>(&self) -> T {
        self.silent.notify_one();
        std::future::pending().await
    }
}

fn lost(code: &str) -> Error {
    Error::transient(code, "the table did not answer")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl Journal for Notebook {
    fn run(&self) -> u64 {
        self.run
    }

    async fn entries(&self) -> Result<BTreeMap<Key, Entry>> {
        let now = Timestamp::now();
        let aged = |page: &Page| Entry { since: now - (page.age + page.written.elapsed()), ..page.entry.clone() };
        Ok(lock(&self.pages).iter().map(|(key, page)| (key.clone(), aged(page))).collect())
    }

    async fn write(&self, key: &Key, entry: &Entry) -> Result<()> {
        if self.forgets_intents && entry.state == State::Creating {
            return Ok(());
        }
        let age = Timestamp::now().duration_since(entry.since).unsigned_abs();
        let page = Page { entry: entry.clone(), age, written: Instant::now() };
        self.change(|pages| {
            pages.insert(key.clone(), page);
        })
        .await
    }

    async fn forget(&self, key: &Key) -> Result<()> {
        self.change(|pages| {
            pages.remove(key);
        })
        .await
    }
}
