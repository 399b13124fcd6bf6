//! Watching a cluster: a tree that is drawn anew where there is a terminal, and its log where there is none.
//!
//! The work goes on whether or not somebody watches, so a lost connection is waited for, and ctrl-C ends only the watching.

mod screen;
mod tree;

use crate::api::Api;
use crate::context::Context;
use crate::failure::{Exit, Failure, Result};
use crate::interrupt;
use crate::output::{lasting, say};
use crate::told;
use clap::Args;
use jiff::SignedDuration;
use screen::Screen;
use std::thread::sleep;
use std::time::{Duration, Instant};
use wire::error::Turn;
use wire::status::Status;
use wire::view::Cluster;

/// Between two looks. Ten people of a tenant can watch at once and stay within the requests that a tenant may send.
const INTERVAL: Duration = Duration::from_secs(2);
/// How long the service may be out of reach.
const PATIENCE: Duration = Duration::from_secs(600);

#[derive(Args)]
pub struct Timeout {
    /// How long to watch, such as 90m; the cluster goes on after that.
    #[arg(long, value_name = "TIME")]
    pub timeout: Option<SignedDuration>,
}

#[derive(Args)]
pub struct Wait {
    /// Watch until it is done. Ctrl-C ends the watching, not the work.
    #[arg(long, short)]
    wait: bool,
    /// How long to watch, such as 90m; the cluster goes on after that.
    #[arg(long, value_name = "TIME", requires = "wait")]
    timeout: Option<SignedDuration>,
}

impl Wait {
    /// Watches if that was asked for, or else says how to.
    pub fn follow(&self, cx: &Context, api: &Api, cluster: Cluster, accepted: &str) -> Result<()> {
        if self.wait {
            return follow(cx, api, cluster, self.timeout);
        }
        let name = cluster.summary.name.clone();
        cx.output().print(&cluster, |_| format!("{name} {accepted}.\nNext: groundwork watch {name}"))
    }
}

/// Watches until the cluster is at rest, and tells what came of it.
///
/// # Errors
/// `Parked` if it needs somebody, and `TimedOut`.
pub fn follow(cx: &Context, api: &Api, cluster: Cluster, timeout: Option<SignedDuration>) -> Result<()> {
    let name = &cluster.summary.name;
    interrupt::say_at_parting(format!("You have stopped watching; {name} goes on without you.\nnext: groundwork watch {name}"));
    let mut viewer: Box<dyn Viewer> = if cx.is_attended() { Box::new(Screen::new()?) } else { Box::new(Log::new(cx)) };
    let watched = watch(api, cluster, timeout, viewer.as_mut());
    drop(viewer);
    let cluster = watched?;
    if cluster.summary.status.is_parked() {
        return Err(parked(cx, &cluster));
    }
    cx.output().print(&cluster, |cluster| format!("\n{}", told::cluster(cluster)))
}

/// Somebody who sees how a cluster gets on.
trait Viewer {
    fn show(&mut self, api: &Api, cluster: &Cluster) -> Result<()>;
    /// The service has been out of reach for so long.
    fn lost(&mut self, since: Duration, why: &Failure) -> Result<()>;
}

fn watch(api: &Api, mut cluster: Cluster, timeout: Option<SignedDuration>, viewer: &mut dyn Viewer) -> Result<Cluster> {
    // The id is the cluster's alone, whoever has its name later.
    let (id, began, mut heard) = (cluster.summary.id.clone(), Instant::now(), Instant::now());
    loop {
        viewer.show(api, &cluster).map_err(|failure| come_back(failure, &cluster))?;
        if is_at_rest(&cluster) {
            return Ok(cluster);
        }
        if timeout.is_some_and(|timeout| began.elapsed().as_secs() as i64 >= timeout.as_secs()) {
            return Err(timed_out(&cluster, began.elapsed()));
        }
        sleep(INTERVAL);
        match api.cluster(&id) {
            Ok(seen) => (cluster, heard) = (seen, Instant::now()),
            Err(failure) if failure.exit == Exit::Unreachable && heard.elapsed() < PATIENCE => viewer.lost(heard.elapsed(), &failure)?,
            Err(failure) => return Err(come_back(failure, &cluster)),
        }
    }
}

/// Nothing more happens unless somebody does something. What passes by itself is tried again by itself, so it is waited for.
fn is_at_rest(cluster: &Cluster) -> bool {
    let goes_on = cluster.summary.again_at.is_some() && cluster.summary.turn == Some(Turn::Nobody);
    match cluster.summary.status {
        Status::Running | Status::Deleted | Status::Forgotten => true,
        Status::Failed | Status::DeleteBlocked => !goes_on,
        Status::Queued | Status::Provisioning | Status::Terminating => false,
    }
}

fn parked(cx: &Context, cluster: &Cluster) -> Failure {
    let summary = &cluster.summary;
    let failure = Failure::new(Exit::Parked, format!("{} is {}.", summary.name, summary.status.name()));
    if cx.output().is_for_people() {
        // Without the status, which the sentence has said.
        let why = told::reason(cluster) + &told::troubles(&cluster.troubles);
        return failure.because(why.trim()).next(next_command(cluster));
    }
    let reason = summary.reason.iter().chain(&summary.hint);
    reason.fold(failure, |failure, line| failure.because(line)).next(next_command(cluster))
}

fn next_command(cluster: &Cluster) -> String {
    let name = &cluster.summary.name;
    match cluster.summary.turn {
        Some(Turn::Operator) => format!("Ask the operator; then groundwork retry {name} --wait"),
        _ => format!("Do what it says, then groundwork retry {name} --wait"),
    }
}

fn timed_out(cluster: &Cluster, elapsed: Duration) -> Failure {
    let (name, elapsed) = (&cluster.summary.name, lasting(SignedDuration::try_from(elapsed).unwrap_or_default()));
    Failure::new(Exit::TimedOut, format!("{name} is still {} after {elapsed}. It goes on without you.", cluster.summary.status.name()))
        .next(format!("groundwork watch {name}"))
}

/// The watching ended, and the work did not.
fn come_back(failure: Failure, cluster: &Cluster) -> Failure {
    let name = &cluster.summary.name;
    let next = failure.next.clone().map_or(String::new(), |next| format!("{next}\n      Then: "));
    failure
        .because(format!("{name} goes on without you; it was {} when last seen.", cluster.summary.status.name()))
        .next(format!("{next}groundwork watch {name}"))
}

/// Prints the log as it grows, to where nobody looks at a terminal. Programs read the answer at the end, so theirs goes to the standard error.
struct Log {
    for_people: bool,
    after: Option<String>,
    is_lost: bool,
}

impl Log {
    fn new(cx: &Context) -> Self {
        Self { for_people: cx.output().is_for_people(), after: None, is_lost: false }
    }

    fn line(&self, text: &str) -> Result<()> {
        if self.for_people {
            return say(text);
        }
        eprintln!("{text}");
        Ok(())
    }
}

impl Viewer for Log {
    fn show(&mut self, api: &Api, cluster: &Cluster) -> Result<()> {
        self.is_lost = false;
        // Whoever watches asked just now for what goes on, so the log is new from here.
        let query = match &self.after {
            Some(after) => vec![("after", after.clone())],
            None => vec![("from", cluster.summary.updated_at.to_string())],
        };
        let page = match api.logs(&cluster.summary.id, query) {
            Err(failure) if failure.exit == Exit::Unreachable => return Ok(()),
            read => read?,
        };
        for event in &page.events {
            let wire::event::Event { at, action, target, message, .. } = &event.event;
            self.line(&format!("{at:.0}  {:<10} {target:<30} {message}", action.to_string()))?;
        }
        self.after = Some(page.next).filter(|next| !next.is_empty()).or(self.after.take());
        Ok(())
    }

    fn lost(&mut self, _since: Duration, why: &Failure) -> Result<()> {
        if !std::mem::replace(&mut self.is_lost, true) {
            self.line(&format!("{} It is tried again.", why.what))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::told::tests::{answer, read};
    use serde_json::json;

    #[test]
    fn what_passes_by_itself_is_waited_for() {
        for (status, turn, again, rests, reason) in [
            ("queued", json!(null), json!(null), false, "at work"),
            ("running", json!(null), json!(null), true, "done"),
            ("failed", json!("tenant"), json!(null), true, "somebody has to do something"),
            ("failed", json!("tenant"), json!("2026-01-02T03:21:35Z"), true, "a try without that comes to nothing"),
            ("failed", json!("nobody"), json!("2026-01-02T03:21:35Z"), false, "AWS was out of order"),
            ("failed", json!("nobody"), json!(null), true, "nobody tries again"),
            ("delete_blocked", json!("nobody"), json!("2026-01-02T03:21:35Z"), false, "AWS is slow"),
        ] {
            let mut cluster = answer();
            (cluster["status"], cluster["turn"], cluster["again_at"]) = (json!(status), turn, again);
            assert_eq!(is_at_rest(&read(cluster)), rests, "{status}: {reason}");
        }
    }
}
