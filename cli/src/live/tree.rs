//! A cluster's progress as a tree: its stages, what each is at, and what that waits for. As many lines as there is room for.

use crate::output::lasting;
use crate::told;
use console::style;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use strum::VariantArray;
use wire::key::Key;
use wire::stage::Stage;
use wire::status::Status;
use wire::view::{Cluster, Planned, Resource, ResourceState, Trouble};

/// What a stage shows of its resources, the most telling first.
const MOST_OF_A_STAGE: usize = 6;

pub fn lines(cluster: &Cluster, room: usize) -> Vec<String> {
    let mut lines = vec![head(cluster)];
    if told::is_going(cluster) {
        lines.extend(going(cluster));
    } else {
        let stages = Stage::VARIANTS.iter().filter(|stage| **stage != Stage::Teardown);
        lines.extend(stages.flat_map(|stage| of_stage(cluster, *stage)));
    }
    lines.extend(cluster.troubles.iter().map(trouble));
    lines.extend(parked(cluster));
    let hidden = lines.len().saturating_sub(room.max(2));
    if hidden > 0 {
        lines.truncate(room.max(2) - 1);
        lines.push(style(format!("  … and {} lines more", hidden + 1)).dim().to_string());
    }
    lines
}

/// `research  provisioning  4:12, about 9:08 more  17 of 31`
fn head(cluster: &Cluster) -> String {
    let (summary, progress) = (&cluster.summary, &cluster.progress);
    let left = progress.seconds_expected.map_or(String::new(), |left| format!(", about {} more", seconds(left)));
    let count = if progress.total > 0 { format!("  {} of {}", progress.ready, progress.total) } else { String::new() };
    let status = told::status(summary.status);
    format!("{}  {status}  {}{left}{count}", style(&summary.name).bold(), seconds(progress.seconds_elapsed))
}

fn of_stage(cluster: &Cluster, stage: Stage) -> Vec<String> {
    let resources: Vec<(&Resource, &Planned)> = cluster
        .resources
        .iter()
        .filter_map(|one| Some((one, one.planned.as_ref()?)))
        .filter(|(_, planned)| planned.stage == stage)
        .collect();
    let ready = resources.iter().filter(|(one, _)| one.state == ResourceState::Ready).count();
    let is_done = if resources.is_empty() { is_past(cluster, stage) } else { ready == resources.len() };
    let is_at_work =
        !is_done && (cluster.summary.stage == Some(stage) || resources.iter().any(|(one, _)| one.state != ResourceState::Absent));
    let mark = mark(is_done, is_at_work);
    let count = if resources.is_empty() { String::new() } else { format!("  {ready} of {}", resources.len()) };
    let own = format!("{mark} {:<20}{count}", stage.to_string());
    let shown = if is_at_work { at_work(cluster, &resources) } else { vec![] };
    [own.trim_end().to_owned()].into_iter().chain(shown).collect()
}

/// A stage without resources of its own is done once a later one has begun.
fn is_past(cluster: &Cluster, stage: Stage) -> bool {
    let is_later = |one: &Resource| one.planned.as_ref().is_some_and(|planned| planned.stage > stage);
    let begun = cluster.resources.iter().any(|one| is_later(one) && one.state != ResourceState::Absent);
    cluster.summary.status == Status::Running || cluster.summary.stage.is_some_and(|current| stage < current) || begun
}

fn mark(is_done: bool, is_at_work: bool) -> String {
    match (is_done, is_at_work) {
        (true, _) => style("✓").green().to_string(),
        (_, true) => style("◐").yellow().to_string(),
        _ => style("·").dim().to_string(),
    }
}

/// What is being made, then what waits, each with how long that is or for what.
fn at_work(cluster: &Cluster, resources: &[(&Resource, &Planned)]) -> Vec<String> {
    let states: BTreeMap<&Key, ResourceState> = cluster.resources.iter().map(|one| (&one.key, one.state)).collect();
    let made = resources.iter().filter(|(one, _)| !matches!(one.state, ResourceState::Absent | ResourceState::Ready));
    let made = made.map(|(one, planned)| making(one, planned, cluster.progress.at));
    let waiting = resources.iter().filter(|(one, _)| one.state == ResourceState::Absent).map(|(one, planned)| {
        let needed = planned.needs.iter().find(|key| states.get(key) != Some(&ResourceState::Ready));
        let needed = needed.map_or(String::new(), |key| format!("waits for {key}"));
        style(format!("    · {:<30} {needed}", one.key.to_string())).dim().to_string()
    });
    let mut lines: Vec<String> = made.chain(waiting).collect();
    let more = lines.len().saturating_sub(MOST_OF_A_STAGE);
    if more > 1 {
        lines.truncate(MOST_OF_A_STAGE);
        lines.push(style(format!("    · and {more} more")).dim().to_string());
    }
    lines
}

fn making(one: &Resource, planned: &Planned, now: Timestamp) -> String {
    let elapsed = one.seen.as_ref().map_or(String::new(), |seen| lasting(now.duration_since(seen.since)));
    let broken = if one.state == ResourceState::Broken { "broken, made anew" } else { "" };
    format!("    {} {:<30} {elapsed} of about {}  {broken}", mark(false, true), one.key.to_string(), seconds(planned.usual_seconds.into()))
        .trim_end()
        .to_owned()
}

/// Going down, all there is is one stage: what is being removed, and what waits for that.
fn going(cluster: &Cluster) -> Vec<String> {
    let is_going = |one: &&Resource| one.state == ResourceState::Deleting;
    let asked = cluster.resources.iter().filter(is_going).map(|one| {
        let elapsed = one.seen.as_ref().map_or(String::new(), |seen| lasting(cluster.progress.at.duration_since(seen.since)));
        format!("    {} {:<30} {elapsed}", mark(false, true), one.key.to_string())
    });
    let waiting = cluster.resources.iter().filter(|one| !matches!(one.state, ResourceState::Deleting | ResourceState::Absent)).count();
    let waiting = (waiting > 0 && !cluster.summary.status.is_over()).then(|| style(format!("    · {waiting} wait")).dim().to_string());
    asked.chain(waiting).collect()
}

/// One that passes by itself reads as such.
fn trouble(trouble: &Trouble) -> String {
    let passes = trouble.given_up_at.is_none();
    let mark = if passes { style("!").yellow() } else { style("✗").red() };
    let then = if passes { "tried again" } else { "given up in this run" };
    format!("{mark} {}: {} ({then})", trouble.key, trouble.reason.lines().next().unwrap_or_default())
}

/// While a cluster is parked and tries again by itself.
fn parked(cluster: &Cluster) -> Vec<String> {
    let summary = &cluster.summary;
    let again = summary
        .again_at
        .map(|again| format!("  Groundwork tries again by itself in {}.", lasting(again.duration_since(cluster.progress.at))));
    summary.reason.iter().map(|reason| format!("{} {reason}", style("!").yellow())).chain(again).collect()
}

fn seconds(count: u64) -> String {
    lasting(SignedDuration::from_secs(count.try_into().unwrap_or(i64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::told::tests::{answer, read};
    use serde_json::{Value, json};

    fn drawn(cluster: Value, room: usize) -> String {
        lines(&read(cluster), room).iter().map(|line| console::strip_ansi_codes(line).into_owned() + "\n").collect()
    }

    /// Ten minutes before it is running.
    fn half_made() -> Value {
        let mut cluster = answer();
        (cluster["status"], cluster["stage"]) = (json!("provisioning"), json!("create-eks"));
        cluster["progress"] =
            json!({"at": "2026-01-02T03:06:05Z", "ready": 2, "total": 4, "seconds_elapsed": 130, "seconds_expected": 470});
        cluster["resources"][2]["state"] = json!("pending");
        let group = json!({"key": "node-group/g4dn.xlarge", "stage": "create-nodegroups", "needs": ["cluster"], "usual_seconds": 110, "state": "absent"});
        cluster["resources"][3] = group;
        cluster
    }

    #[test]
    fn a_cluster_in_the_making_shows_what_is_at_work_and_for_how_long() {
        assert_eq!(
            drawn(half_made(), 50),
            "\
research  provisioning  2:10, about 7:50 more  2 of 4
✓ validate
✓ assume-role
✓ create-buckets        1 of 1
◐ create-eks            1 of 2
    ◐ cluster                        2:00 of about 8:00
· create-nodegroups     0 of 1
· furnish
"
        );
    }

    #[test]
    fn what_waits_says_for_what_and_an_error_that_passes_reads_as_such() {
        let mut cluster = half_made();
        cluster["stage"] = json!("create-nodegroups");
        cluster["troubles"] = json!([{
            "key": "cluster", "stage": "create-eks", "turn": "nobody", "code": "Throttling", "reason": "AWS is busy.", "hint": "Wait.",
            "since": "2026-01-02T03:06:05Z", "given_up_at": null, "waiting": [], "costs_money": true
        }]);
        let text = drawn(cluster, 50);
        assert!(text.contains("    · node-group/g4dn.xlarge         waits for cluster\n"), "{text}");
        assert!(text.contains("! cluster: AWS is busy. (tried again)\n"), "{text}");
    }

    #[test]
    fn a_small_terminal_shows_what_it_has_room_for() {
        let text = drawn(half_made(), 4);
        assert_eq!((text.lines().count(), text.lines().last()), (4, Some("  … and 5 lines more")));
    }

    #[test]
    fn going_down_shows_what_is_being_removed() {
        let mut cluster = answer();
        cluster["status"] = json!("terminating");
        cluster["progress"] = json!({"at": "2026-01-02T03:06:05Z", "ready": 1, "total": 4, "seconds_elapsed": 90, "seconds_expected": 300});
        cluster["resources"][2]["state"] = json!("deleting");
        let text = drawn(cluster, 50);
        assert!(text.contains("    ◐ cluster                        2:00\n    · 3 wait\n"), "{text}");
    }
}
