//! What an invocation comes to: what it leaves on the record, and what the state machine is told.

use super::{Function, Reply, pending};
use crate::clock::passed;
use crate::drive::{Answer, Why};
use crate::errors::table::WAIT;
use crate::errors::{Error, Result};
use crate::records::record::{Failure, Record};
use crate::stages::row;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;
use wire::error::{Class, Code};
use wire::key::Key;
use wire::stage::Stage;
use wire::trouble::Trouble;

const LOOK_AGAIN_AFTER_REFUSAL: Duration = Duration::from_secs(5);
/// How long an error that usually passes is tried again within a run. A lost create alone is waited for during five minutes.
const PASSES_WITHIN: Duration = Duration::from_secs(900);
const SOONEST: Duration = Duration::from_secs(2);
const LATEST: Duration = Duration::from_secs(60);
/// A reason may hold a message of AWS of any length, and a record at most 400 KB.
const LONGEST_REASON: usize = 1000;

impl Function {
    /// Notes how far a walk got. A stage with a resource that it gave up is over once everything else is done, and the stages after it go
    /// on with what does not need the resource; the last one ends the run with the error.
    ///
    /// # Errors
    /// Why the run ends.
    pub(super) fn conclude(&self, record: &mut Record, answer: &Answer, now: Timestamp) -> Result<Reply> {
        let troubles = self.troubles(record, answer, now);
        let busy = answer
            .open
            .iter()
            .any(|(key, why)| !matches!(why, Why::Failed(_)) && troubles.get(key).is_none_or(|one| one.given_up_at.is_none()));
        let retried = troubles.values().filter(|one| one.given_up_at.is_none()).map(|one| wait_after(passed(one.since, now))).min();
        record.troubles.retain(|_, trouble| trouble.stage != self.stage);
        let given_up = !troubles.is_empty();
        record.troubles.extend(troubles);
        record.refused_since = None;
        match (busy, retried) {
            (true, retried) => Ok(pending(answer.wait.min(retried.unwrap_or(Duration::MAX)))),
            (false, Some(wait)) => Ok(pending(wait)),
            (false, None) => self.close(record, given_up, now),
        }
    }

    /// True if the run ends with this answer.
    pub(super) fn ends(&self, record: &Record, answer: &Answer) -> bool {
        let reply = self.conclude(&mut record.clone(), answer, self.desk.now());
        !matches!(reply, Ok(Reply::Pending { .. }))
    }

    /// Notes an error that is not about one resource.
    ///
    /// # Errors
    /// The same error, if it is believed.
    pub(super) fn fail(&self, record: &mut Record, error: &Error, now: Timestamp) -> Result<Reply> {
        record.failure = Some(Failure::new(record.run, Some(self.stage), error));
        if error.code == Code::RoleRefused {
            record.refused_since.get_or_insert(now);
        }
        let Some(progress) = record.stages.get_mut(&self.stage) else { return Err(error.clone()) };
        progress.refused_since = error.may_be_stale().then(|| progress.refused_since.unwrap_or(now));
        let refused_for = progress.refused_since.map(|since| passed(since, now));
        match refused_for {
            Some(lasted) if lasted < self.patience.refusal_grace => Ok(pending(LOOK_AGAIN_AFTER_REFUSAL)),
            _ => Err(error.clone()),
        }
    }

    /// Nothing of the stage can act any more. Only the last stage of a run settles the cluster, or ends the run with what is stuck.
    fn close(&self, record: &mut Record, given_up: bool, now: Timestamp) -> Result<Reply> {
        let settled = row(self.stage).settles;
        let worst = worst(&record.troubles).filter(|_| settled.is_some()).cloned();
        // The error of another stage that runs beside this one stays on the record.
        if record.failure.as_ref().is_some_and(|failure| failure.stage == Some(self.stage)) {
            record.failure = None;
        }
        if let Some(trouble) = worst {
            let error = of_all(&trouble, record.troubles.len());
            record.failure = Some(Failure::new(record.run, Some(trouble.stage), &error));
            return Err(error);
        }
        if let Some(progress) = record.stages.get_mut(&self.stage).filter(|_| !given_up) {
            progress.ready_at = Some(now);
            progress.refused_since = None;
        }
        if let Some(status) = settled {
            record.set_status(status, now);
        }
        Ok(Reply::Ready)
    }

    fn troubles(&self, record: &Record, answer: &Answer, now: Timestamp) -> BTreeMap<Key, Trouble> {
        let over_budget = self.over_budget(record);
        // What is inside is given up by the stage, which then closes the door.
        let keeps_trying = |key: &Key| self.is_about_the_inside(key) && !record.has_been_inside();
        let trouble = |(key, why): (&Key, &Why)| {
            let before = record.troubles.get(key).filter(|before| before.stage == self.stage);
            let since = before.map_or(now, |before| before.since);
            let (error, given_up) = match why {
                Why::Busy | Why::Unseen if over_budget => (self.unfinished(key), true),
                Why::Differs(differences) if over_budget => (still_differs(Code::OverBudget, key, differences), true),
                // AWS may yet show what its last answer said had failed: only the next answer tells.
                Why::Unseen => return before.map(|before| (key.clone(), before.clone())),
                Why::Held(said) if over_budget => (self.held(key, said), true),
                Why::Busy | Why::Differs(_) => return None,
                Why::Held(said) => (said.clone(), false),
                Why::Failed(error) => (error.clone(), over_budget || !self.may_pass(error, passed(since, now))),
            };
            let given_up = given_up && !keeps_trying(key);
            let given_up_at = given_up.then(|| before.and_then(|before| before.given_up_at).unwrap_or(now));
            Some((key.clone(), self.trouble(error, since, given_up_at)))
        };
        answer.open.iter().filter_map(trouble).collect()
    }

    fn is_about_the_inside(&self, key: &Key) -> bool {
        self.stage == Stage::Furnish && matches!(key, Key::Door | Key::AccessEntry(_) | Key::Furniture)
    }

    fn trouble(&self, error: Error, since: Timestamp, given_up_at: Option<Timestamp>) -> Trouble {
        let class = if given_up_at.is_some() && error.class.retryable() { Class::Later } else { error.class };
        let Error { code, reason, hint, .. } = error;
        Trouble { stage: self.stage, class, code, reason: shortened(reason), hint, since, given_up_at }
    }

    fn may_pass(&self, error: &Error, lasted: Duration) -> bool {
        error.may_be_stale() && lasted < self.patience.refusal_grace || error.class.retryable() && lasted < PASSES_WITHIN
    }

    fn over_budget(&self, record: &Record) -> bool {
        let progress = record.stages.get(&self.stage);
        progress.is_some_and(|progress| passed(progress.started_at, self.desk.now()) > self.patience.budget)
    }

    fn unfinished(&self, key: &Key) -> Error {
        let minutes = self.budget_minutes();
        match key {
            // An interface that somebody uses, or that nobody of ours made: AWS is at work on none of them.
            Key::Leftovers => {
                Error::of(Code::InUse, format!("Something in the cluster's network is still in use after {minutes} minutes."))
            }
            _ => Error::of(Code::OverBudget, format!("AWS is not finished with {key} after {minutes} minutes.")),
        }
    }

    fn held(&self, key: &Key, said: &Error) -> Error {
        let reason = format!("{key} could not be removed in {} minutes. {}", self.budget_minutes(), said.reason);
        let held = Error::of(Code::InUse, reason);
        // That it is tried again by itself is no help any more.
        if said.hint == WAIT { held } else { held.with_hint(&said.hint) }
    }

    fn budget_minutes(&self) -> u64 {
        self.patience.budget.as_secs() / 60
    }
}

pub(super) fn still_differs(code: Code, key: &Key, differences: &str) -> Error {
    let reason = format!("{key} still differs from what was asked for: {differences}.");
    Error::of(code, reason).with_hint("Groundwork sets it right by itself. If something changes it back each time, stop that.")
}

/// The error for which the run ends: the operator's before the tenant's before what passes by itself.
fn worst(troubles: &BTreeMap<Key, Trouble>) -> Option<&Trouble> {
    let rank = |class| match class {
        Class::Permanent => 0,
        Class::Customer => 1,
        Class::Later | Class::Transient | Class::Throttled | Class::Superseded => 2,
    };
    troubles.values().min_by_key(|trouble| rank(trouble.class))
}

fn of_all(trouble: &Trouble, count: usize) -> Error {
    let Trouble { class, code, reason, hint, .. } = trouble.clone();
    let reason = match count - 1 {
        0 => reason,
        others => format!("{reason} ({others} more could not be done either: see troubles)"),
    };
    Error { class, hint, ..Error::of(code, reason) }
}

/// The longer an error lasts, the more rarely it is tried.
fn wait_after(lasted: Duration) -> Duration {
    (lasted / 2).clamp(SOONEST, LATEST)
}

fn shortened(text: String) -> String {
    match text.char_indices().nth(LONGEST_REASON) {
        None => text,
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}
