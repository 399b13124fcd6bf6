//! How far a run is, and how much longer it usually takes: the longest way through what is not done yet.

use super::{is_done, needs, work};
use crate::cluster::Cluster;
use crate::records::record::Record;
use crate::resource::Resource;
use crate::resources;
use jiff::Timestamp;
use std::collections::BTreeMap;
use wire::journal::{Entry, State};
use wire::key::Key;
use wire::status::{Desired, Status};
use wire::view::Progress;

pub fn of(record: &Record, cluster: Option<&Cluster>, journal: &BTreeMap<Key, Entry>, now: Timestamp) -> Progress {
    let counted: Vec<Resource> = cluster.map(|cluster| work(record, cluster, journal)).unwrap_or_default();
    let counted: Vec<&Resource> = counted.iter().filter(|one| counts(one, record.desired, journal)).collect();
    let ready = counted.iter().filter(|one| is_done(one, record, journal)).count();
    Progress {
        at: now,
        ready: ready as u32,
        total: counted.len() as u32,
        seconds_elapsed: elapsed(record, now),
        seconds_expected: cluster.filter(|_| is_at_work(record.status)).map(|cluster| expected(record, cluster, journal, now)),
    }
}

/// Going up, what is in the plan; going down, what was there. What is only looked at, or only removed, counts where it is work.
fn counts(one: &Resource, desired: Desired, journal: &BTreeMap<Key, Entry>) -> bool {
    match (desired, one) {
        (Desired::Present, Resource::Removed(_)) | (Desired::Absent, Resource::LookedAt(_)) => false,
        (Desired::Present, _) => true,
        (Desired::Absent, _) => journal.contains_key(&one.key()),
    }
}

fn is_at_work(status: Status) -> bool {
    match status {
        Status::Queued | Status::Provisioning | Status::Terminating => true,
        Status::Running | Status::Failed | Status::DeleteBlocked | Status::Deleted | Status::Forgotten => false,
    }
}

/// Since the run's first stage began, until now or until it came to rest.
fn elapsed(record: &Record, now: Timestamp) -> u64 {
    let began = record.stages.values().filter(|stage| stage.run == record.run).map(|stage| stage.started_at).min();
    let end = if is_at_work(record.status) { now } else { record.updated_at };
    began.map_or(0, |began| end.duration_since(began).as_secs().max(0).unsigned_abs())
}

fn expected(record: &Record, cluster: &Cluster, journal: &BTreeMap<Key, Entry>, now: Timestamp) -> u64 {
    let before = needs(record, cluster, journal);
    let open: BTreeMap<Key, Resource> = before.keys().filter_map(|key| Some((key.clone(), resources::of(key, cluster)?))).collect();
    let alone: BTreeMap<&Key, u64> = open.iter().map(|(key, one)| (key, remaining(one, record.desired, journal.get(key), now))).collect();
    // Going up, a stage begins once those before it have ended, as good as.
    let waits = |key: &Key, other: &Key| {
        before[key].contains(other) || record.desired == Desired::Present && open[other].planned().stage() < open[key].planned().stage()
    };
    let mut done = alone.clone();
    // No way is longer than there are things on it.
    for _ in 0..open.len() {
        done = open
            .keys()
            .map(|key| (key, alone[key] + open.keys().filter(|other| waits(key, other)).map(|other| done[other]).max().unwrap_or(0)))
            .collect();
    }
    done.into_values().max().unwrap_or(0)
}

/// What it has lasted already counts. What takes longer than usual may end at any moment.
fn remaining(one: &Resource, desired: Desired, entry: Option<&Entry>, now: Timestamp) -> u64 {
    let usual = match desired {
        Desired::Present => one.planned().usual().made,
        Desired::Absent if entry.is_none() => 0,
        Desired::Absent => one.planned().usual().removed,
    };
    let is_asked = |state| match desired {
        Desired::Present => matches!(state, State::Creating | State::Pending),
        Desired::Absent => state == State::Deleting,
    };
    let lasted = entry.filter(|entry| is_asked(entry.state)).map_or(0, |entry| now.duration_since(entry.since).as_secs());
    u64::from(usual).saturating_sub(lasted.max(0).unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::ToSpan;
    use serde_json::json;
    use wire::status::EndpointAccess;

    fn of_example(status: Status, desired: Desired, journal: &[(Key, State)]) -> Progress {
        let cluster = Cluster::example(json!({}));
        let mut record =
            Record::new(cluster.id.clone(), cluster.tenant.clone(), cluster.spec.clone(), EndpointAccess::Given, Timestamp::UNIX_EPOCH);
        record.zones.clone_from(&cluster.zones);
        (record.status, record.desired) = (status, desired);
        let entry = |state: &State| Entry::new(*state, 1, Timestamp::UNIX_EPOCH);
        let journal = journal.iter().map(|(key, state)| (key.clone(), entry(state))).collect();
        of(&record, Some(&cluster), &journal, Timestamp::UNIX_EPOCH + 100.seconds())
    }

    #[test]
    fn a_creation_takes_as_long_as_its_longest_way() {
        let begun = of_example(Status::Provisioning, Desired::Present, &[]);
        let control_plane = of_example(Status::Provisioning, Desired::Present, &[(Key::Cluster, State::Pending)]);
        assert_eq!((begun.ready, begun.total > 20), (0, true), "{begun:?}");
        let seconds = |progress: &Progress| progress.seconds_expected.unwrap_or_default();
        assert!((700..1000).contains(&seconds(&begun)), "the control plane, the add-ons, the nodes, one after the other: {begun:?}");
        assert_eq!(seconds(&begun) - seconds(&control_plane), 100, "what it has lasted is less to wait");
    }

    #[test]
    fn a_deletion_is_about_what_was_there() {
        let journal = [(Key::Vpc, State::Gone), (Key::Cluster, State::Deleting), (Key::InternetGateway, State::Ready)];
        let going = of_example(Status::Terminating, Desired::Absent, &journal);
        assert_eq!((going.ready, going.total), (1, 3));
        assert!(going.seconds_expected.is_some_and(|seconds| (80..200).contains(&seconds)), "{going:?}");
    }

    #[test]
    fn what_may_come_back_is_waited_for() {
        let going = of_example(Status::Terminating, Desired::Absent, &[(Key::LogGroup, State::Deleting)]);
        assert_eq!(going.seconds_expected, Some(500), "{going:?}");
    }

    #[test]
    fn nothing_is_expected_of_what_is_at_rest() {
        for (status, desired) in
            [(Status::Running, Desired::Present), (Status::Failed, Desired::Present), (Status::DeleteBlocked, Desired::Absent)]
        {
            assert_eq!(of_example(status, desired, &[]).seconds_expected, None, "{status:?}");
        }
    }
}
