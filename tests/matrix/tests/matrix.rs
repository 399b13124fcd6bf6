//! The crash matrix: `make matrix`. Ends with a line `matrix: N cases, F failed`.

#![expect(clippy::expect_used, reason = "a test stops at the impossible")]

use matrix::cases::{self, Case, SCENARIOS, Scenario, Start, Visit, What, Without};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// Runs with many faults, in addition to those with one.
const RANDOM: u64 = 300;
const RETRIES: u64 = 40;

fn main() -> ExitCode {
    let started = Instant::now();
    let starts = SCENARIOS.map(|scenario| block_on(Start::of(scenario, Without::Nothing)));
    let cases = all(&starts);
    let failures = run(&cases, &starts);
    failures.iter().for_each(|failure| println!("{failure}"));
    let unmissed = rules_that_nobody_misses(&cases);
    println!("matrix: {} s", started.elapsed().as_secs());
    println!("matrix: {} cases, {} failed", cases.len(), failures.len());
    if failures.len() + unmissed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn all(starts: &[Start]) -> Vec<Case> {
    let mut all = vec![];
    for start in starts {
        let cases = block_on(cases::cases(start));
        let count = |of: fn(&What) -> bool| cases.iter().filter(|case| of(&case.what)).count();
        let (calls, writes) = (count(|what| matches!(what, What::Call(..))), count(|what| matches!(what, What::Write(..))));
        let (visits, lasting) = (count(|what| matches!(what, What::Visit(..))), count(|what| matches!(what, What::Lasting(_))));
        println!(
            "{:?}: {calls} cases at calls of AWS, {writes} at writes of the desk, {visits} with somebody in between, {lasting} with a fault \
             that lasts",
            start.scenario
        );
        all.extend(cases);
    }
    println!("Random: {RANDOM} runs with many troubles, seeds 0 to {}", RANDOM - 1);
    all.extend((0..RANDOM).map(|seed| {
        let scenario = SCENARIOS[seed as usize % SCENARIOS.len()];
        Case { scenario, what: What::Random { seed, crashes: seed % 2 == 0 } }
    }));
    println!("Two retries at once: {RETRIES} runs, seeds 0 to {}", RETRIES - 1);
    all.extend((0..RETRIES).map(|seed| Case { scenario: Scenario::Create, what: What::TwoRetries { seed } }));
    all
}

/// A matrix that passed without the rules that it tests would prove nothing.
fn rules_that_nobody_misses(cases: &[Case]) -> usize {
    let creates = || cases.iter().filter(|case| case.scenario == Scenario::Create).cloned();
    let unmissed = |without: &Without| {
        let sample: Vec<Case> = match without {
            Without::Lease => creates().filter(|case| matches!(case.what, What::Visit(_, Visit::Again))).collect(),
            Without::Run => creates().filter(|case| matches!(case.what, What::Visit(_, Visit::Delete))).step_by(5).collect(),
            Without::GoingOn => creates().filter(|case| matches!(case.what, What::Lasting(_))).step_by(11).collect(),
            _ => creates().filter(|case| !matches!(case.what, What::Visit(..) | What::Lasting(_))).step_by(41).collect(),
        };
        let failures = run(&sample, &[block_on(Start::of(Scenario::Create, *without))]);
        println!("without {without:?}: {} of {} cases fail; {}", failures.len(), sample.len(), failures.first().map_or("", String::as_str));
        failures.is_empty()
    };
    let rules = [Without::CreationGrace, Without::IntentBeforeCreate, Without::OwnerTags, Without::Lease, Without::Run, Without::GoingOn];
    rules.iter().filter(|without| unmissed(without)).count()
}

/// Runs on all cores; each case has its own clock and account. Returns what failed, and how.
fn run(cases: &[Case], starts: &[Start]) -> Vec<String> {
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(vec![]);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let work = || {
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            let start = starts.iter().find(|start| start.scenario == case.scenario).expect("a start for each scenario");
            if let Err(how) = block_on(case.run(start)) {
                failures.lock().expect("nobody panics with it").push(format!("{case:?}: {how}"));
            }
        }
    };
    std::thread::scope(|scope| (0..cores).for_each(|_| drop(scope.spawn(work))));
    failures.into_inner().expect("nobody panics with it")
}

/// On a clock that stands still while anything works, and jumps ahead when everything waits.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime.expect("a runtime").block_on(future)
}
