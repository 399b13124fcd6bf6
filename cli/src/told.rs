//! A cluster in words: how far it is, what is in its way, and what to do next.

use crate::output::{ago, lasting, prose, table};
use console::style;
use jiff::SignedDuration;
use std::collections::BTreeMap;
use std::fmt::Write;
use wire::error::Turn;
use wire::instances::Hardware;
use wire::inventory::Found;
use wire::spec::{Capacity, InstanceType};
use wire::status::Status;
use wire::view::{Cluster, ResourceState, Trouble, Warning};

/// All that a person wants to know of it.
pub fn cluster(cluster: &Cluster) -> String {
    let summary = &cluster.summary;
    let mut text = format!("{} is {}", style(&summary.name).bold(), status(summary.status));
    if let Some(stage) = summary.stage.filter(|_| !summary.status.is_parked()) {
        let _ = write!(text, ", at {stage}");
    }
    text.push_str(".\n");
    for part in [
        reason(cluster),
        facts(cluster),
        outputs(cluster),
        troubles(&cluster.troubles),
        inside(cluster),
        warnings(cluster),
        inventory(cluster),
        next(cluster),
    ] {
        text.push_str(&part);
    }
    text
}

/// With the colour of a traffic light.
pub fn status(status: Status) -> String {
    let name = style(status.name());
    let coloured = match status {
        Status::Running => name.green(),
        Status::Failed | Status::DeleteBlocked => name.red(),
        Status::Queued | Status::Provisioning | Status::Terminating => name.yellow(),
        Status::Deleted | Status::Forgotten => name.dim(),
    };
    coloured.to_string()
}

/// Why it is parked, and whose turn it is.
pub fn reason(cluster: &Cluster) -> String {
    let summary = &cluster.summary;
    let Some(reason) = &summary.reason else { return String::new() };
    let stage = summary.stage.map_or(String::new(), |stage| format!(" in {stage}"));
    let code = summary.code.as_ref().map_or(String::new(), |code| format!(" ({code})"));
    let mut text = format!("\nIt stopped{stage}{code}:\n{}", prose(reason, "  "));
    if let Some(hint) = &summary.hint {
        text.push_str(&format!("What to do:\n{}", prose(hint, "  ")));
    }
    if summary.turn == Some(Turn::Operator) {
        text.push_str("This is for the operator to mend.\n");
    }
    if let Some(again) = summary.again_at {
        let _ = writeln!(text, "Groundwork tries again by itself in {}.", lasting(again.duration_since(cluster.progress.at)));
    }
    text
}

fn facts(cluster: &Cluster) -> String {
    let (summary, progress) = (&cluster.summary, &cluster.progress);
    let region = format!("{} in account {}", summary.region.as_deref().unwrap_or("?"), summary.account.as_deref().unwrap_or("?"));
    let mut rows = vec![("id", summary.id.clone()), ("region", region), ("created", ago(summary.created_at, progress.at))];
    rows.push(("nodes", nodes(&cluster.instance_types, &cluster.hardware)));
    if progress.total > 0 && !summary.status.is_over() {
        rows.push(("resources", format!("{} of {} {}", progress.ready, progress.total, if is_going(cluster) { "gone" } else { "ready" })));
    }
    if let Some(left) = progress.seconds_expected {
        let elapsed = lasting(SignedDuration::from_secs(progress.seconds_elapsed as i64));
        rows.push(("time", format!("{elapsed} so far, about {} more", lasting(SignedDuration::from_secs(left as i64)))));
    }
    block("", rows)
}

pub fn is_going(cluster: &Cluster) -> bool {
    match cluster.summary.status {
        Status::Terminating | Status::DeleteBlocked | Status::Deleted | Status::Forgotten => true,
        Status::Queued | Status::Provisioning | Status::Running | Status::Failed => false,
    }
}

/// "spot g4dn.xlarge or g5.xlarge 0-10 (4 vCPUs, 16 GiB, 1 GPU), m6i.large 1-5".
pub fn nodes(groups: &[InstanceType], hardware: &BTreeMap<String, Hardware>) -> String {
    let groups = groups.iter().map(|group| {
        let of = hardware.get(&group.name).map_or(String::new(), |of| format!(" ({})", size(of)));
        let spot = if group.capacity == Capacity::Spot { "spot " } else { "" };
        let others = if group.alternatives.is_empty() { String::new() } else { format!(" or {}", group.alternatives.join(" or ")) };
        format!("{spot}{}{others} {}-{}{of}", group.name, group.overprovisioned_ondemand_count, group.max_count)
    });
    let groups: Vec<String> = groups.collect();
    if groups.is_empty() { "none yet".into() } else { groups.join(", ") }
}

fn size(hardware: &Hardware) -> String {
    let gpus = match hardware.gpus {
        0 => String::new(),
        1 => ", 1 GPU".into(),
        several => format!(", {several} GPUs"),
    };
    format!("{} vCPUs, {} GiB{gpus}", hardware.vcpus, hardware.memory_mib / 1024)
}

fn outputs(cluster: &Cluster) -> String {
    let outputs = &cluster.outputs;
    let named = [("cluster in EKS", &outputs.cluster_name), ("endpoint", &outputs.endpoint)];
    let named = named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.clone()?)));
    let buckets = outputs.buckets.iter().map(|(purpose, name)| (format!("bucket {purpose}"), name.clone()));
    let rows: Vec<(String, String)> = named.chain(buckets).collect();
    if rows.is_empty() { String::new() } else { block("\n", rows) }
}

/// What it lacks inside, if it runs without.
fn inside(cluster: &Cluster) -> String {
    let Some(why) = cluster.unfurnished.as_ref().filter(|_| !is_going(cluster)) else { return String::new() };
    format!("\nIt is not furnished ({}):\n{}What to do:\n{}", why.code, prose(&why.reason, "  "), prose(&why.hint, "  "))
}

fn block(before: &str, rows: Vec<(impl AsRef<str>, String)>) -> String {
    let width = rows.iter().map(|(name, _)| name.as_ref().len()).max().unwrap_or(0);
    let lines = rows.iter().map(|(name, value)| format!("  {:<width$}  {value}\n", name.as_ref()));
    before.chars().map(String::from).chain(lines).collect()
}

/// What AWS refuses or does not finish, and what to do about each.
pub fn troubles(troubles: &[Trouble]) -> String {
    let each = troubles.iter().map(|trouble| {
        let waiting = match trouble.waiting.len() {
            0 => String::new(),
            1 => format!(" ({} waits for it)", trouble.waiting[0]),
            count => format!(" ({count} others wait for it)"),
        };
        let money = if trouble.costs_money { " It costs money as long as it is there." } else { "" };
        let what = format!("{}{waiting}: {}{money}", style(&trouble.key).bold(), trouble.reason);
        prose(&what, "  ") + &prose(&trouble.hint, "    ")
    });
    titled("In the way:", each.collect())
}

fn warnings(cluster: &Cluster) -> String {
    let told = |warning: &Warning| prose(&format!("{}: {}", warning.path.trim_start_matches("$."), warning.message), "  ");
    titled("You should know:", cluster.warnings.iter().map(told).collect())
}

fn inventory(cluster: &Cluster) -> String {
    let Some(inventory) = &cluster.inventory else { return String::new() };
    let left = titled("Left in the account:", inventory.left.iter().map(found).collect());
    let kept = titled("Kept in the account:", inventory.kept.iter().map(found).collect());
    let nothing = cluster.summary.status == Status::Deleted && inventory.left.is_empty();
    let nothing = if nothing { "\nThe last look at the account found nothing left.\n" } else { "" };
    [left, nothing.into(), kept].concat()
}

/// With the command that removes it.
fn found(thing: &Found) -> String {
    let size = thing.size.as_ref().map_or(String::new(), |size| format!(" ({size})"));
    let remove = thing.remove.as_ref().map_or(String::new(), |command| format!("    {command}\n"));
    prose(&format!("{} {}{size}: {}", thing.kind, thing.id, thing.why), "  ") + &remove
}

fn titled(title: &str, lines: String) -> String {
    if lines.is_empty() { String::new() } else { format!("\n{title}\n{lines}") }
}

/// The commands to type next.
pub fn next(cluster: &Cluster) -> String {
    let name = &cluster.summary.name;
    let commands: &[(&str, &str)] = match cluster.summary.status {
        Status::Running => &[
            ("kubeconfig", "to get in with kubectl"),
            ("furnish", "brings nodes for pods that wait, and a place to work"),
            ("logs", "who did what"),
            ("delete", "takes it away again"),
        ],
        Status::Queued | Status::Provisioning | Status::Terminating => &[("watch", "follows it"), ("logs", "who did what")],
        Status::Failed => &[("retry", "goes on once the reason is mended"), ("delete", "takes away what there is")],
        Status::DeleteBlocked => &[("retry", "goes on once what is in the way is gone"), ("show", "shows what that is")],
        Status::Deleted | Status::Forgotten => &[],
    };
    let width = name.len() + 11;
    let lines = commands.iter().map(|(verb, why)| format!("  groundwork {:<width$}  # {why}\n", format!("{verb} {name}")));
    titled("Next:", lines.collect())
}

/// Every resource with its state.
pub fn resources(cluster: &Cluster) -> String {
    let rows = cluster.resources.iter().map(|resource| {
        let stage = resource.planned.as_ref().map_or(String::new(), |planned| planned.stage.to_string());
        let note = resource.seen.as_ref().and_then(|seen| seen.note.clone()).unwrap_or_default();
        vec![resource.key.to_string(), state(resource.state).into(), stage, note]
    });
    format!("\n{}", table(&["resource", "state", "stage", "note"], rows.collect()))
}

fn state(state: ResourceState) -> &'static str {
    match state {
        ResourceState::Absent => "absent",
        ResourceState::Creating => "creating",
        ResourceState::Pending => "pending",
        ResourceState::Ready => "ready",
        ResourceState::Broken => "broken",
        ResourceState::Deleting => "deleting",
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use serde_json::{Value, json};

    /// A running cluster as the service answers.
    pub fn answer() -> Value {
        let (at, began) = ("2026-01-02T03:16:35Z", "2026-01-02T03:04:05Z");
        let made = |key: &str, stage: &str, needs: Value, seconds: u32| json!({"key": key, "stage": stage, "needs": needs, "usual_seconds": seconds, "state": "ready", "since": began, "note": null, "outputs": {}});
        json!({
            "name": "research", "id": "abcdefghijkl", "status": "running", "stage": null, "code": null, "reason": null, "hint": null,
            "turn": null, "again_at": null, "region": "us-west-2", "account": "222222222222", "mode": "managed",
            "nodes": {"kept": 0, "most": 10}, "created_at": began, "updated_at": at,
            "spec": {
                "name": "research", "role_arn": "arn:aws:iam::222222222222:role/groundwork", "region": "us-west-2", "mode": "managed",
                "instance_types": [{"name": "g4dn.xlarge", "overprovisioned_ondemand_count": 0, "max_count": 10}], "deletion": {"data": "keep"}
            },
            "endpoint_access": {"mode": "requester", "cidrs": ["203.0.113.9/32"]},
            "progress": {"at": at, "ready": 4, "total": 4, "seconds_elapsed": 750, "seconds_expected": null},
            "instance_types": [{"name": "g4dn.xlarge", "overprovisioned_ondemand_count": 0, "max_count": 10}],
            "hardware": {"g4dn.xlarge": {"architecture": "x86_64", "vcpus": 4, "memory_mib": 16384, "gpus": 1}},
            "warnings": [{"path": "$.access.administrators", "message": "Nobody is the administrator."}],
            "resources": [
                made("bucket/artifacts", "create-buckets", json!([]), 3),
                made("vpc", "create-eks", json!([]), 3),
                made("cluster", "create-eks", json!(["vpc"]), 480),
                made("node-group/g4dn.xlarge", "create-nodegroups", json!(["cluster"]), 110)
            ],
            "troubles": [],
            "outputs": {
                "cluster_name": "research-abcdefghijkl", "endpoint": "https://eks.example", "certificate_authority": "Q0E=",
                "buckets": {"artifacts": "research-abcdefghijkl-artifacts"}, "node_groups": {"g4dn.xlarge": "g4dn"}
            },
            "inventory": null
        })
    }

    pub fn read(answer: Value) -> Cluster {
        serde_json::from_value(answer).expect("a cluster")
    }

    pub fn cluster() -> Cluster {
        read(answer())
    }

    #[test]
    fn a_running_cluster_says_how_to_get_in() {
        let text = super::cluster(&cluster());
        for told in [
            "is running.",
            "g4dn.xlarge 0-10 (4 vCPUs, 16 GiB, 1 GPU)",
            "12 minutes ago",
            "https://eks.example",
            "groundwork kubeconfig research",
            "Nobody is the administrator.",
        ] {
            assert!(text.contains(told), "{told}: {text}");
        }
        assert!(!text.contains("In the way"), "{text}");
    }

    #[test]
    fn nodes_of_spot_are_told_as_such() {
        let mut spot = answer();
        spot["instance_types"][0]["capacity"] = json!("spot");
        spot["instance_types"][0]["alternatives"] = json!(["g5.xlarge"]);
        let text = super::cluster(&read(spot));
        assert!(text.contains("spot g4dn.xlarge or g5.xlarge 0-10 (4 vCPUs"), "{text}");
    }

    #[test]
    fn a_failed_cluster_says_why_and_what_to_do() {
        let mut failed = answer();
        for (field, value) in [
            ("status", json!("failed")),
            ("stage", json!("assume-role")),
            ("code", json!("RoleRefused")),
            ("reason", json!("AWS refused.")),
            ("hint", json!("Let it in.")),
            ("turn", json!("tenant")),
            ("again_at", json!("2026-01-02T03:21:35Z")),
        ] {
            failed[field] = value;
        }
        let text = super::cluster(&read(failed));
        for told in [
            "It stopped in assume-role (RoleRefused):\n  AWS refused.",
            "What to do:\n  Let it in.",
            "by itself in 5:00",
            "groundwork retry research",
        ] {
            assert!(text.contains(told), "{told}: {text}");
        }
    }

    #[test]
    fn a_deleted_cluster_says_what_was_kept_and_how_to_remove_it() {
        let mut deleted = answer();
        deleted["status"] = json!("deleted");
        let kept =
            json!({"kind": "bucket", "id": "b", "why": "There is data in it.", "size": "2 objects", "remove": "aws s3 rb s3://b --force"});
        deleted["inventory"] = json!({"left": [], "kept": [kept]});
        let text = super::cluster(&read(deleted));
        for told in ["found nothing left", "bucket b (2 objects): There is data in it.\n    aws s3 rb s3://b --force"] {
            assert!(text.contains(told), "{told}: {text}");
        }
        assert!(!text.contains("Next:"), "{text}");
    }
}
