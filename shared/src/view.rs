//! A cluster as the API shows it.

use crate::journal::{Entry, State};
use crate::plan;
use crate::records::record::{Record, Status};
use crate::resource::Key;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The cluster with its stage, each resource with its state, and its outputs.
pub fn cluster(record: &Record, journal: &BTreeMap<Key, Entry>) -> Value {
    let mut view = summary(record);
    let more = json!({
        "spec": record.spec,
        "endpoint_access": {"mode": record.endpoint_access, "cidrs": record.spec.public_access_cidrs},
        "resources": resources(record, journal),
        "outputs": outputs(journal),
        "inventory": record.inventory,
    });
    if let (Value::Object(view), Value::Object(more)) = (&mut view, more) {
        view.extend(more);
    }
    view
}

/// The line of a cluster in a list.
pub fn summary(record: &Record) -> Value {
    let parked = matches!(record.status, Status::Failed | Status::DeleteBlocked);
    let failure = record.failure.as_ref().filter(|_| parked);
    json!({
        "name": record.name,
        "id": record.id,
        "status": record.status,
        "stage": record.stage(),
        "code": failure.map(|failure| &failure.code),
        "reason": failure.map(|failure| &failure.reason),
        "hint": failure.map(|failure| &failure.hint),
        "region": record.spec.region,
        "account": record.spec.account(),
        "created_at": record.created_at,
        "updated_at": record.updated_at,
    })
}

/// The plan's resources in their order, then what only the journal knows.
fn resources(record: &Record, journal: &BTreeMap<Key, Entry>) -> Vec<Value> {
    let planned: Vec<Key> = match record.zones.is_empty() || record.status == Status::Deleted {
        true => vec![],
        false => plan::plan(&record.cluster()).iter().filter(|resource| !resource.only_down()).map(|resource| resource.key()).collect(),
    };
    let unplanned = journal.keys().filter(|key| !planned.contains(key)).cloned();
    planned.iter().cloned().chain(unplanned).map(|key| resource(&key, journal.get(&key))).collect()
}

fn resource(key: &Key, entry: Option<&Entry>) -> Value {
    match entry {
        None => json!({"key": key, "state": "absent"}),
        Some(entry) => json!({"key": key, "state": entry.state, "since": entry.since, "note": entry.note, "outputs": entry.outputs}),
    }
}

fn outputs(journal: &BTreeMap<Key, Entry>) -> Value {
    let of = |key: &str, output: &str| journal.get(&Key::from(key)).and_then(|entry| entry.outputs.get(output));
    json!({
        "cluster_name": of("cluster", "name"),
        "endpoint": of("cluster", "endpoint"),
        "certificate_authority": of("cluster", "ca"),
        "buckets": named(journal, "bucket/"),
        "node_groups": named(journal, "node-group/"),
    })
}

/// `{"artifacts": "groundwork-…-artifacts"}` for the keys that begin with `prefix`.
fn named(journal: &BTreeMap<Key, Entry>, prefix: &str) -> Map<String, Value> {
    let ready = journal.iter().filter(|(_, entry)| entry.state == State::Ready);
    ready.filter_map(|(key, entry)| Some((key.0.strip_prefix(prefix)?.to_owned(), json!(entry.outputs.get("name")?)))).collect()
}
