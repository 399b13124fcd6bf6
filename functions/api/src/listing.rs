//! Which of a tenant's clusters are listed.

use crate::http::Http;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use wire::problem::Problem;
use wire::spec::{Fault, parameter_faults};
use wire::status::Status;
use wire::view::{Clusters, Summary};

/// What a list is asked for.
#[derive(Debug)]
pub struct Wanted {
    pub deleted: bool,
    status: Option<Status>,
    region: Option<String>,
    after: Option<String>,
    limit: usize,
}

impl Wanted {
    /// # Errors
    /// Every parameter that is not what it should be.
    pub fn read(http: &Http) -> Result<Self, Problem> {
        let (status, region, deleted) = (status(http), region(http), http.flag("deleted"));
        let (after, limit) = (after(http), http.limit());
        let faults = [status.as_ref().err(), region.as_ref().err(), deleted.as_ref().err(), after.as_ref().err(), limit.as_ref().err()];
        let faults = faults.into_iter().flatten().cloned().collect();
        match (status, region, deleted, after, limit) {
            (Ok(status), Ok(region), Ok(deleted), Ok(after), Ok(limit)) => Ok(Self { deleted, status, region, after, limit }),
            _ => Err(Problem::invalid(faults)),
        }
    }

    /// Of all the clusters, which are by name, or the last one first if they are deleted.
    ///
    /// # Errors
    /// The cursor is of a deleted cluster that is not kept any more, or of none.
    pub fn page(&self, all: Vec<Summary>, at: Timestamp) -> Result<Clusters, Problem> {
        let rest = match &self.after {
            None => all,
            Some(after) if self.deleted => {
                let place = all.iter().position(|one| one.id == *after);
                let place = place.ok_or_else(|| Problem::invalid(vec![no_cursor()]))?;
                all.into_iter().skip(place + 1).collect()
            }
            // By name, so that a cluster that has gone since is no matter.
            Some(after) => all.into_iter().filter(|one| one.name > *after).collect(),
        };
        let is_wanted = |one: &Summary| {
            self.status.is_none_or(|status| one.status == status)
                && self.region.as_ref().is_none_or(|region| one.region.as_ref() == Some(region))
        };
        let mut clusters: Vec<Summary> = rest.into_iter().filter(is_wanted).collect();
        let more = clusters.len() > self.limit;
        clusters.truncate(self.limit);
        let last = clusters.last().filter(|_| more);
        let next = last.map(|one| if self.deleted { one.id.clone() } else { one.name.clone() });
        Ok(Clusters { clusters, next, at })
    }
}

fn status(http: &Http) -> Result<Option<Status>, Fault> {
    let status = http.parameter("status").map(|text| Status::deserialize(Value::from(text))).transpose();
    status.map_err(|error| Fault::new("?status", error.to_string()))
}

fn region(http: &Http) -> Result<Option<String>, Fault> {
    let Some(region) = http.parameter("region") else { return Ok(None) };
    parameter_faults(&[("region", Some(region))]).into_iter().next().map_or(Ok(Some(region.to_owned())), Err)
}

/// A name, or of a deleted cluster the id.
fn after(http: &Http) -> Result<Option<String>, Fault> {
    let Some(after) = http.parameter("after").filter(|after| !after.is_empty()) else { return Ok(None) };
    let is_one = after.len() <= 63 && after.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if is_one { Ok(Some(after.to_owned())) } else { Err(no_cursor()) }
}

fn no_cursor() -> Fault {
    Fault::new("?after", "is not the `next` of an earlier answer")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn summary(name: &str, status: &str, region: &str) -> Summary {
        let at = "2026-01-02T03:04:05Z";
        let line = json!({
            "name": name, "id": format!("id-{name}"), "status": status, "stage": null, "code": null, "reason": null, "hint": null,
            "turn": null, "again_at": null, "region": region, "account": "222222222222", "mode": "managed", "nodes": null,
            "created_at": at, "updated_at": at
        });
        serde_json::from_value(line).expect("a summary")
    }

    fn asked(parameters: Value) -> Result<Wanted, Problem> {
        Wanted::read(&Http::read(&json!({"queryStringParameters": parameters})).expect("an event"))
    }

    fn listed(parameters: Value) -> (Vec<String>, Option<String>) {
        let all = vec![summary("a", "running", "us-west-2"), summary("b", "failed", "us-west-2"), summary("c", "running", "eu-west-1")];
        let page = asked(parameters).expect("good parameters").page(all, Timestamp::UNIX_EPOCH).expect("a page");
        (page.clusters.into_iter().map(|one| one.name).collect(), page.next)
    }

    #[test]
    fn clusters_are_listed_by_what_is_asked_for_page_by_page() {
        for (parameters, names, next) in [
            (json!(null), vec!["a", "b", "c"], None),
            (json!({"status": "running"}), vec!["a", "c"], None),
            (json!({"status": "running", "region": "us-west-2"}), vec!["a"], None),
            (json!({"limit": "2"}), vec!["a", "b"], Some("b")),
            (json!({"limit": "2", "after": "b"}), vec!["c"], None),
            (json!({"limit": "3"}), vec!["a", "b", "c"], None),
            (json!({"after": "aa"}), vec!["b", "c"], None),
            (json!({"limit": "1", "status": "running", "after": "a"}), vec!["c"], None),
            (json!({"deleted": "true", "limit": "1"}), vec!["a"], Some("id-a")),
            (json!({"deleted": "true", "after": "id-a"}), vec!["b", "c"], None),
        ] {
            assert_eq!(
                listed(parameters.clone()),
                (names.into_iter().map(str::to_owned).collect(), next.map(str::to_owned)),
                "{parameters}"
            );
        }
    }

    #[test]
    fn every_bad_parameter_is_named_with_what_is_valid() {
        let problem =
            asked(json!({"status": "asleep", "deleted": "yes", "limit": "0", "region": "mars", "after": "~"})).expect_err("refused");
        let told: Vec<String> = problem.faults.iter().map(|fault| format!("{} {}", fault.path, fault.message)).collect();
        assert_eq!(told.len(), 5, "{told:?}");
        for (told, valid) in told.iter().zip(["running", "us-west-2", "true or false", "an earlier answer", "1 to 1000"]) {
            assert!(told.contains(valid), "{told}");
        }
        let gone = asked(json!({"deleted": "true", "after": "x"})).expect("a cursor").page(vec![], Timestamp::UNIX_EPOCH);
        assert_eq!(gone.expect_err("refused").faults[0].path, "?after");
    }
}
