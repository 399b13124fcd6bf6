//! A cluster as the API shows it.

mod progress;

use crate::cluster::Cluster;
use crate::plan;
use crate::records::record::{Failure, Record};
use crate::resource::Resource;
use crate::resources;
use crate::warnings;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use wire::error::Code;
use wire::event::sentence;
use wire::journal::{Entry, State};
use wire::key::Key;
use wire::spec::{InstanceType, Spec};
use wire::status::Desired;
use wire::view::{self, ClusterOutputs, Endpoint, Nodes, Summary, Unfurnished};

/// The cluster with its stage, each resource with its state, and its outputs.
pub fn cluster(record: &Record, journal: &BTreeMap<Key, Entry>, now: Timestamp) -> view::Cluster {
    let wanted = record.cluster().ok().filter(|cluster| is_planned(record, cluster));
    let cidrs = record.spec.read().ok().and_then(|spec| spec.public_cidrs());
    view::Cluster {
        summary: summary(record),
        spec: record.spec.shown(),
        endpoint_access: Endpoint {
            mode: record.endpoint_access,
            cidrs: cidrs.map(<[String]>::to_vec),
            operator: record.door.map(|door| door.to_string()),
        },
        progress: progress::of(record, wanted.as_ref(), journal, now),
        instance_types: record.instance_types().to_vec(),
        hardware: record.hardware.clone(),
        warnings: warnings::of(record),
        resources: resources(wanted.as_ref(), journal),
        troubles: troubles(record, wanted.as_ref(), journal),
        furnished: record.is_furnished(),
        unfurnished: unfurnished(record),
        outputs: ClusterOutputs::of(&record.name, record.spec.region(), journal),
        inventory: record.inventory.clone(),
        notice: record.spec.notice(),
    }
}

/// Of a cluster that runs, or that is on its way to do so again.
fn unfurnished(record: &Record) -> Option<Unfurnished> {
    let failure = record.furnishing.as_ref()?.failure.as_ref().filter(|_| record.desired == Desired::Present)?;
    let Failure { code, reason, .. } = failure.clone();
    let inside = code.means().hint.replace("<name>", &record.name);
    let again = match code {
        // Trying again changes nothing.
        Code::NoDoor => String::new(),
        _ => format!("{} Then groundwork retry {}, which leaves the rest of it as it is. Or: ", sentence(&failure.hint), record.name),
    };
    Some(Unfurnished { code, reason, hint: format!("{again}{inside}") })
}

/// A cluster's line in a list.
pub fn summary(record: &Record) -> Summary {
    let failure = record.failure.as_ref().filter(|_| record.status.is_parked());
    Summary {
        name: record.name.clone(),
        id: record.id.clone(),
        status: record.status,
        stage: record.stage(),
        code: failure.map(|failure| failure.code.clone()),
        reason: failure.map(|failure| failure.reason.clone()),
        hint: failure.map(|failure| failure.hint.clone()),
        turn: failure.and_then(|failure| Some(failure.class?.turn())),
        again_at: record.again_at(),
        region: record.spec.region().map(str::to_owned),
        account: record.spec.account().map(str::to_owned),
        mode: record.spec.read().ok().map(Spec::mode),
        nodes: record.spec.read().ok().map(|_| nodes(record.instance_types())),
        created_at: record.created_at,
        updated_at: record.updated_at,
    }
}

fn nodes(types: &[InstanceType]) -> Nodes {
    let sum = |count: fn(&InstanceType) -> u32| types.iter().map(count).sum();
    Nodes { kept: sum(|group| group.overprovisioned_ondemand_count), most: sum(|group| group.max_count) }
}

/// A managed cluster's resources are known once its zones are; a deleted one has none.
fn is_planned(record: &Record, cluster: &Cluster) -> bool {
    let known = cluster.spec.self_managed().is_some() || !cluster.zones.is_empty();
    known && !record.status.is_over()
}

/// The plan's resources in their order, then what only the journal knows.
fn resources(cluster: Option<&Cluster>, journal: &BTreeMap<Key, Entry>) -> Vec<view::Resource> {
    let keys = cluster.map(plan::wanted).unwrap_or_default();
    let planned = cluster.into_iter().flat_map(|cluster| keys.iter().filter_map(|key| resources::of(key, cluster)));
    let shown = planned.filter(|one| !matches!(one, Resource::Removed(_))).map(|one| {
        let one = one.planned();
        let planned = view::Planned { stage: one.stage(), needs: one.needs(), usual_seconds: one.usual().made };
        view::Resource::planned(one.key(), planned, journal.get(&one.key()))
    });
    shown.chain(unplanned(&keys, journal)).collect()
}

fn troubles(record: &Record, cluster: Option<&Cluster>, journal: &BTreeMap<Key, Entry>) -> Vec<view::Trouble> {
    let needs = cluster.map(|cluster| needs(record, cluster, journal)).unwrap_or_default();
    record.troubles.iter().map(|(key, trouble)| view::Trouble::new(key, trouble, waiting(key, &needs))).collect()
}

/// What is not done yet, and what has to be done before each.
fn needs(record: &Record, cluster: &Cluster, journal: &BTreeMap<Key, Entry>) -> BTreeMap<Key, BTreeSet<Key>> {
    let open: Vec<Resource> = work(record, cluster, journal).into_iter().filter(|one| !is_done(one, record, journal)).collect();
    let lets_go = |one: &Resource| record.troubles.contains_key(&one.key()) && one.planned().goes_with_the_cluster();
    let before = |one: &Resource| match record.desired {
        Desired::Present => one.planned().needs().into_iter().collect(),
        Desired::Absent => {
            let needing = open.iter().filter(|other| other.planned().needs().contains(&one.key()) && !lets_go(other));
            needing.map(Resource::key).collect()
        }
    };
    open.iter().map(|one| (one.key(), before(one))).collect()
}

/// What the current run is about.
fn work(record: &Record, cluster: &Cluster, journal: &BTreeMap<Key, Entry>) -> Vec<Resource> {
    // What went while the cluster stays is no work any more.
    let known = journal.iter().filter(|(_, entry)| record.desired == Desired::Absent || entry.state != State::Gone);
    let keys: BTreeSet<Key> = plan::wanted(cluster).into_iter().chain(known.map(|(key, _)| key.clone())).collect();
    let all = keys.iter().filter_map(|key| resources::of(key, cluster));
    all.filter(|one| record.desired == Desired::Present || plan::goes(one, cluster, journal)).collect()
}

fn is_done(one: &Resource, record: &Record, journal: &BTreeMap<Key, Entry>) -> bool {
    let entry = journal.get(&one.key());
    let state = entry.map(|entry| entry.state);
    match (record.desired, one) {
        // Going up, what is only removed is nobody's work, and going down what is only looked at.
        (Desired::Present, Resource::Removed(_)) | (Desired::Absent, Resource::LookedAt(_)) => true,
        (Desired::Present, _) => state == Some(State::Ready),
        // It has an entry only once there was something to remove.
        (Desired::Absent, Resource::Removed(_)) => state == Some(State::Gone),
        (Desired::Absent, Resource::Made(_)) => entry.is_none_or(|entry| entry.is_removed_or_kept(record.run)),
    }
}

/// What waits for one thing, at whatever remove, in the order of their keys.
fn waiting(thing: &Key, needs: &BTreeMap<Key, BTreeSet<Key>>) -> Vec<Key> {
    let mut waiting = BTreeSet::from([thing.clone()]);
    loop {
        let more: Vec<Key> = needs
            .iter()
            .filter(|(key, needs)| !waiting.contains(key) && !needs.is_disjoint(&waiting))
            .map(|(key, _)| key.clone())
            .collect();
        if more.is_empty() {
            waiting.remove(thing);
            return waiting.into_iter().collect();
        }
        waiting.extend(more);
    }
}

/// By the text of their keys.
fn unplanned(planned: &[Key], journal: &BTreeMap<Key, Entry>) -> Vec<view::Resource> {
    let there = journal.iter().filter(|(key, entry)| entry.state != State::Gone && !planned.contains(key));
    let mut unplanned: Vec<view::Resource> = there.map(|(key, entry)| view::Resource::unplanned(key.clone(), entry)).collect();
    unplanned.sort_by_cached_key(|resource| resource.key.to_string());
    unplanned
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use wire::status::{EndpointAccess, Status};

    fn record(example: Cluster) -> Record {
        let Cluster { id, tenant, zones, spec, .. } = example;
        let mut record = Record::new(id, tenant, spec, EndpointAccess::Given, Timestamp::UNIX_EPOCH);
        record.zones = zones;
        record
    }

    fn keys(view: &view::Cluster) -> Vec<String> {
        view.resources.iter().map(|resource| resource.key.to_string()).collect()
    }

    #[test]
    fn resources_that_only_the_journal_knows_come_last_in_order_of_key() {
        let ready = Entry::new(State::Ready, 1, Timestamp::UNIX_EPOCH);
        let known = ["vpc", "fargate/a", "cluster", "addon/coredns"].map(|key| (Key::from(key), ready.clone()));
        let gone = (Key::NatGateway(0), Entry { state: State::Gone, ..ready.clone() });
        let journal = known.into_iter().chain([gone]).collect();
        let shown =
            cluster(&record(Cluster::self_managed(json!({"instance_types": [], "node_role_arn": null}))), &journal, Timestamp::UNIX_EPOCH);
        assert_eq!(keys(&shown), ["bucket/their-data", "bucket/their-logs", "cluster", "addon/coredns", "fargate/a", "vpc"]);
    }

    #[test]
    fn resources_are_shown_once_the_zones_are_known_and_until_deletion() {
        let mut record = record(Cluster::example(json!({})));
        assert_eq!(keys(&cluster(&record, &BTreeMap::new(), Timestamp::UNIX_EPOCH)).first().map(String::as_str), Some("bucket/artifacts"));
        record.set_status(Status::Deleted, Timestamp::UNIX_EPOCH);
        assert_eq!(keys(&cluster(&record, &BTreeMap::new(), Timestamp::UNIX_EPOCH)), [""; 0]);
        record.set_status(Status::Queued, Timestamp::UNIX_EPOCH);
        record.zones.clear();
        assert_eq!(keys(&cluster(&record, &BTreeMap::new(), Timestamp::UNIX_EPOCH)), [""; 0]);
    }

    #[test]
    fn a_cluster_that_is_not_understood_is_shown_with_a_notice() {
        let mut record = record(Cluster::example(json!({})));
        let mut written = record.spec.written().clone();
        written["mode"] = json!("fargate");
        record.spec = written.clone().into();
        let journal = BTreeMap::from([(Key::Vpc, Entry::new(State::Ready, 1, Timestamp::UNIX_EPOCH))]);
        let shown = cluster(&record, &journal, Timestamp::UNIX_EPOCH);
        assert_eq!((keys(&shown), json!(shown.spec)), (vec!["vpc".to_owned()], written));
        assert_eq!((shown.summary.region.as_deref(), shown.summary.account.as_deref()), (Some("us-west-2"), Some("222222222222")));
        assert!(shown.notice.is_some_and(|notice| notice.contains("fargate")));
    }
}
