//! Why a request is refused: RFC 9457 problem details with a stable `code` and a `hint`.

use crate::inventory::Found;
use crate::spec::{Fault, shortened};
use crate::status::Status;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{EnumMessage, IntoStaticStr, VariantArray};

/// The body of every refusal, as `application/problem+json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// The HTTP status.
    pub status: u16,
    /// The HTTP status in words.
    pub title: Box<str>,
    pub code: ProblemCode,
    /// What is wrong.
    pub detail: String,
    /// What to do about it.
    pub hint: String,
    /// With `invalid_request`: every fault in the request, or the first fifty and how many more there are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<Fault>,
    /// With `already_deleted`: what was kept, each with the command that removes it.
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub kept: Box<[Found]>,
    /// Seconds after which the same request may be sent again: the header `Retry-After`.
    #[serde(skip)]
    pub retry_after: Option<u32>,
}

/// Which refusal it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, EnumMessage, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ProblemCode {
    /// The request has faults: `faults` names each by its JSON path.
    InvalidRequest,
    /// The token names no tenant.
    NoTenant,
    /// The tenant has no cluster of that name.
    ClusterNotFound,
    /// There is no such route.
    RouteNotFound,
    /// The body is longer than a request may be.
    BodyTooLarge,
    /// A cluster of that name exists.
    NameTaken,
    /// The cluster is not parked, so there is nothing to retry.
    NotParked,
    /// The cluster cannot be given up: it is not blocked, or its account may still let Groundwork in.
    NotForgettable,
    /// The cluster is deleted, and its data was kept: what the request says about the data comes too late.
    AlreadyDeleted,
    /// Another tenant has registered the role.
    RoleRegistered,
    /// The idempotency key was used for another request.
    IdempotencyKeyReused,
    /// The tenant has as many clusters as it is allowed.
    ClusterLimit,
    /// The tenant has sent more requests in a minute than it is allowed.
    RequestLimit,
    /// Groundwork failed, and the operator has to look.
    Internal,
    /// Groundwork cannot answer now; the same request may be sent again.
    Unavailable,
}

impl ProblemCode {
    /// The words of the API, the same as the serialized ones.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// What happened, in a sentence.
    pub fn what(self) -> &'static str {
        self.get_documentation().unwrap_or_default()
    }

    /// The HTTP status, as a number and in words. Exhaustive, so that a new code does not compile until somebody has decided.
    pub fn http(self) -> (u16, &'static str) {
        match self {
            ProblemCode::InvalidRequest => (400, "Bad Request"),
            ProblemCode::NoTenant => (403, "Forbidden"),
            ProblemCode::ClusterNotFound | ProblemCode::RouteNotFound => (404, "Not Found"),
            ProblemCode::NameTaken | ProblemCode::NotParked | ProblemCode::NotForgettable => (409, "Conflict"),
            ProblemCode::AlreadyDeleted | ProblemCode::RoleRegistered => (409, "Conflict"),
            ProblemCode::BodyTooLarge => (413, "Content Too Large"),
            ProblemCode::IdempotencyKeyReused => (422, "Unprocessable Content"),
            ProblemCode::ClusterLimit | ProblemCode::RequestLimit => (429, "Too Many Requests"),
            ProblemCode::Internal => (500, "Internal Server Error"),
            ProblemCode::Unavailable => (503, "Service Unavailable"),
        }
    }
}

/// The most faults that an answer names.
const MOST_FAULTS: usize = 50;

impl Problem {
    pub fn invalid(mut faults: Vec<Fault>) -> Self {
        let detail = format!("The request has {} fault(s); faults names each by its JSON path.", faults.len());
        if let Some(more @ 1..) = faults.len().checked_sub(MOST_FAULTS) {
            faults.truncate(MOST_FAULTS);
            faults.push(Fault::new("$", format!("and {more} more")));
        }
        Self { faults, ..Self::new(ProblemCode::InvalidRequest, detail, "Correct every fault and send the request again.") }
    }

    pub fn no_tenant(claim: &str) -> Self {
        let detail = format!("The token has no usable claim {claim}, so it names no tenant.");
        Self::new(ProblemCode::NoTenant, detail, "Send the ID token of a user who belongs to a tenant.")
    }

    pub fn body_too_large(most: usize) -> Self {
        let detail = format!("The body has more than {most} bytes.");
        Self::new(ProblemCode::BodyTooLarge, detail, "Send only what the request needs: the smallest body has a few hundred bytes.")
    }

    pub fn no_cluster(name: &str) -> Self {
        let detail = format!("You have no cluster named {:?}.", shortened(name));
        Self::new(ProblemCode::ClusterNotFound, detail, "GET /clusters lists your clusters, GET /clusters?deleted=true the deleted ones.")
    }

    /// `asked` is the method and the path.
    pub fn no_route(asked: &str) -> Self {
        let detail = format!("There is no route {:?}.", shortened(asked));
        Self::new(ProblemCode::RouteNotFound, detail, "GET /openapi.json lists the routes.")
    }

    /// The cluster that has the name has this status.
    pub fn name_taken(name: &str, status: Status) -> Self {
        let (detail, hint) = match status {
            Status::Queued | Status::Provisioning | Status::Running | Status::Failed => (
                format!("A cluster named {name:?} exists."),
                "Choose another name, or delete that cluster: the name is free again once it is deleted.".to_owned(),
            ),
            Status::Terminating => (
                format!("The cluster named {name:?} is being deleted."),
                format!("The name is free once it is deleted; GET /clusters/{name} shows how far that is. Or choose another name."),
            ),
            Status::DeleteBlocked => (
                format!("The cluster named {name:?} is being deleted, and something is in the way."),
                format!("The name is free once it is deleted; GET /clusters/{name} shows what is in the way. Or choose another name."),
            ),
            Status::Deleted | Status::Forgotten => {
                (format!("The cluster named {name:?} has been deleted just now."), "The name is free: send the request again.".to_owned())
            }
        };
        Self::new(ProblemCode::NameTaken, detail, hint)
    }

    pub fn not_parked(status: Status) -> Self {
        let detail = format!("The cluster is {}; there is nothing to retry.", status.name());
        Self::new(
            ProblemCode::NotParked,
            detail,
            "Only a cluster that is failed or delete_blocked can be retried, and a running one of Groundwork's own with furnished false.",
        )
    }

    pub fn not_forgettable(reason: impl Into<String>) -> Self {
        let hint = "A cluster can be forgotten once it is delete_blocked and AWS has not let Groundwork assume its role for 24 hours; until \
                    then let Groundwork in again and retry, so that nothing is left.";
        Self::new(ProblemCode::NotForgettable, reason, hint)
    }

    /// Of what was kept, only what the tenant may remove.
    pub fn already_deleted(name: &str, kept: Vec<Found>) -> Self {
        let things: Vec<String> = kept.iter().map(|found| format!("{} {}", found.kind, found.id)).collect();
        let detail = format!("The cluster {name} is deleted, and kept in its account: {}.", things.join(", "));
        let hint =
            "Groundwork does not go back to the account of a deleted cluster. Each of kept has the command that removes it for good.";
        Self { kept: kept.into(), ..Self::new(ProblemCode::AlreadyDeleted, detail, hint) }
    }

    /// Nobody knows what is in the account.
    pub fn already_forgotten(name: &str) -> Self {
        let detail = format!("The cluster {name} was given up, so Groundwork removes nothing of it any more.");
        let hint = format!("Remove it yourself: GET /clusters/{name} lists under inventory.left what may still be there.");
        Self::new(ProblemCode::AlreadyDeleted, detail, hint)
    }

    pub fn role_registered() -> Self {
        let detail = "Another tenant has already registered this role.";
        let hint = "Make a role of your own; GET /onboarding says how. If this one is yours alone, ask the operator.";
        Self::new(ProblemCode::RoleRegistered, detail, hint)
    }

    pub fn key_reused() -> Self {
        let detail = "This idempotency key was used for another request in the last 24 hours.";
        Self::new(ProblemCode::IdempotencyKeyReused, detail, "Use a new key for a new request.")
    }

    pub fn too_many_clusters(most: u32) -> Self {
        let detail = format!("You have {most} clusters that are not deleted, which is your limit.");
        Self::new(ProblemCode::ClusterLimit, detail, "Delete a cluster, or ask the operator for more.")
    }

    pub fn too_many_requests(most: u32, retry_after: u32) -> Self {
        let detail = format!("You have sent more than {most} requests in this minute.");
        let hint = format!("Send the request again in {retry_after} s.");
        Self { retry_after: Some(retry_after), ..Self::new(ProblemCode::RequestLimit, detail, hint) }
    }

    /// An error on our side; the operator's log has the cause.
    pub fn internal() -> Self {
        Self::new(
            ProblemCode::Internal,
            "Groundwork had an internal error.",
            "Send the request again later. If it stays so, ask the operator, whose log has the cause.",
        )
    }

    /// An error on our side, and temporary.
    pub fn unavailable() -> Self {
        Self::new(ProblemCode::Unavailable, "Groundwork cannot answer now.", "Send the same request again in a moment.")
    }

    fn new(code: ProblemCode, detail: impl Into<String>, hint: impl Into<String>) -> Self {
        let (status, title) = code.http();
        Self {
            status,
            title: title.into(),
            code,
            detail: detail.into(),
            hint: hint.into(),
            faults: vec![],
            kept: Box::default(),
            retry_after: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_problem_has_the_code_and_status_that_clients_know() {
        for (problem, status, title, code) in [
            (Problem::invalid(vec![]), 400, "Bad Request", "invalid_request"),
            (Problem::no_tenant("custom:tenant"), 403, "Forbidden", "no_tenant"),
            (Problem::no_cluster("a"), 404, "Not Found", "cluster_not_found"),
            (Problem::no_route("GET /"), 404, "Not Found", "route_not_found"),
            (Problem::body_too_large(65536), 413, "Content Too Large", "body_too_large"),
            (Problem::name_taken("a", Status::Running), 409, "Conflict", "name_taken"),
            (Problem::name_taken("a", Status::Terminating), 409, "Conflict", "name_taken"),
            (Problem::name_taken("a", Status::DeleteBlocked), 409, "Conflict", "name_taken"),
            (Problem::name_taken("a", Status::Deleted), 409, "Conflict", "name_taken"),
            (Problem::not_parked(Status::Running), 409, "Conflict", "not_parked"),
            (Problem::not_forgettable("It runs."), 409, "Conflict", "not_forgettable"),
            (Problem::already_deleted("a", vec![]), 409, "Conflict", "already_deleted"),
            (Problem::already_forgotten("a"), 409, "Conflict", "already_deleted"),
            (Problem::role_registered(), 409, "Conflict", "role_registered"),
            (Problem::key_reused(), 422, "Unprocessable Content", "idempotency_key_reused"),
            (Problem::too_many_clusters(20), 429, "Too Many Requests", "cluster_limit"),
            (Problem::too_many_requests(300, 7), 429, "Too Many Requests", "request_limit"),
            (Problem::internal(), 500, "Internal Server Error", "internal"),
            (Problem::unavailable(), 503, "Service Unavailable", "unavailable"),
        ] {
            assert_eq!((problem.code.name(), problem.code.http()), (code, (status, title)));
            let shown = json!(problem);
            assert_eq!(shown, json!({"status": status, "title": title, "code": code, "detail": shown["detail"], "hint": shown["hint"]}));
            assert!(shown["detail"] != "" && shown["hint"] != "", "{code}");
        }
    }

    #[test]
    fn only_so_many_faults_are_named() {
        for (count, named, last) in [(50, 50, "no"), (51, 51, "and 1 more"), (20_000, 51, "and 19950 more")] {
            let problem = Problem::invalid(vec![Fault::new("$.name", "no"); count]);
            let message = problem.faults.last().map(|fault| fault.message.as_str());
            assert_eq!((problem.faults.len(), message), (named, Some(last)));
            assert!(problem.detail.contains(&format!("{count} fault")), "{}", problem.detail);
        }
    }

    #[test]
    fn a_name_in_use_says_what_became_of_its_cluster() {
        for (status, detail, hint) in [
            (Status::Running, "exists", "delete that cluster"),
            (Status::Terminating, "is being deleted", "GET /clusters/a shows how far"),
            (Status::DeleteBlocked, "something is in the way", "GET /clusters/a shows what"),
            (Status::Deleted, "has been deleted", "send the request again"),
        ] {
            let told = Problem::name_taken("a", status);
            assert!(told.detail.contains(detail) && told.hint.contains(hint), "{told:?}");
        }
    }

    #[test]
    fn what_was_kept_is_told_with_its_command() {
        let kept = Found { remove: Some("aws x".into()), ..Found::new("volume", "vol-1", "a claim's") };
        let shown = json!(Problem::already_deleted("a", vec![kept]));
        assert_eq!(shown["detail"], "The cluster a is deleted, and kept in its account: volume vol-1.");
        assert_eq!(shown["kept"], json!([{"kind": "volume", "id": "vol-1", "why": "a claim's", "remove": "aws x"}]));
    }

    #[test]
    fn faults_are_in_the_body_and_the_seconds_only_in_the_header() {
        let shown = json!(Problem::invalid(vec![Fault::new("$.name", "this field is required")]));
        assert_eq!(shown["detail"], "The request has 1 fault(s); faults names each by its JSON path.");
        assert_eq!(shown["faults"], json!([{"path": "$.name", "message": "this field is required"}]));
        let busy = Problem::too_many_requests(300, 7);
        assert_eq!((busy.retry_after, json!(busy).get("retry_after")), (Some(7), None));
        assert_eq!(busy.hint, "Send the request again in 7 s.");
    }
}
