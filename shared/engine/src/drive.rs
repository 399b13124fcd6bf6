//! The one driver: walks a plan and says how far it got.
//!
//! A resource acts as soon as what it waits for is done, all that can act do so at once, and the driver goes round again as long as
//! something moved. A wanted resource waits for its needs; an unwanted one waits for those that need it. What fails holds up only what
//! waits for it.

use crate::clock::passed;
use crate::context::Context;
use crate::errors::{Error, Result};
use crate::journal::Journal;
use crate::resource::{AnyMade, Difference, Found, How, Leftover, LookedAt, Planned, Removed, Resource, Seen};
use futures::future::join_all;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use wire::error::{Class, Code};
use wire::journal::{Entry, KEPT, Outputs, State};
use wire::key::Key;

/// What one walk does: it creates the wanted and removes the unwanted resources. A teardown wants nothing.
#[derive(Default)]
pub struct Plan {
    pub wanted: Vec<Resource>,
    pub unwanted: Vec<Resource>,
    /// What another stage of the same run gave up: what needs it waits, and is not done either.
    pub stuck: BTreeSet<Key>,
}

/// How far a walk got.
#[derive(Debug, Default, PartialEq)]
pub struct Answer {
    /// What could act and is not done, and why. Empty: all is done that does not wait for something stuck.
    pub open: BTreeMap<Key, Why>,
    /// When looking again is worth it.
    pub wait: Duration,
}

/// Why a resource is not done.
#[derive(Debug, PartialEq)]
pub enum Why {
    /// AWS is at work on it.
    Busy,
    /// Its create was called, and AWS does not show it yet.
    Unseen,
    /// It was mended, and AWS does not show that yet, or something changes it back: these are the differences.
    Differs(String),
    /// AWS refuses to delete it as long as something depends on it, and says this.
    Held(Error),
    Failed(Error),
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
    Wait(Duration, Why),
}

/// What a step failed with.
enum Failure {
    /// It concerns this resource alone.
    Resource(Error),
    /// The journal cannot be written, so the walk ends.
    Journal(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Resource(error)
    }
}

type Stepped<T = Step> = Result<T, Failure>;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Verb {
    Create,
    Mend,
    Delete,
}

/// What fails is left alone until the next walk, and everything else goes on.
///
/// # Errors
/// If the journal cannot be read or written, for one because a newer request owns the cluster.
pub async fn walk(plan: &Plan, cx: &Context, journal: &dyn Journal, bounds: Bounds) -> Result<Answer> {
    Walk::new(plan, cx, journal, bounds).await?.run().await
}

struct Walk<'a> {
    todo: Vec<Item<'a>>,
    stuck: &'a BTreeSet<Key>,
    cx: &'a Context,
    journal: &'a dyn Journal,
    bounds: Bounds,
    entries: Mutex<BTreeMap<Key, Entry>>,
    /// Each verb is called once per resource and walk, so that a difference that `mend` does not mend is waited for, not called in a loop.
    called: Mutex<BTreeSet<(Key, Verb)>>,
    /// What AWS said about the deletes that it refused.
    held: Mutex<BTreeMap<Key, Error>>,
}

/// What one round came to.
struct Round {
    moved: bool,
    wait: Duration,
    open: BTreeMap<Key, Why>,
    journal: Option<Error>,
}

impl Default for Round {
    fn default() -> Self {
        Self { moved: false, wait: Duration::MAX, open: BTreeMap::new(), journal: None }
    }
}

impl Round {
    fn note(&mut self, item: &Item, step: Stepped, done: &mut BTreeSet<Key>, failed: &mut BTreeMap<Key, Error>) {
        let key = &item.key;
        match step {
            Ok(Step::Done) => self.moved |= done.insert(key.clone()),
            Ok(Step::Acted) => {
                self.moved = true;
                self.open.insert(key.clone(), Why::Busy);
            }
            Ok(Step::Wait(time, why)) => {
                self.wait = self.wait.min(time);
                self.open.insert(key.clone(), why);
            }
            Err(Failure::Resource(error)) => {
                // What waited for it need not any more.
                self.moved |= item.may_be_left;
                failed.insert(key.clone(), error);
            }
            // A newer request weighs more than a journal that did not answer.
            Err(Failure::Journal(error)) => {
                if self.journal.as_ref().is_none_or(|first| first.class.retryable()) {
                    self.journal = Some(error);
                }
            }
        }
    }
}

/// A resource of the plan, and what has to be done before it.
struct Item<'a> {
    key: Key,
    resource: &'a Resource,
    wanted: bool,
    after: Vec<Key>,
    /// Those of `after` that it need not wait for: it does so only as long as they go by themselves.
    need_not: Vec<Key>,
    /// Something need not wait for it.
    may_be_left: bool,
}

/// What may come back is believed to be gone once the cluster has been gone for so many creation graces: ten minutes.
const GRACES_UNTIL_GONE: u32 = 2;

/// How long something waits for a delete although it need not.
const OVERDUE: Duration = Duration::from_secs(900);

impl<'a> Walk<'a> {
    async fn new(plan: &'a Plan, cx: &'a Context, journal: &'a dyn Journal, bounds: Bounds) -> Result<Self> {
        let entries = journal.entries().await?;
        for (key, entry) in entries.iter().filter(|(_, entry)| entry.state == State::Ready) {
            cx.learn(key, entry.outputs.clone());
        }
        Ok(Self {
            todo: items(plan),
            stuck: &plan.stuck,
            cx,
            journal,
            bounds,
            entries: Mutex::new(entries),
            called: Mutex::default(),
            held: Mutex::default(),
        })
    }

    async fn run(&self) -> Result<Answer> {
        let mut done = self.done_before();
        let mut failed = BTreeMap::new();
        loop {
            let able = self.able(&done, &failed);
            let steps = join_all(able.iter().map(|item| self.step(item))).await;
            let mut round = Round::default();
            let with_cluster = !done.contains(&Key::Cluster);
            for (item, step) in able.iter().zip(steps) {
                round.note(item, step, &mut done, &mut failed);
            }
            if with_cluster && done.contains(&Key::Cluster) {
                self.let_go(&mut failed);
            }
            if let Some(error) = round.journal {
                return Err(error);
            }
            if !round.moved || self.journal.now() > self.bounds.until {
                if round.moved {
                    // No time is left for what can act now.
                    round.wait = Duration::from_secs(1);
                    for item in self.able(&done, &failed) {
                        round.open.entry(item.key.clone()).or_insert(Why::Busy);
                    }
                }
                self.check_needs(&done, &failed, &round.open)?;
                let failed = failed.into_iter().map(|(key, error)| (key, Why::Failed(error)));
                return Ok(Answer { open: round.open.into_iter().chain(failed).collect(), wait: round.wait });
            }
        }
    }

    /// Not looked at again: what this run has seen ready (or gone, if unwanted, or kept), and what other stages made ready.
    fn done_before(&self) -> BTreeSet<Key> {
        let run = self.journal.run();
        let done = |key: &Key, entry: &Entry| match self.todo.iter().find(|item| item.key == *key) {
            None => entry.state == State::Ready && !self.stuck.contains(key),
            Some(item) if item.wanted => entry.run == run && entry.state == State::Ready,
            Some(_) => entry.run == run && entry.is_removed_or_kept(run),
        };
        lock(&self.entries).iter().filter(|(key, entry)| done(key, entry)).map(|(key, _)| key.clone()).collect()
    }

    fn able(&self, done: &BTreeSet<Key>, failed: &BTreeMap<Key, Error>) -> Vec<&Item<'a>> {
        let open = self.todo.iter().filter(|item| !done.contains(&item.key) && !failed.contains_key(&item.key));
        let lets_go = |item: &Item, key: &Key| item.need_not.contains(key) && (failed.contains_key(key) || self.is_overdue(key));
        open.filter(|item| item.after.iter().all(|key| done.contains(key) || lets_go(item, key))).collect()
    }

    /// The cluster has taken it along, or it can be tried now.
    fn let_go(&self, failed: &mut BTreeMap<Key, Error>) {
        for item in self.todo.iter().filter(|item| item.resource.planned().goes_with_the_cluster()) {
            failed.remove(&item.key);
        }
    }

    fn is_overdue(&self, key: &Key) -> bool {
        self.entry(key).is_some_and(|entry| entry.state == State::Deleting && self.age(&entry) > OVERDUE)
    }

    /// A journal entry may have been lost after the plan was made from it. The next invocation makes a new plan.
    fn check_needs(&self, done: &BTreeSet<Key>, failed: &BTreeMap<Key, Error>, open: &BTreeMap<Key, Why>) -> Result<()> {
        let known = |key: &Key| done.contains(key) || self.stuck.contains(key) || self.todo.iter().any(|item| item.key == *key);
        let not_able =
            self.todo.iter().filter(|item| !done.contains(&item.key) && !failed.contains_key(&item.key) && !open.contains_key(&item.key));
        match not_able.flat_map(|item| &item.after).find(|key| !known(key)) {
            None => Ok(()),
            Some(key) => Err(Error::of(Code::Plan, format!("Something needs {key}, which is not in the plan."))),
        }
    }

    async fn step(&self, item: &Item<'_>) -> Stepped {
        match (item.resource, item.wanted) {
            (Resource::Made(made), true) => self.ensure(made.as_ref()).await,
            (Resource::Made(made), false) => self.destroy(made.as_ref()).await,
            (Resource::LookedAt(looked_at), true) => self.look(looked_at.as_ref()).await,
            (Resource::Removed(removed), false) => self.remove(removed.as_ref()).await,
            // The first is not ours to remove, and the second is never made.
            (Resource::LookedAt(_), false) | (Resource::Removed(_), true) => Ok(Step::Done),
        }
    }

    async fn ensure(&self, made: &dyn AnyMade) -> Stepped {
        let key = made.key();
        let Some(found) = made.find(self.cx).await? else {
            return self.create(made).await;
        };
        match found.judge(&self.cx.cluster) {
            Seen::Ready => self.record_ready(&key, found.outputs(&self.cx.cluster), None).await,
            Seen::Busy => self.wait_for(made).await,
            Seen::Differs(differences) => self.mend(made, found.as_ref(), differences).await,
            Seen::Sick(error) => self.stop(&key, error).await,
            Seen::Broken(error) | Seen::DeleteFailed(error) => self.replace(made, found.as_ref(), error).await,
        }
    }

    async fn destroy(&self, made: &dyn AnyMade) -> Stepped {
        let found = match made.find(self.cx).await {
            // It is gone, whatever AWS says of it now.
            Err(_) if made.goes_with_the_cluster() && self.is_gone(&Key::Cluster) => None,
            found => found?,
        };
        let Some(found) = found else {
            return match self.may_come_back(made) {
                Some(wait) => Ok(Step::Wait(wait, Why::Busy)),
                None => self.absent_at_last(&made.key(), self.again(made)).await,
            };
        };
        match found.judge(&self.cx.cluster) {
            Seen::Busy => Ok(Step::Wait(self.again(made), Why::Busy)),
            Seen::DeleteFailed(error) => self.delete_again(made, found.as_ref(), error).await,
            Seen::Ready | Seen::Differs(_) | Seen::Sick(_) | Seen::Broken(_) => match found.stays(self.cx).await? {
                true => self.record_ready(&made.key(), found.outputs(&self.cx.cluster), Some(KEPT.into())).await,
                false => self.delete(made, found.as_ref()).await,
            },
        }
    }

    /// How long it is too early to believe that it is gone for good.
    fn may_come_back(&self, made: &dyn AnyMade) -> Option<Duration> {
        let cluster = self.entry(&Key::Cluster).filter(|entry| made.comes_back() && entry.state == State::Gone)?;
        let left = (self.bounds.grace * GRACES_UNTIL_GONE).saturating_sub(self.age(&cluster));
        (!left.is_zero()).then_some(left)
    }

    async fn look(&self, looked_at: &dyn LookedAt) -> Stepped {
        let key = looked_at.key();
        match looked_at.look(self.cx).await? {
            (Seen::Ready, outputs) => self.record_ready(&key, outputs, None).await,
            (Seen::Busy, _) => self.wait_for(looked_at).await,
            (Seen::Differs(differences), outputs) => self.record_ready(&key, outputs, note(&differences)).await,
            (Seen::Sick(error) | Seen::Broken(error) | Seen::DeleteFailed(error), _) => self.stop(&key, error).await,
        }
    }

    async fn remove(&self, removed: &dyn Removed) -> Stepped {
        let (key, again) = (removed.key(), self.again(removed));
        let left = removed.find(self.cx).await?;
        if left.is_empty() {
            return self.absent_at_last(&key, again).await;
        }
        if left.iter().all(|leftover| leftover.busy) {
            return Ok(Step::Wait(again, Why::Held(in_use(&left))));
        }
        self.call_delete(&key, again, removed.remove(self.cx, &left)).await
    }

    async fn create(&self, made: &dyn AnyMade) -> Stepped {
        let key = made.key();
        if self.within_grace(&key) || !self.first(&key, Verb::Create) {
            return Ok(Step::Wait(self.again(made), Why::Unseen));
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
                Err(error.about_tags(&self.cx.cluster.spec.tags).into())
            }
        }
    }

    /// What cannot be mended in place is only noted: nothing is replaced unless somebody asked for it.
    async fn mend(&self, made: &dyn AnyMade, found: &dyn Found, differences: Vec<Difference>) -> Stepped {
        let key = made.key();
        if differences.iter().all(|difference| difference.how != How::InPlace) {
            return self.record_ready(&key, found.outputs(&self.cx.cluster), note(&differences)).await;
        }
        if !self.first(&key, Verb::Mend) {
            return Ok(Step::Wait(self.again(made), Why::Differs(listed(&differences))));
        }
        self.note_seen(&key).await?;
        found.mend(self.cx).await?;
        Ok(Step::Acted)
    }

    async fn delete(&self, made: &dyn AnyMade, found: &dyn Found) -> Stepped {
        self.call_delete(&made.key(), self.again(made), found.delete(self.cx)).await
    }

    /// AWS gave up deleting it. It is asked once more in a run, because the delete may have cleared the cause; the same cause again holds
    /// the thing up until the next run.
    async fn delete_again(&self, made: &dyn AnyMade, found: &dyn Found, error: Error) -> Stepped {
        let key = made.key();
        let asked = self.entry(&key).filter(|entry| entry.state == State::Deleting && entry.run == self.journal.run());
        match asked {
            Some(_) if lock(&self.called).contains(&(key.clone(), Verb::Delete)) => Ok(Step::Wait(self.again(made), Why::Held(error))),
            Some(entry) if entry.note.as_ref() == Some(&error.reason) => Err(error.into()),
            Some(entry) => {
                self.write(&key, Entry { note: Some(error.reason), ..entry }).await?;
                self.delete(made, found).await
            }
            None => self.delete(made, found).await,
        }
    }

    async fn call_delete(&self, key: &Key, again: Duration, delete: impl Future<Output = Result<()>>) -> Stepped {
        if !self.first(key, Verb::Delete) {
            return Ok(lock(&self.held).get(key).map_or(Step::Wait(again, Why::Busy), |said| Step::Wait(again, Why::Held(said.clone()))));
        }
        if self.entry(key).is_none_or(|entry| entry.state != State::Deleting || entry.run != self.journal.run()) {
            self.write(key, self.new_entry(State::Deleting)).await?;
        }
        match delete.await {
            Ok(()) => Ok(Step::Acted),
            // Something that depends on it is slower to go than AWS says. The stage's budget bounds the wait.
            Err(error) if error.class == Class::Transient && error.refused => {
                lock(&self.held).insert(key.clone(), error.clone());
                Ok(Step::Wait(again, Why::Held(error)))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// A broken thing stops the run that finds it broken. A later run, which somebody asked for, deletes the thing and makes it again,
    /// unless there is data in it. A run that has begun to delete it goes on.
    async fn replace(&self, made: &dyn AnyMade, found: &dyn Found, error: Error) -> Stepped {
        let key = made.key();
        let run = self.journal.run();
        let asked_for = self.entry(&key).is_some_and(|entry| match entry.state {
            State::Broken => entry.run < run,
            State::Deleting => entry.run == run,
            State::Creating | State::Pending | State::Ready | State::Gone => false,
        });
        if asked_for && !made.holds_data() { self.delete(made, found).await } else { self.stop(&key, error).await }
    }

    async fn stop(&self, key: &Key, error: Error) -> Stepped {
        let note = Some(error.reason.clone());
        self.write(key, Entry { note, ..self.new_entry(State::Broken) }).await?;
        Err(error.into())
    }

    async fn record_ready(&self, key: &Key, outputs: Outputs, note: Option<String>) -> Stepped {
        self.write(key, Entry { outputs: outputs.clone(), note, ..self.new_entry(State::Ready) }).await?;
        self.cx.learn(key, outputs);
        Ok(Step::Done)
    }

    async fn absent_at_last(&self, key: &Key, again: Duration) -> Stepped {
        if self.within_grace(key) {
            return Ok(Step::Wait(again, Why::Unseen));
        }
        match self.entry(key) {
            // Since when it is gone decides how long what may come back is waited for.
            Some(entry) if entry.state == State::Gone => self.write(key, Entry { run: self.journal.run(), ..entry }).await?,
            Some(_) => self.write(key, self.new_entry(State::Gone)).await?,
            None => {}
        }
        Ok(Step::Done)
    }

    /// AWS is at work. The next look comes when AWS can be done.
    async fn wait_for(&self, planned: &(impl Planned + ?Sized)) -> Stepped {
        let key = planned.key();
        self.note_seen(&key).await?;
        Ok(Step::Wait(planned.pace().first.saturating_sub(self.lasted(&key)).max(self.again(planned)), Why::Busy))
    }

    /// What already takes long is looked at more rarely: a minute later after an hour.
    fn again(&self, planned: &(impl Planned + ?Sized)) -> Duration {
        planned.pace().then.max(self.lasted(&planned.key()) / 60)
    }

    fn lasted(&self, key: &Key) -> Duration {
        self.entry(key).map_or(Duration::ZERO, |entry| self.age(&entry))
    }

    /// Writes down that a thing was seen for the first time: `Creating` means not seen yet.
    async fn note_seen(&self, key: &Key) -> Stepped<()> {
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

    fn is_gone(&self, key: &Key) -> bool {
        self.entry(key).is_some_and(|entry| entry.state == State::Gone && entry.run == self.journal.run())
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

    async fn write(&self, key: &Key, entry: Entry) -> Stepped<()> {
        self.journal.write(key, &entry).await.map_err(Failure::Journal)?;
        lock(&self.entries).insert(key.clone(), entry);
        Ok(())
    }

    async fn forget(&self, key: &Key) -> Stepped<()> {
        self.journal.forget(key).await.map_err(Failure::Journal)?;
        lock(&self.entries).remove(key);
        Ok(())
    }
}

/// What is wanted comes after its needs; what is unwanted after everything unwanted that needs it. Going up, there is nothing to do about
/// what is only removed.
fn items(plan: &Plan) -> Vec<Item<'_>> {
    let is_removed = |one: &&Resource| matches!(one, Resource::Removed(_));
    let removed: BTreeSet<Key> = plan.wanted.iter().filter(is_removed).map(Resource::key).collect();
    let wanted = plan.wanted.iter().filter(|one| !is_removed(one)).map(|one| {
        let after = one.planned().needs().into_iter().filter(|key| !removed.contains(key)).collect();
        Item { key: one.key(), resource: one, wanted: true, after, need_not: vec![], may_be_left: false }
    });
    let mut items: Vec<Item> = wanted.chain(plan.unwanted.iter().map(|one| unwanted(one, plan))).collect();
    let left: BTreeSet<Key> = items.iter().flat_map(|item| item.need_not.clone()).collect();
    items.iter_mut().for_each(|item| item.may_be_left = left.contains(&item.key));
    items
}

fn unwanted<'a>(resource: &'a Resource, plan: &Plan) -> Item<'a> {
    let key = resource.key();
    let needing: Vec<&Resource> = plan.unwanted.iter().filter(|other| other.planned().needs().contains(&key)).collect();
    let with_the_cluster = needing.iter().filter(|other| other.planned().goes_with_the_cluster()).map(|other| other.key());
    let first = resource.planned().goes_after().into_iter().filter(|first| plan.unwanted.iter().any(|other| other.key() == *first));
    let need_not: Vec<Key> = with_the_cluster.chain(first).collect();
    let after = needing.iter().map(|other| other.key()).chain(need_not.clone()).collect();
    Item { resource, wanted: false, after, need_not, may_be_left: false, key }
}

fn in_use(left: &[Leftover]) -> Error {
    let left: Vec<String> = left.iter().map(ToString::to_string).collect();
    let reason = format!("Something in the account still uses {}.", left.join(", "));
    Error { class: Class::Transient, ..Error::of(Code::InUse, reason) }
}

fn note(differences: &[Difference]) -> Option<String> {
    (!differences.is_empty()).then(|| listed(differences))
}

fn listed(differences: &[Difference]) -> String {
    differences.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
