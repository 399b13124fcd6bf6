//! Why a request is refused: RFC 9457 problem details with a stable `code` and a `hint`.

use crate::errors::{Class, Error};
use crate::spec::Fault;
use serde::Serialize;

#[derive(Clone, Debug, Serialize)]
pub struct Problem {
    /// The HTTP status.
    pub status: u16,
    pub title: &'static str,
    pub code: &'static str,
    pub detail: String,
    pub hint: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<Fault>,
    /// Seconds after which the same request may be sent again: the header `Retry-After`.
    #[serde(skip)]
    pub retry_after: Option<u32>,
}

impl Problem {
    pub fn invalid(faults: Vec<Fault>) -> Self {
        let detail = format!("{} thing(s) in the request are wrong; faults names each by its JSON path.", faults.len());
        Self { faults, ..Self::new(400, "Bad Request", "invalid_request", detail, "Mend every fault and send the request again.") }
    }

    pub fn no_tenant(claim: &str) -> Self {
        let detail = format!("The token has no usable claim {claim}, so it names no tenant.");
        Self::new(403, "Forbidden", "no_tenant", detail, "Send the ID token of a user who belongs to a tenant.")
    }

    pub fn no_cluster(name: &str) -> Self {
        let hint = "GET /clusters lists your clusters.";
        Self::new(404, "Not Found", "cluster_not_found", format!("You have no cluster named {name:?}."), hint)
    }

    pub fn no_route() -> Self {
        let hint = "The README lists the routes.";
        Self::new(404, "Not Found", "route_not_found", "There is no such route.", hint)
    }

    pub fn name_taken(name: &str) -> Self {
        let hint = "Choose another name, or delete that cluster: the name is free again once it is deleted.";
        Self::new(409, "Conflict", "name_taken", format!("A cluster named {name:?} exists."), hint)
    }

    pub fn not_parked(status: &str) -> Self {
        let hint = "Only a cluster that is failed or delete_blocked can be retried.";
        Self::new(409, "Conflict", "not_parked", format!("The cluster is {status}; there is nothing to retry."), hint)
    }

    pub fn key_reused() -> Self {
        let detail = "This idempotency key was used for another request in the last 24 hours.";
        Self::new(422, "Unprocessable Content", "idempotency_key_reused", detail, "Use a new key for a new request.")
    }

    pub fn role_registered() -> Self {
        let hint = "Make a role of your own; GET /onboarding says how. If this one is yours alone, ask the operator.";
        Self::new(409, "Conflict", "role_registered", "This role is registered with Groundwork already, and not as yours.", hint)
    }

    pub fn too_many_clusters(most: u32) -> Self {
        let hint = "Delete a cluster, or ask the operator for more.";
        let detail = format!("You have {most} clusters that are not deleted, as many as you may have.");
        Self::new(429, "Too Many Requests", "cluster_limit", detail, hint)
    }

    pub fn too_many_requests(most: u32, retry_after: u32) -> Self {
        let detail = format!("You have sent more than {most} requests in this minute.");
        let hint = format!("Send the request again in {retry_after} s.");
        Self { retry_after: Some(retry_after), ..Self::new(429, "Too Many Requests", "request_limit", detail, hint) }
    }

    fn new(status: u16, title: &'static str, code: &'static str, detail: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { status, title, code, detail: detail.into(), hint: hint.into(), faults: vec![], retry_after: None }
    }
}

/// An error of our own side: logged whole here, told without its insides.
impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        tracing::error!(class = error.class.name(), detail = error.detail, "request failed");
        match error.class {
            Class::Transient | Class::Throttled => Self::new(
                503,
                "Service Unavailable",
                "unavailable",
                "Groundwork cannot answer now.",
                "Send the same request again in a moment.",
            ),
            Class::Customer | Class::Permanent | Class::Superseded => {
                Self::new(500, "Internal Server Error", "internal", "Groundwork failed inside.", "The operator's log has the cause.")
            }
        }
    }
}
