//! Which part of a log is read, and how long a reader waits for more.

use crate::http::Http;
use engine::records::events::{Between, is_cursor};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use std::time::Duration;
use wire::api::LONGEST_WAIT;
use wire::problem::Problem;
use wire::spec::Fault;

/// What of a log is asked for.
#[derive(Debug)]
pub struct Reading {
    pub span: Between,
    pub limit: usize,
    pub wait: Duration,
}

impl Reading {
    /// # Errors
    /// Every parameter that is not what it should be.
    pub fn read(http: &Http, now: Timestamp) -> Result<Self, Problem> {
        let (from, to) = (time(http, "from", now), time(http, "to", now));
        let (limit, wait, after) = (http.limit(), wait(http), after(http));
        let faults = [from.as_ref().err(), to.as_ref().err(), limit.as_ref().err(), wait.as_ref().err(), after.as_ref().err()];
        let faults = faults.into_iter().flatten().cloned().collect();
        match (from, to, limit, wait, after) {
            (Ok(from), Ok(to), Ok(limit), Ok(wait), Ok(after)) => {
                let settled = !wait.is_zero();
                Ok(Self { span: Between { after, from, to, settled }, limit, wait })
            }
            _ => Err(Problem::invalid(faults)),
        }
    }
}

fn after(http: &Http) -> Result<String, Fault> {
    let after = http.parameter("after").unwrap_or_default();
    if is_cursor(after) { Ok(after.to_owned()) } else { Err(Fault::new("?after", "is not the `next` of an earlier answer")) }
}

fn wait(http: &Http) -> Result<Duration, Fault> {
    let Some(wait) = http.parameter("wait") else { return Ok(Duration::ZERO) };
    let seconds = wait.parse().ok().filter(|seconds| *seconds <= LONGEST_WAIT);
    seconds.map(Duration::from_secs).ok_or_else(|| Fault::new("?wait", format!("is not a number of seconds from 0 to {LONGEST_WAIT}")))
}

/// A time, or a while before now by the service's clock, which is the one that the log's times are of.
fn time(http: &Http, name: &str, now: Timestamp) -> Result<Option<Timestamp>, Fault> {
    let Some(text) = http.parameter(name) else { return Ok(None) };
    let before = |span: Span| now.to_zoned(TimeZone::UTC).checked_sub(span.abs()).ok().map(|then| then.timestamp());
    let time = text.parse().ok().or_else(|| before(text.parse().ok()?));
    let valid = "is neither a time such as 2026-01-02T03:04:05Z nor a while such as 24 hours ago";
    time.map(Some).ok_or_else(|| Fault::new(format!("?{name}"), valid))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn asked(parameters: Value) -> Result<Reading, Problem> {
        let now = "2026-01-02T03:04:05Z".parse().expect("a time");
        Reading::read(&Http::read(&json!({"queryStringParameters": parameters})).expect("an event"), now)
    }

    #[test]
    fn a_time_is_one_or_a_while_before_now() {
        for (text, time) in [
            ("2025-12-31T23:59:59.5Z", "2025-12-31T23:59:59.5Z"),
            ("2025-12-31T23:59:59+01:00", "2025-12-31T22:59:59Z"),
            ("24 hours ago", "2026-01-01T03:04:05Z"),
            ("90m", "2026-01-02T01:34:05Z"),
            ("2 days ago", "2025-12-31T03:04:05Z"),
            ("1 month ago", "2025-12-02T03:04:05Z"),
        ] {
            let read = asked(json!({"from": text})).expect("a time").span.from;
            assert_eq!(read, Some(time.parse().expect("a time")), "{text}");
        }
    }

    #[test]
    fn every_bad_parameter_is_named() {
        let problem = asked(json!({"from": "yesterday", "to": "", "limit": "1001", "wait": "21", "after": "x"})).expect_err("refused");
        let paths: Vec<&str> = problem.faults.iter().map(|fault| fault.path.as_str()).collect();
        assert_eq!(paths, ["?from", "?to", "?limit", "?wait", "?after"]);
        assert_eq!(asked(json!({"wait": "20"})).expect("the longest").wait, Duration::from_secs(20));
    }
}
