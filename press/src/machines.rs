//! The state machines in Amazon States Language.

use crate::frame::{fill, pascal};
use engine::stage::Stage;
use engine::stages::{MACHINES, Machine, RETRY, State, TASK_TIMEOUT_SECONDS, Turn, retried, row};

const MACHINE: &str = include_str!("frames/machine.asl.json");
const STAGE: &str = include_str!("frames/stage.asl.json");
const AT_ONCE: &str = include_str!("frames/at-once.asl.json");
const BRANCH: &str = include_str!("frames/branch.asl.json");
const RETRIES: &str = include_str!("frames/retry.asl.json");
const CATCH: &str = include_str!("frames/catch.asl.json");
/// A state of the machine's frame.
const UNKNOWN_ANSWER: &str = "Unknown answer";

pub fn definitions() -> impl Iterator<Item = (String, String)> {
    MACHINES.iter().map(|machine| (format!("statemachine/{}.asl.json", machine.name), definition(machine) + "\n"))
}

fn definition(machine: &Machine) -> String {
    let titles: Vec<&str> = machine.turns.iter().map(Turn::title).chain([machine.end.title]).collect();
    let turns: Vec<String> = machine.turns.iter().zip(&titles[1..]).map(|(turn, next)| states(turn, next)).collect();
    fill(
        MACHINE,
        &[
            ("comment", &comment(machine)),
            ("timeout", &machine.timeout_seconds.to_string()),
            ("first", titles[0]),
            ("end", machine.end.title),
            ("ended", machine.end.comment),
            ("turns", &turns.join(",\n")),
            // After the turns, whose tasks have these places too.
            ("task_timeout", &TASK_TIMEOUT_SECONDS.to_string()),
            ("retry", &retry()),
        ],
    )
}

/// With how long a run may take, which the timeout is above.
fn comment(machine: &Machine) -> String {
    let terms: Vec<String> = machine.turns.iter().map(|turn| format!("({} + {})", turn.most_seconds(), RETRY.most_seconds())).collect();
    format!(
        "{} Only cluster_id and run travel; the stages read the rest from the table. \
         Time: a stage fails by itself once over its budget, by at most one wait and one series of retries \
         ({} attempts, at most {} s apart). Without the wait and the attempts themselves that is at most {} = {} s. \
         TimeoutSeconds is above that: a last resort, after which sweep starts a new run. \
         Written by `make press` from shared/engine/src/stages.rs: change that.",
        machine.comment,
        RETRY.max_attempts,
        RETRY.max_delay_seconds,
        terms.join(" + "),
        machine.most_seconds(),
    )
}

fn states(turn: &Turn, next: &str) -> String {
    match turn {
        Turn::One(stage) => one(*stage, CATCH, next, UNKNOWN_ANSWER),
        Turn::AtOnce { state, stages } => at_once(state, stages, next),
    }
}

/// An error in a branch is caught by the state around the branches.
fn at_once(state: &State, stages: &[Stage], next: &str) -> String {
    let branches: Vec<String> = stages.iter().map(|stage| branch(*stage)).collect();
    fill(
        AT_ONCE,
        &[("title", state.title), ("comment", state.comment), ("next", next), ("catch", CATCH), ("branches", &branches.join(",\n"))],
    )
}

fn branch(stage: Stage) -> String {
    let title = row(stage).state.title;
    let states = one(stage, "", &format!("{title} is done"), &format!("{title} said something else"));
    fill(BRANCH, &[("title", title), ("stage", &states)])
}

fn one(stage: Stage, catch: &str, next: &str, otherwise: &str) -> String {
    let state = row(stage).state;
    fill(
        STAGE,
        &[
            ("title", state.title),
            ("comment", state.comment),
            ("Stage", &pascal(&stage.to_string())),
            ("catch", catch),
            ("next", next),
            ("otherwise", otherwise),
        ],
    )
}

fn retry() -> String {
    let errors: Vec<String> = retried().iter().map(|name| format!("\"{name}\"")).collect();
    let lines: Vec<String> = errors.chunks(4).map(|few| few.join(", ")).collect();
    fill(
        RETRIES,
        &[
            ("errors", &lines.join(",\n")),
            ("interval", &RETRY.interval_seconds.to_string()),
            ("rate", &RETRY.backoff_rate.to_string()),
            ("delay", &RETRY.max_delay_seconds.to_string()),
            ("attempts", &RETRY.max_attempts.to_string()),
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definition_is_json() {
        for (path, text) in definitions() {
            assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{path}");
        }
    }
}
