//! A cluster as the API shows it.

use crate::journal::{Entry, State};
use crate::plan;
use crate::records::record::{Record, Status};
use crate::resource::Key;
use crate::spec::Mode;
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

/// The plan's resources in their order, each with its stage and those that it waits for, then what only the journal knows.
fn resources(record: &Record, journal: &BTreeMap<Key, Entry>) -> Vec<Value> {
    // What a managed cluster consists of is known with its zones.
    let known = record.spec.mode == Mode::SelfManaged || !record.zones.is_empty();
    let plan = match known && record.status != Status::Deleted {
        true => plan::plan(&record.cluster()),
        false => vec![],
    };
    let planned = plan.iter().filter(|one| !one.only_down());
    let planned =
        planned.map(|one| with_state(json!({"key": one.key(), "stage": one.stage(), "needs": one.needs()}), journal.get(&one.key())));
    let unplanned = journal.iter().filter(|(key, entry)| entry.state != State::Gone && !plan.iter().any(|one| one.key() == **key));
    planned.chain(unplanned.map(|(key, entry)| with_state(json!({"key": key}), Some(entry)))).collect()
}

fn with_state(mut resource: Value, entry: Option<&Entry>) -> Value {
    let state = match entry.filter(|entry| entry.state != State::Gone) {
        None => json!({"state": "absent"}),
        Some(Entry { state, since, note, outputs, .. }) => json!({"state": state, "since": since, "note": note, "outputs": outputs}),
    };
    if let (Value::Object(resource), Value::Object(state)) = (&mut resource, state) {
        resource.extend(state);
    }
    resource
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
