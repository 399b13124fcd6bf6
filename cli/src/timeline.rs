//! When each resource was asked for, when it was ready, what it waited for, and which of them decided how long it all took.

use crate::output::lasting;
use console::{Term, style, truncate_str};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use std::collections::HashMap;
use wire::event::{Action, Listed};
use wire::key::Key;
use wire::stage::Stage;
use wire::view::{Cluster, Planned};

const WIDTH_OF_A_BAR: usize = 24;

/// Of a creation. Each span is that of a resource, in the order in which they were asked for.
#[derive(Serialize)]
pub struct Timeline {
    pub seconds: i64,
    pub spans: Vec<Span>,
}

#[derive(Serialize)]
pub struct Span {
    pub key: Key,
    pub asked_at: Timestamp,
    pub ready_at: Timestamp,
    /// What was ready last of what it needs.
    pub waited_for: Option<Key>,
    /// If this had been faster, so had the cluster.
    pub is_critical: bool,
}

/// Of what is ready by now.
pub fn of(cluster: &Cluster, log: &[Listed]) -> Timeline {
    let (asked, ready) = (first(log, Action::Creating), first(log, Action::Ready));
    let resources = cluster.resources.iter().filter_map(|one| Some((&one.key, one.planned.as_ref()?)));
    let mut spans: Vec<Span> = resources
        .filter_map(|(key, planned)| {
            let name = key.to_string();
            Some(Span {
                key: key.clone(),
                asked_at: *asked.get(name.as_str())?,
                ready_at: *ready.get(name.as_str())?,
                waited_for: waited_for(planned, cluster, &ready),
                is_critical: false,
            })
        })
        .collect();
    spans.sort_by_key(|span| (span.asked_at, span.ready_at));
    mark_critical_path(&mut spans);
    let seconds = spans.iter().map(|span| span.ready_at.duration_since(spans[0].asked_at).as_secs()).max().unwrap_or(0);
    Timeline { seconds, spans }
}

/// When the log first has that action for each target. What was made again took until then, too.
fn first(log: &[Listed], action: Action) -> HashMap<&str, Timestamp> {
    let mut times = HashMap::new();
    for Listed { event, .. } in log.iter().filter(|listed| listed.event.action == action) {
        times.entry(event.target.as_str()).or_insert(event.at);
    }
    times
}

fn waited_for(planned: &Planned, cluster: &Cluster, ready: &HashMap<&str, Timestamp>) -> Option<Key> {
    // These stages begin once all before them have ended; the others begin at once.
    let follows = planned.stage >= Stage::CreateNodegroups;
    let earlier = cluster.resources.iter().filter(|other| follows && other.planned.as_ref().is_some_and(|its| its.stage < planned.stage));
    let needed = planned.needs.iter().chain(earlier.map(|other| &other.key));
    needed.filter_map(|key| Some((ready.get(key.to_string().as_str())?, key))).max_by_key(|(at, _)| **at).map(|(_, key)| key.clone())
}

/// From the one that was ready last, back along what each waited for.
fn mark_critical_path(spans: &mut [Span]) {
    let mut next = (0..spans.len()).max_by_key(|index| spans[*index].ready_at);
    while let Some(index) = next {
        spans[index].is_critical = true;
        next = spans.iter().position(|span| Some(&span.key) == spans[index].waited_for.as_ref() && !span.is_critical);
    }
}

impl Timeline {
    /// A line for each resource, with its time as a bar. In a terminal no longer than it is wide.
    pub fn text(&self) -> String {
        if self.spans.is_empty() {
            return "Nothing is ready yet.".into();
        }
        let width = Term::stdout().size_checked().map_or(usize::MAX, |(_, columns)| usize::from(columns) - 1);
        let longest = self.spans.iter().map(|span| span.key.to_string().len()).max().unwrap_or(0);
        let head = format!("  {:<longest$}  {:>6} {:>6}  {:<WIDTH_OF_A_BAR$}  WAITED FOR", "RESOURCE", "ASKED", "READY", "");
        let lines = self.spans.iter().map(|span| {
            let waited_for = span.waited_for.as_ref().map_or(String::new(), Key::to_string);
            let (mark, bar) = if span.is_critical { ("*", style(self.bar(span)).yellow()) } else { (" ", style(self.bar(span)).dim()) };
            let (asked, ready) = (lasting(self.since_begin(span.asked_at)), lasting(self.since_begin(span.ready_at)));
            format!("{mark} {:<longest$}  {asked:>6} {ready:>6}  {bar}  {waited_for}", span.key.to_string())
        });
        let lines = std::iter::once(head).chain(lines).map(|line| truncate_str(&line, width, "…").trim_end().to_owned() + "\n");
        let critical = self.spans.iter().filter(|span| span.is_critical);
        let critical: Vec<String> =
            critical.map(|span| format!("{} {}", span.key, lasting(span.ready_at.duration_since(span.asked_at)))).collect();
        let path = format!("* The critical path, {}: {}", lasting(SignedDuration::from_secs(self.seconds)), critical.join(" → "));
        lines.collect::<String>() + "\n" + &crate::output::prose(&path, "")
    }

    fn since_begin(&self, at: Timestamp) -> SignedDuration {
        self.spans.first().map_or(SignedDuration::ZERO, |first| at.duration_since(first.asked_at))
    }

    fn bar(&self, span: &Span) -> String {
        let column = |at| (WIDTH_OF_A_BAR as f64 * self.since_begin(at).as_secs_f64() / self.seconds.max(1) as f64).round() as usize;
        let begin = column(span.asked_at).min(WIDTH_OF_A_BAR - 1);
        let length = column(span.ready_at).min(WIDTH_OF_A_BAR).saturating_sub(begin).max(1);
        format!("{:<WIDTH_OF_A_BAR$}", " ".repeat(begin) + &"─".repeat(length))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::told::tests::cluster;
    use wire::event::Event;

    /// As the log has them, in minutes.
    fn log(lines: &[(u32, &str, &str)]) -> Vec<Listed> {
        let at = |minute| format!("2026-01-02T03:{minute:02}:05Z").parse().expect("a time");
        let event =
            |(minute, action, target): &(u32, &str, &str)| Event::new(at(*minute), "", Action::from(action.to_string()), *target, "");
        lines.iter().map(|line| Listed { id: String::new(), event: event(line) }).collect()
    }

    fn made() -> Vec<Listed> {
        log(&[
            (4, "creating", "bucket/artifacts"),
            (4, "creating", "vpc"),
            (5, "ready", "bucket/artifacts"),
            (6, "ready", "vpc"),
            (6, "creating", "cluster"),
            (14, "ready", "cluster"),
            (14, "creating", "node-group/g4dn.xlarge"),
            (15, "creating", "node-group/g4dn.xlarge"),
            (16, "ready", "node-group/g4dn.xlarge"),
        ])
    }

    #[test]
    fn each_resource_says_what_it_waited_for_and_what_decided_how_long_it_took() {
        let timeline = of(&cluster(), &made());
        assert_eq!(
            timeline.text(),
            "  RESOURCE                 ASKED  READY                            WAITED FOR
  bucket/artifacts          0:00   1:00  ──
* vpc                       0:00   2:00  ────
* cluster                   2:00  10:00      ────────────────      vpc
* node-group/g4dn.xlarge   10:00  12:00                      ────  cluster

* The critical path, 12:00: vpc 2:00 → cluster 8:00 → node-group/g4dn.xlarge 2:00
"
        );
    }

    #[test]
    fn what_is_not_ready_yet_has_no_line() {
        assert_eq!(of(&cluster(), &log(&[(4, "creating", "vpc")])).text(), "Nothing is ready yet.");
        assert_eq!(of(&cluster(), &made()[..6]).spans.len(), 3);
    }
}
