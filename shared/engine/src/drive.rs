//! The one driver: walks a plan and says how far it got.
//!
//! A resource acts as soon as what it waits for is done, all that can act do so at once, and the driver goes round again as long as
//! something moved. A wanted resource waits for its needs; an unwanted one waits for those that need it.

use crate::clock::passed;
use crate::context::Context;
use crate::errors::{Error, Result};
use crate::journal::Journal;
use crate::resource::{AnyMade, Difference, Found, How, LookedAt, Pace, Removed, Resource, Seen};
use futures::future::join_all;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use wire::error::{Class, Code};
use wire::journal::{Entry, Outputs, State};
use wire::key::Key;

/// What one walk does: it creates the wanted and removes the unwanted resources. A teardown wants nothing.
#[derive(Default)]
pub struct Plan {
    pub wanted: Vec<Resource>,
    pub unwanted: Vec<Resource>,
}

#[derive(Debug, PartialEq)]
pub enum Answer {
    Ready,
    /// Look again after `wait`; `on` names what is being waited for.
    Pending {
        wait: Duration,
        on: Vec<Key>,
    },
}

/// Bounds of one walk.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// How long "absent" right after a create is not believed.
    pub grace: Duration,
    /// No new round begins after this.
    pub until: Timestamp,
}

/// What one look at one resource came to.
enum Step {
    Done,
    /// A verb was called, so look again at once.
    Acted,
    Wait(Duration),
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Verb {
    Create,
    Mend,
    Delete,
}

/// # Errors
/// The worst error of the first round with an error; everything else that could act in that round has acted. A delete that AWS refuses
/// because something still depends on the thing is not an error: it is waited for.
pub async fn walk(plan: &Plan, cx: &Context, journal: &dyn Journal, bounds: Bounds) -> Result<Answer> {
    Walk::new(plan, cx, journal, bounds).await?.run().await
}

struct Walk<'a> {
    todo: Vec<Item<'a>>,
    cx: &'a Context,
    journal: &'a dyn Journal,
    bounds: Bounds,
    entries: Mutex<BTreeMap<Key, Entry>>,
    /// Each verb is called once per resource and walk, so that a difference that `mend` does not mend is waited for, not called in a loop.
    called: Mutex<BTreeSet<(Key, Verb)>>,
}

/// A resource of the plan, and what has to be done before it.
struct Item<'a> {
    key: Key,
    resource: &'a Resource,
    wanted: bool,
    after: Vec<Key>,
}

impl<'a> Walk<'a> {
    async fn new(plan: &'a Plan, cx: &'a Context, journal: &'a dyn Journal, bounds: Bounds) -> Result<Self> {
        let entries = journal.entries().await?;
        for (key, entry) in entries.iter().filter(|(_, entry)| entry.state == State::Ready) {
            cx.learn(key, entry.outputs.clone());
        }
        Ok(Self { todo: items(plan), cx, journal, bounds, entries: Mutex::new(entries), called: Mutex::default() })
    }

    async fn run(&self) -> Result<Answer> {
        let mut done = self.done_before();
        loop {
            let able: Vec<&Item> = self.able(&done);
            if able.is_empty() {
                return self.finished(&done);
            }
            let steps = join_all(able.iter().map(|item| self.step(item))).await;
            let mut moved = false;
            let mut wait = Duration::MAX;
            let mut worst: Option<Error> = None;
            for (item, step) in able.iter().zip(steps) {
                match step {
                    Ok(Step::Done) => moved |= done.insert(item.key.clone()),
                    Ok(Step::Acted) => moved = true,
                    Ok(Step::Wait(time)) => wait = wait.min(time),
                    Err(error) => worst = Some(worse(worst, error)),
                }
            }
            if let Some(error) = worst {
                return Err(error);
            }
            if !moved || self.journal.now() > self.bounds.until {
                let on = able.iter().map(|item| &item.key).filter(|key| !done.contains(key)).cloned().collect();
                return Ok(Answer::Pending { wait: if moved { Duration::from_secs(1) } else { wait }, on });
            }
        }
    }

    /// Not looked at again: what this run has seen ready (or gone, if unwanted), and what other stages made ready.
    fn done_before(&self) -> BTreeSet<Key> {
        let run = self.journal.run();
        let done = |key: &Key, entry: &Entry| match self.todo.iter().find(|item| item.key == *key) {
            None => entry.state == State::Ready,
            Some(item) => entry.run == run && entry.state == if item.wanted { State::Ready } else { State::Gone },
        };
        lock(&self.entries).iter().filter(|(key, entry)| done(key, entry)).map(|(key, _)| key.clone()).collect()
    }

    fn able(&self, done: &BTreeSet<Key>) -> Vec<&Item<'a>> {
        let open = self.todo.iter().filter(|item| !done.contains(&item.key));
        open.filter(|item| item.after.iter().all(|key| done.contains(key))).collect()
    }

    /// Nothing can act: either all is done, or something needed is not in the plan.
    fn finished(&self, done: &BTreeSet<Key>) -> Result<Answer> {
        match self.todo.iter().find(|item| !done.contains(&item.key)) {
            None => Ok(Answer::Ready),
            // A journal entry was lost after the plan was made from it. The next invocation makes a new plan.
            Some(stuck) => Err(Error::transient(Code::Plan, format!("{} needs something that is not in the plan.", stuck.key))),
        }
    }

    async fn step(&self, item: &Item<'_>) -> Result<Step> {
        match (item.resource, item.wanted) {
            (Resource::Made(made), true) => self.ensure(made.as_ref()).await,
            (Resource::Made(made), false) => self.destroy(made.as_ref()).await,
            (Resource::LookedAt(looked_at), true) => self.look(looked_at.as_ref()).await,
            (Resource::Removed(removed), false) => self.remove(removed.as_ref()).await,
            // The first is not ours to remove, and the second is never created.
            (Resource::LookedAt(_), false) | (Resource::Removed(_), true) => Ok(Step::Done),
        }
    }

    async fn ensure(&self, made: &dyn AnyMade) -> Result<Step> {
        let key = made.key();
        let Some(found) = made.find(self.cx).await? else {
            return self.create(made).await;
        };
        match found.judge(&self.cx.cluster) {
            Seen::Ready => self.record_ready(&key, found.outputs(&self.cx.cluster), None).await,
            Seen::Busy => self.wait_for(&key, made.pace()).await,
            Seen::Differs(differences) => self.mend(made, found.as_ref(), differences).await,
            Seen::Sick(error) => self.stop(&key, error).await,
            Seen::Broken(error) => self.replace(made, found.as_ref(), error).await,
        }
    }

    async fn destroy(&self, made: &dyn AnyMade) -> Result<Step> {
        let Some(found) = made.find(self.cx).await? else {
            return self.absent_at_last(&made.key(), made.pace().then).await;
        };
        match found.judge(&self.cx.cluster) {
            Seen::Busy => Ok(Step::Wait(made.pace().then)),
            Seen::Ready | Seen::Differs(_) | Seen::Sick(_) | Seen::Broken(_) => self.delete(made, found.as_ref()).await,
        }
    }

    async fn look(&self, looked_at: &dyn LookedAt) -> Result<Step> {
        let key = looked_at.key();
        match looked_at.look(self.cx).await? {
            (Seen::Ready, outputs) => self.record_ready(&key, outputs, None).await,
            (Seen::Busy, _) => self.wait_for(&key, looked_at.pace()).await,
            (Seen::Differs(differences), outputs) => self.record_ready(&key, outputs, note(&differences)).await,
            (Seen::Sick(error) | Seen::Broken(error), _) => self.stop(&key, error).await,
        }
    }

    async fn remove(&self, removed: &dyn Removed) -> Result<Step> {
        let (key, pace) = (removed.key(), removed.pace());
        let left = removed.find(self.cx).await?;
        if left.is_empty() {
            return self.absent_at_last(&key, pace.then).await;
        }
        if left.iter().all(|leftover| leftover.busy) {
            return Ok(Step::Wait(pace.then));
        }
        self.call_delete(&key, pace.then, removed.remove(self.cx, &left)).await
    }

    async fn create(&self, made: &dyn AnyMade) -> Result<Step> {
        let key = made.key();
        if self.within_grace(&key) || !self.first(&key, Verb::Create) {
            return Ok(Step::Wait(made.pace().then));
        }
        // The intent is written before the call. A refused call had no effect, so its intent is taken back; otherwise it stays.
        let before = self.entry(&key);
        self.write(&key, self.new_entry(State::Creating)).await?;
        match made.create(self.cx).await {
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

    /// What cannot be mended in place is only noted: nothing is replaced unless somebody asked for it.
    async fn mend(&self, made: &dyn AnyMade, found: &dyn Found, differences: Vec<Difference>) -> Result<Step> {
        let key = made.key();
        if differences.iter().all(|difference| difference.how != How::InPlace) {
            return self.record_ready(&key, found.outputs(&self.cx.cluster), note(&differences)).await;
        }
        if !self.first(&key, Verb::Mend) {
            return Ok(Step::Wait(made.pace().then));
        }
        self.note_seen(&key).await?;
        found.mend(self.cx).await?;
        Ok(Step::Acted)
    }

    async fn delete(&self, made: &dyn AnyMade, found: &dyn Found) -> Result<Step> {
        self.call_delete(&made.key(), made.pace().then, found.delete(self.cx)).await
    }

    async fn call_delete(&self, key: &Key, again: Duration, delete: impl Future<Output = Result<()>>) -> Result<Step> {
        if !self.first(key, Verb::Delete) {
            return Ok(Step::Wait(again));
        }
        if self.entry(key).is_none_or(|entry| entry.state != State::Deleting) {
            self.write(key, self.new_entry(State::Deleting)).await?;
        }
        match delete.await {
            Ok(()) => Ok(Step::Acted),
            // Something that depends on it is slower to go than AWS says. The stage's budget bounds the wait.
            Err(error) if error.class == Class::Transient => {
                tracing::info!(resource = %key, detail = error.detail, "delete waits");
                Ok(Step::Wait(again))
            }
            Err(error) => Err(error),
        }
    }

    /// A broken thing stops the run that finds it broken. A later run, which somebody asked for, deletes the thing and makes it again,
    /// unless there is data in it. A run that has begun to delete it goes on.
    async fn replace(&self, made: &dyn AnyMade, found: &dyn Found, error: Error) -> Result<Step> {
        let key = made.key();
        let run = self.journal.run();
        let asked_for = self.entry(&key).is_some_and(|entry| match entry.state {
            State::Broken => entry.run < run,
            State::Deleting => entry.run == run,
            State::Creating | State::Pending | State::Ready | State::Gone => false,
        });
        if asked_for && !made.holds_data() { self.delete(made, found).await } else { self.stop(&key, error).await }
    }

    async fn stop(&self, key: &Key, error: Error) -> Result<Step> {
        let note = Some(error.reason.clone());
        self.write(key, Entry { note, ..self.new_entry(State::Broken) }).await?;
        Err(error)
    }

    async fn record_ready(&self, key: &Key, outputs: Outputs, note: Option<String>) -> Result<Step> {
        self.write(key, Entry { outputs: outputs.clone(), note, ..self.new_entry(State::Ready) }).await?;
        self.cx.learn(key, outputs);
        Ok(Step::Done)
    }

    async fn absent_at_last(&self, key: &Key, again: Duration) -> Result<Step> {
        if self.within_grace(key) {
            return Ok(Step::Wait(again));
        }
        if self.entry(key).is_some() {
            self.write(key, self.new_entry(State::Gone)).await?;
        }
        Ok(Step::Done)
    }

    /// AWS is at work. The next look comes when AWS can be done.
    async fn wait_for(&self, key: &Key, pace: Pace) -> Result<Step> {
        self.note_seen(key).await?;
        let age = self.entry(key).map_or(Duration::ZERO, |entry| self.age(&entry));
        Ok(Step::Wait(pace.first.saturating_sub(age).max(pace.then)))
    }

    /// Writes down that a thing was seen for the first time: `Creating` means not seen yet.
    async fn note_seen(&self, key: &Key) -> Result<()> {
        match self.entry(key) {
            Some(entry) if entry.state == State::Creating => {
                // `since` stays the time of the create, which decides when to look next.
                self.write(key, Entry { state: State::Pending, ..entry }).await
            }
            Some(entry) if entry.state != State::Ready || entry.run == self.journal.run() => Ok(()),
            _ => self.write(key, self.new_entry(State::Pending)).await,
        }
    }

    /// Absence is not believed soon after a create, even if the thing was already seen: AWS may show a new thing at one look and not at
    /// the next.
    fn within_grace(&self, key: &Key) -> bool {
        let new = |entry: &Entry| matches!(entry.state, State::Creating | State::Pending);
        self.entry(key).is_some_and(|entry| new(&entry) && self.age(&entry) < self.bounds.grace)
    }

    fn first(&self, key: &Key, verb: Verb) -> bool {
        lock(&self.called).insert((key.clone(), verb))
    }

    fn age(&self, entry: &Entry) -> Duration {
        passed(entry.since, self.journal.now())
    }

    fn entry(&self, key: &Key) -> Option<Entry> {
        lock(&self.entries).get(key).cloned()
    }

    fn new_entry(&self, state: State) -> Entry {
        Entry::new(state, self.journal.run(), self.journal.now())
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

/// What is wanted comes after its needs; what is unwanted after everything unwanted that needs it.
fn items(plan: &Plan) -> Vec<Item<'_>> {
    let needing = |key: &Key| {
        let needing = plan.unwanted.iter().filter(|other| other.planned().needs().contains(key));
        needing.map(Resource::key).collect()
    };
    let wanted = plan.wanted.iter().map(|one| Item { key: one.key(), resource: one, wanted: true, after: one.planned().needs() });
    let unwanted = plan.unwanted.iter().map(|one| Item { key: one.key(), resource: one, wanted: false, after: needing(&one.key()) });
    wanted.chain(unwanted).collect()
}

fn note(differences: &[Difference]) -> Option<String> {
    (!differences.is_empty()).then(|| differences.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Errors that cannot be retried win: they decide how the run ends.
fn worse(so_far: Option<Error>, next: Error) -> Error {
    match so_far {
        Some(error) if !error.class.retryable() || next.class.retryable() => error,
        _ => next,
    }
}

#[cfg(test)]
mod tests;
