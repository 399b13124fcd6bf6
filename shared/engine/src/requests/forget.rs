//! Giving up a cluster whose account lets nobody in any more.

use super::{Request, Requests};
use crate::clock::passed;
use crate::desk::{With, change};
use crate::errors::Error;
use crate::records::record::Record;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;
use wire::event::{Action, Event};
use wire::inventory::{Found, Inventory};
use wire::journal::{Entry, State};
use wire::key::Key;
use wire::problem::Problem;
use wire::status::Status;

/// How long the role must have been refused.
const REFUSED_FOR: Duration = Duration::from_secs(24 * 3600);

impl Requests {
    /// Nothing in the account is touched: what may be there is told from the journal. Repeating it changes nothing.
    pub(super) async fn forget(&self, request: &Request, name: &str) -> Result<Record, Problem> {
        let record = self.find(&request.tenant, name).await?;
        if record.status == Status::Forgotten {
            return self.free_role_of(record).await;
        }
        check(&record, self.desk.now())?;
        if self.gate.is_open(&record).await? {
            return Err(Problem::not_forgettable("AWS lets Groundwork assume the role again, so the deletion can go on: retry it."));
        }
        let left = may_be_left(&self.desk.journal(&record.id).await?);
        let give_up = |record: &mut Record| {
            // In between the sweep may have begun a new run.
            if record.status != Status::DeleteBlocked {
                return Err(Error::superseded());
            }
            record.inventory = Some(left.clone());
            record.set_status(Status::Forgotten, self.desk.now());
            record.asked_by = Some(request.actor.clone());
            Ok(())
        };
        match change(self.desk.as_ref(), &record.id, give_up, |record| self.traces_of_giving_up(request, record)).await {
            Ok((record, ())) => self.free_role_of(record).await,
            Err(error) if error == Error::superseded() => Err(Problem::not_forgettable("The deletion is being tried again just now.")),
            Err(error) => Err(error.into()),
        }
    }

    /// Any tenant whose external ID the role trusts may name it from now on.
    async fn free_role_of(&self, record: Record) -> Result<Record, Problem> {
        if let Ok(spec) = record.spec.read() {
            self.desk.free_role(&record.tenant, &spec.role_arn).await?;
        }
        Ok(record)
    }

    fn traces_of_giving_up(&self, request: &Request, record: &Record) -> Vec<With> {
        let left = record.inventory.as_ref().map_or(0, |inventory| inventory.left.len());
        let message = format!("The cluster was given up; {left} things may still be in its account: inventory.left lists them.");
        let event = Event::new(self.desk.now(), &request.actor, Action::Forgotten, record.status.name(), message);
        let given_back = [With::Event(event), With::Departure];
        self.traces(request, record).into_iter().chain(given_back).collect()
    }
}

fn check(record: &Record, now: Timestamp) -> Result<(), Problem> {
    if record.status != Status::DeleteBlocked {
        return Err(Problem::not_forgettable(format!("The cluster is {}, not delete_blocked.", record.status.name())));
    }
    match record.refused_since {
        None => Err(Problem::not_forgettable("AWS let Groundwork assume the role when the deletion was last tried.")),
        Some(since) if passed(since, now) < REFUSED_FOR => {
            Err(Problem::not_forgettable(format!("AWS has refused to let Groundwork assume the role only since {since:.0}.")))
        }
        Some(_) => Ok(()),
    }
}

/// What the journal last knew to be there.
fn may_be_left(journal: &BTreeMap<Key, Entry>) -> Inventory {
    let there = journal.iter().filter(|(_, entry)| entry.state != State::Gone);
    let left = there.map(|(key, entry)| {
        let id = ["id", "arn", "name"].iter().find_map(|name| entry.outputs.get(*name)).cloned();
        Found::new(&key.to_string(), id.unwrap_or_else(|| "not known".into()), "the journal had it when Groundwork was last let in")
    });
    Inventory { left: left.collect(), kept: vec![] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::Cluster;
    use jiff::SignedDuration;
    use serde_json::json;
    use wire::status::EndpointAccess;

    #[test]
    fn only_a_blocked_cluster_whose_role_was_refused_for_a_day_is_forgotten() {
        let now: Timestamp = "2025-01-02T03:04:05Z".parse().expect("a time");
        let hours = |hours| now - SignedDuration::from_hours(hours);
        for (status, refused_since, expected) in [
            (Status::Running, Some(hours(30)), Some("The cluster is running, not delete_blocked.")),
            (Status::DeleteBlocked, None, Some("AWS let Groundwork assume the role when the deletion was last tried.")),
            (
                Status::DeleteBlocked,
                Some(hours(23)),
                Some("AWS has refused to let Groundwork assume the role only since 2025-01-01T04:04:05Z."),
            ),
            (Status::DeleteBlocked, Some(hours(24)), None),
        ] {
            let Cluster { id, tenant, spec, .. } = Cluster::example(json!({}));
            let mut record = Record::new(id, tenant, spec, EndpointAccess::Given, now);
            record.set_status(status, now);
            record.refused_since = refused_since;
            assert_eq!(check(&record, now).err().map(|problem| problem.detail).as_deref(), expected, "{status:?} {refused_since:?}");
        }
    }

    #[test]
    fn what_may_be_left_is_what_the_journal_had() {
        let entry = |state, outputs: &[(&str, &str)]| Entry {
            outputs: outputs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            ..Entry::new(state, 1, Timestamp::UNIX_EPOCH)
        };
        let journal = BTreeMap::from([
            (Key::Vpc, entry(State::Deleting, &[("id", "vpc-1")])),
            (Key::NatGateway(0), entry(State::Gone, &[("id", "nat-1")])),
            (Key::Cluster, entry(State::Creating, &[])),
        ]);
        let left = may_be_left(&journal).left.into_iter().map(|found| (found.kind, found.id)).collect::<Vec<_>>();
        assert_eq!(left, [("vpc".to_owned(), "vpc-1".to_owned()), ("cluster".to_owned(), "not known".to_owned())]);
    }
}
