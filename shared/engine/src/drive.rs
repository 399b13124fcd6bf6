//! The one driver: walks the plan, up or down, and says how far it came.
//!
//! A resource acts as soon as its needs are done, all that can act at once do, and the driver goes round again while anything moved.

use crate::errors::{Class, Error, Result};
use crate::journal::{Entry, Journal, State};
use crate::resource::{Context, Key, Observed, Outputs, Resource};
use futures::future::join_all;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::{Duration, Instant};

pub type Plan = Vec<Box<dyn Resource>>;

#[derive(Debug, PartialEq)]
pub enum Answer {
    Ready,
    /// Looking again is worth it after `wait`; `on` names what is being waited for.
    Pending {
        wait: Duration,
        on: Vec<Key>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Ensure,
    Destroy,
}

/// Limits of one walk.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long "absent" right after a create is not believed.
    pub grace: Duration,
    /// No new round begins after this instant.
    pub until: Instant,
}

/// What one look at one resource came to.
enum Step {
    Done,
    /// A verb was called, so looking again at once is worth it.
    Acted,
    Wait(Duration),
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Verb {
    Create,
    Update,
    Delete,
}

/// Brings every resource of the plan about.
///
/// # Errors
/// The worst error of the round in which one came up; what else could act in that round has acted.
pub async fn ensure(plan: &Plan, cx: &Context, journal: &dyn Journal, limits: Limits) -> Result<Answer> {
    Walk::new(Direction::Ensure, plan, cx, journal, limits).await?.run().await
}

/// Takes every resource of the plan away, in the reverse order of its needs.
///
/// # Errors
/// As `ensure`; a delete that AWS refuses because of something that still depends on it is waited for, not an error.
pub async fn destroy(plan: &Plan, cx: &Context, journal: &dyn Journal, limits: Limits) -> Result<Answer> {
    Walk::new(Direction::Destroy, plan, cx, journal, limits).await?.run().await
}

struct Walk<'a> {
    direction: Direction,
    plan: &'a Plan,
    cx: &'a Context,
    journal: &'a dyn Journal,
    limits: Limits,
    entries: Mutex<BTreeMap<Key, Entry>>,
    /// Each verb once per resource and walk: a drift that an update does not mend is waited for, not called in a storm.
    called: Mutex<BTreeSet<(Key, Verb)>>,
}

impl<'a> Walk<'a> {
    async fn new(direction: Direction, plan: &'a Plan, cx: &'a Context, journal: &'a dyn Journal, limits: Limits) -> Result<Self> {
        let entries = journal.entries().await?;
        let ready = entries.iter().filter(|(_, entry)| entry.state == State::Ready);
        let outputs = ready.map(|(key, entry)| (key.clone(), entry.outputs.clone())).collect();
        *cx.outputs.write().unwrap_or_else(std::sync::PoisonError::into_inner) = outputs;
        Ok(Self { direction, plan, cx, journal, limits, entries: Mutex::new(entries), called: Mutex::default() })
    }

    async fn run(&self) -> Result<Answer> {
        let mut done = self.done_before();
        loop {
            let able: Vec<&dyn Resource> = self.able(&done);
            if able.is_empty() {
                return self.finished(&done);
            }
            let steps = join_all(able.iter().map(|resource| self.step(*resource))).await;
            let mut moved = false;
            let mut wait = Duration::MAX;
            let mut worst: Option<Error> = None;
            for (resource, step) in able.iter().zip(steps) {
                match step {
                    Ok(Step::Done) => moved |= done.insert(resource.key()),
                    Ok(Step::Acted) => moved = true,
                    Ok(Step::Wait(seconds)) => wait = wait.min(seconds),
                    Err(error) => worst = Some(worse(worst, error)),
                }
            }
            if let Some(error) = worst {
                return Err(error);
            }
            if !moved || Instant::now() > self.limits.until {
                let on = able.iter().map(|resource| resource.key()).filter(|key| !done.contains(key)).collect();
                return Ok(Answer::Pending { wait: if moved { Duration::from_secs(1) } else { wait }, on });
            }
        }
    }

    /// What this run has seen ready going up, or gone going down, is not looked at again, nor are resources of other stages.
    fn done_before(&self) -> BTreeSet<Key> {
        let done = match self.direction {
            Direction::Ensure => State::Ready,
            Direction::Destroy => State::Gone,
        };
        let here: BTreeSet<Key> = self.plan.iter().map(|resource| resource.key()).collect();
        let entries = lock(&self.entries);
        let before = entries.iter().filter(|(_, entry)| entry.state == done);
        before.filter(|(key, entry)| entry.run == self.journal.run() || !here.contains(key)).map(|(key, _)| key.clone()).collect()
    }

    fn able(&self, done: &BTreeSet<Key>) -> Vec<&'a dyn Resource> {
        let todo = self.plan.iter().map(AsRef::as_ref).filter(|resource| !done.contains(&resource.key()));
        todo.filter(|resource| self.comes_before(*resource).iter().all(|key| done.contains(key))).collect()
    }

    /// Needs going up; going down, those that need it.
    fn comes_before(&self, resource: &dyn Resource) -> Vec<Key> {
        match self.direction {
            Direction::Ensure => resource.needs(),
            Direction::Destroy => {
                let key = resource.key();
                self.plan.iter().filter(|other| other.needs().contains(&key)).map(|other| other.key()).collect()
            }
        }
    }

    /// Nothing can act: all is done, or the plan asks for something that nobody makes.
    fn finished(&self, done: &BTreeSet<Key>) -> Result<Answer> {
        match self.plan.iter().find(|resource| !done.contains(&resource.key())) {
            None => Ok(Answer::Ready),
            // An entry of the journal was lost after the plan was made from it: the next look makes another plan.
            Some(stuck) => Err(Error::transient("Plan", format!("{} needs something that nobody makes now.", stuck.key()))),
        }
    }

    async fn step(&self, resource: &dyn Resource) -> Result<Step> {
        match self.direction {
            Direction::Ensure => self.ensure_one(resource).await,
            Direction::Destroy => self.destroy_one(resource).await,
        }
    }

    async fn ensure_one(&self, resource: &dyn Resource) -> Result<Step> {
        if resource.only_down() {
            return Ok(Step::Done);
        }
        let key = resource.key();
        match resource.observe(self.cx).await? {
            Observed::Ready(outputs) => self.record_ready(&key, outputs).await,
            Observed::Pending => self.wait_for(resource).await,
            Observed::Drifted if self.first(&key, Verb::Update) => {
                self.note_seen(&key).await?;
                resource.update(self.cx).await?;
                Ok(Step::Acted)
            }
            Observed::Drifted => Ok(Step::Wait(resource.pace().then)),
            Observed::Absent if self.within_grace(&key) || !self.first(&key, Verb::Create) => Ok(Step::Wait(resource.pace().then)),
            Observed::Absent => self.create(resource).await,
            Observed::Sick(error) => self.stop(&key, error).await,
            Observed::Broken(error) => self.mend(resource, error).await,
        }
    }

    async fn destroy_one(&self, resource: &dyn Resource) -> Result<Step> {
        let key = resource.key();
        match resource.observe(self.cx).await? {
            Observed::Absent if self.within_grace(&key) => Ok(Step::Wait(resource.pace().then)),
            Observed::Absent => self.record_gone(&key).await,
            Observed::Pending => Ok(Step::Wait(resource.pace().then)),
            Observed::Drifted | Observed::Ready(_) | Observed::Sick(_) | Observed::Broken(_) => self.delete(resource).await,
        }
    }

    /// The intent goes before the call. A refused call had no effect, so its intent is taken back; any other failure leaves it.
    async fn create(&self, resource: &dyn Resource) -> Result<Step> {
        let key = resource.key();
        let before = self.entry(&key);
        self.write(&key, Entry::new(State::Creating, self.journal.run())).await?;
        match resource.create(self.cx).await {
            Ok(()) => Ok(Step::Acted),
            Err(error) => {
                if error.refused {
                    match before {
                        Some(entry) => self.write(&key, entry).await?,
                        None => self.forget(&key).await?,
                    }
                }
                Err(error)
            }
        }
    }

    async fn delete(&self, resource: &dyn Resource) -> Result<Step> {
        let key = resource.key();
        if !self.first(&key, Verb::Delete) {
            return Ok(Step::Wait(resource.pace().then));
        }
        if self.entry(&key).is_none_or(|entry| entry.state != State::Deleting) {
            self.write(&key, Entry::new(State::Deleting, self.journal.run())).await?;
        }
        match resource.delete(self.cx).await {
            Ok(()) => Ok(Step::Acted),
            // Something that depends on it goes slower than AWS says; the stage's budget bounds the wait.
            Err(error) if error.class == Class::Transient => {
                tracing::info!(resource = %key, detail = error.detail, "delete waits");
                Ok(Step::Wait(resource.pace().then))
            }
            Err(error) => Err(error),
        }
    }

    /// A broken thing stops its run. The next run was asked for by somebody: it deletes and makes again what holds no data.
    async fn mend(&self, resource: &dyn Resource, error: Error) -> Result<Step> {
        let key = resource.key();
        let broken_before = self.entry(&key).is_some_and(|entry| entry.state == State::Broken && entry.run < self.journal.run());
        let deleting = self.entry(&key).is_some_and(|entry| entry.state == State::Deleting && entry.run == self.journal.run());
        if (broken_before || deleting) && !resource.holds_data() {
            return self.delete(resource).await;
        }
        self.stop(&key, error).await
    }

    async fn stop(&self, key: &Key, error: Error) -> Result<Step> {
        let note = Some(error.reason.clone());
        self.write(key, Entry { note, ..Entry::new(State::Broken, self.journal.run()) }).await?;
        Err(error)
    }

    async fn record_ready(&self, key: &Key, outputs: Outputs) -> Result<Step> {
        self.write(key, Entry { outputs: outputs.clone(), ..Entry::new(State::Ready, self.journal.run()) }).await?;
        self.cx.outputs.write().unwrap_or_else(std::sync::PoisonError::into_inner).insert(key.clone(), outputs);
        Ok(Step::Done)
    }

    async fn record_gone(&self, key: &Key) -> Result<Step> {
        if self.entry(key).is_some() {
            self.write(key, Entry::new(State::Gone, self.journal.run())).await?;
        }
        Ok(Step::Done)
    }

    /// AWS is at work: the next look comes when it can be through.
    async fn wait_for(&self, resource: &dyn Resource) -> Result<Step> {
        let key = resource.key();
        self.note_seen(&key).await?;
        let pace = resource.pace();
        let age = self.entry(&key).map_or(Duration::ZERO, |entry| age(&entry));
        Ok(Step::Wait(pace.first.saturating_sub(age).max(pace.then)))
    }

    /// Once seen, a thing that is absent is gone; so the first sight is written down.
    async fn note_seen(&self, key: &Key) -> Result<()> {
        match self.entry(key) {
            Some(entry) if entry.state == State::Creating => {
                // `since` stays the time of the create, from which the next look is reckoned.
                self.write(key, Entry { state: State::Pending, ..entry }).await
            }
            Some(entry) if entry.state != State::Ready || entry.run == self.journal.run() => Ok(()),
            _ => self.write(key, Entry::new(State::Pending, self.journal.run())).await,
        }
    }

    fn within_grace(&self, key: &Key) -> bool {
        self.entry(key).is_some_and(|entry| matches!(entry.state, State::Creating | State::Pending) && age(&entry) < self.limits.grace)
    }

    fn first(&self, key: &Key, verb: Verb) -> bool {
        lock(&self.called).insert((key.clone(), verb))
    }

    fn entry(&self, key: &Key) -> Option<Entry> {
        lock(&self.entries).get(key).cloned()
    }

    async fn write(&self, key: &Key, entry: Entry) -> Result<()> {
        self.journal.write(key, &entry).await?;
        lock(&self.entries).insert(key.clone(), entry);
        Ok(())
    }

    async fn forget(&self, key: &Key) -> Result<()> {
        self.journal.forget(key).await?;
        lock(&self.entries).remove(key);
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn age(entry: &Entry) -> Duration {
    Timestamp::now().duration_since(entry.since).unsigned_abs()
}

/// What nobody can retry goes first: it decides how the run ends.
fn worse(so_far: Option<Error>, next: Error) -> Error {
    match so_far {
        Some(error) if !error.class.retryable() || next.class.retryable() => error,
        _ => next,
    }
}

#[cfg(test)]
mod tests;
