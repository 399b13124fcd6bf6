//! How the account must look at the end: one of everything, or nothing.

use engine::cluster::Cluster;
use engine::context::Context;
use engine::names::{OWNER_TAG, RESOURCE_TAG};
use engine::records::record::Record;
use engine::resource::{Resource, Seen};
use engine::survey::survey;
use engine::{plan, resources};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// # Errors
/// The resources of the plan that are not there exactly once.
pub fn one_of_everything(cluster: &Cluster, account: &Value) -> Result<(), String> {
    let mut owned = BTreeMap::new();
    // What EKS was asked to make. It counts only for node groups, whose tags the account does not show; their names make them unique.
    count_owned(&account["asked"], &cluster.id, &mut owned);
    owned.retain(|key, _| key.starts_with("node-group/"));
    for (_, kind) in account.as_object().into_iter().flatten().filter(|(service, _)| *service != "asked") {
        count_owned(kind, &cluster.id, &mut owned);
    }
    let resources = plan::wanted(cluster).into_iter().filter_map(|key| resources::of(&key, cluster));
    let wanted = resources.filter(|one| matches!(one, Resource::Made(_))).map(|one| one.key().to_string());
    let wrong: Vec<String> = wanted
        .filter_map(|key| match owned.get(&key).copied().unwrap_or_default() {
            1 => None,
            count => Some(format!("{count} × {key}")),
        })
        .collect();
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join(", ")) }
}

/// All is inside, and nobody of ours can get in any more.
///
/// # Errors
/// What is otherwise.
pub fn furnished(record: &Record, account: &Value) -> Result<(), String> {
    if !record.is_furnished() {
        return Err(format!("not furnished: {:?}", record.furnishing));
    }
    nobody_is_inside(account)
}

/// # Errors
/// Our own role is let in, or the operator's address.
pub fn nobody_is_inside(account: &Value) -> Result<(), String> {
    let text = json!([account["eks"], account["asked"]]).to_string();
    let networks = account["asked"].as_object().into_iter().flatten().filter_map(|(_, made)| made.get("resourcesVpcConfig"));
    match networks.into_iter().find(|network| network["endpointPublicAccess"] == true) {
        Some(open) => Err(format!("open: {open}")),
        None if text.contains("-hand") => Err("our role is let in".into()),
        None => Ok(()),
    }
}

/// # Errors
/// What the product itself would report of a cluster that is running: all that is not there, or not as the spec wants it.
pub async fn nothing_differs(cx: &Context) -> Result<(), String> {
    let surveyed = survey(cx).await.map_err(|error| error.detail)?;
    let wrong: Vec<String> =
        surveyed.iter().filter(|(_, seen)| *seen != Some(Seen::Ready)).map(|(key, seen)| format!("{key}: {seen:?}")).collect();
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join(", ")) }
}

/// How many things of each kind there are, tagged or not: `ec2/vpcs` → 3.
pub fn counts(account: &Value) -> BTreeMap<String, usize> {
    let kinds = account.as_object().into_iter().flatten().flat_map(|(service, kinds)| {
        kinds.as_object().into_iter().flatten().map(move |(kind, things)| (format!("{service}/{kind}"), size(things)))
    });
    kinds.filter(|(_, count)| *count > 0).collect()
}

fn size(things: &Value) -> usize {
    let things: Vec<&Value> = match things {
        Value::Object(map) => map.values().collect(),
        Value::Array(list) => list.iter().collect(),
        _ => vec![],
    };
    things.into_iter().filter(|thing| !is_dead(thing)).count()
}

/// EC2 lists deleted NAT gateways for an hour.
fn is_dead(thing: &Value) -> bool {
    thing.get("state").is_some_and(|state| state == "deleted")
}

/// # Errors
/// The kinds with more or fewer things than there must be.
pub fn as_many(wanted: &BTreeMap<String, usize>, account: &Value) -> Result<(), String> {
    let there = counts(account);
    let kinds: BTreeSet<&String> = wanted.keys().chain(there.keys()).collect();
    let count = |counts: &BTreeMap<String, usize>, kind: &String| counts.get(kind).copied().unwrap_or_default();
    let wrong = kinds.into_iter().filter(|kind| count(wanted, kind) != count(&there, kind));
    let wrong: Vec<String> = wrong.map(|kind| format!("{} {kind} and not {}", count(&there, kind), count(wanted, kind))).collect();
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join(", ")) }
}

/// # Errors
/// Where the account differs from what it was.
pub fn same(before: &Value, after: &Value) -> Result<(), String> {
    told(&differences(before, after))
}

/// # Errors
/// What of the account before is no longer there, or no longer as it was; what has come is not looked at.
pub fn untouched(before: &Value, after: &Value) -> Result<(), String> {
    let mut differences = differences(before, after);
    differences.retain(|difference| !difference.starts_with("left: "));
    told(&differences)
}

fn differences(before: &Value, after: &Value) -> Vec<String> {
    let mut differences = vec![];
    compare(before, after, String::new(), &mut differences);
    differences
}

fn told(differences: &[String]) -> Result<(), String> {
    if differences.is_empty() { Ok(()) } else { Err(differences.join("; ")) }
}

/// # Errors
/// What is left of a cluster, but for its control plane's log, which stays until it expires.
pub fn gone(cluster: &Cluster, before: &Value, after: &Value) -> Result<(), String> {
    let mut after = after.clone();
    let days = cluster.spec.kubernetes().log_retention_days();
    let kept = |group: &Value| group["retention_in_days"] == days && tag(&group["tags"], OWNER_TAG) == Some(&cluster.id);
    if let Some(groups) = after["logs"]["log_groups"].as_object_mut() {
        let ours = |name: &str| name == cluster.log_group() || name.starts_with(&cluster.node_logs());
        groups.retain(|name, group| !ours(name) || !kept(group));
    }
    same(before, &after)
}

/// The account before a cluster, with the data of it that is in another one: what is in its buckets, claims' volumes, and snapshots.
pub fn with_data(cluster: &Cluster, before: &Value, full: &Value) -> Value {
    let mut with = before.clone();
    let ours = |thing: &Value| tag(&thing["tags"], OWNER_TAG) == Some(&cluster.id) && tag(&thing["tags"], DRIVER_TAG).is_some();
    for kind in ["volumes", "snapshots"] {
        add(&mut with["ec2"][kind], &full["ec2"][kind], |_, thing| ours(thing));
    }
    let bucket = cluster.scoped("artifacts");
    add(&mut with["s3"]["buckets"], &full["s3"]["buckets"], |name, _| name == bucket);
    with
}

/// The EBS CSI driver's, on what it made for claims.
const DRIVER_TAG: &str = "ebs.csi.aws.com/cluster";

fn add(to: &mut Value, from: &Value, which: impl Fn(&str, &Value) -> bool) {
    let chosen = from.as_object().into_iter().flatten().filter(|(name, thing)| which(name, thing));
    let chosen: Vec<(String, Value)> = chosen.map(|(name, thing)| (name.clone(), thing.clone())).collect();
    assert!(!chosen.is_empty(), "the data is there");
    to.as_object_mut().expect("a kind of things").extend(chosen);
}

fn compare(before: &Value, after: &Value, path: String, differences: &mut Vec<String>) {
    match (before, after) {
        (Value::Object(one), Value::Object(other)) => {
            for key in one.keys().chain(other.keys().filter(|key| !one.contains_key(*key))) {
                compare(&before[key], &after[key], format!("{path}/{key}"), differences);
            }
        }
        (Value::Null, _) if before != after => differences.push(format!("left: {path}")),
        (_, Value::Null) if before != after => differences.push(format!("lost: {path}")),
        _ if before != after => differences.push(format!("changed: {path}")),
        _ => {}
    }
}

/// Counts everything in the account with our owner tag, by resource tag.
fn count_owned(value: &Value, id: &str, owned: &mut BTreeMap<String, usize>) {
    if is_dead(value) {
        return;
    }
    if let Some(tags) = value.get("tags").or(value.get("Tags"))
        && tag(tags, OWNER_TAG).is_some_and(|owner| owner == id)
    {
        *owned.entry(tag(tags, RESOURCE_TAG).unwrap_or_default().to_owned()).or_default() += 1;
    }
    match value {
        Value::Object(fields) => fields.values().for_each(|field| count_owned(field, id, owned)),
        Value::Array(items) => items.iter().for_each(|item| count_owned(item, id, owned)),
        _ => {}
    }
}

/// Tags are a map in some services and a list in others.
fn tag<'a>(tags: &'a Value, name: &str) -> Option<&'a str> {
    let listed = || tags.as_array()?.iter().find(|tag| tag["key"] == name || tag["Key"] == name);
    let value = tags.get(name).or_else(|| listed().map(|tag| tag.get("value").unwrap_or(&tag["Value"])))?;
    value.as_str()
}
