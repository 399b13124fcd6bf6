//! The parameters of the routes.

use crate::spec::Spec;
use crate::status::Status;
use schemars::schema_for;
use serde_json::{Value, json};

/// What a route takes besides its path and body.
pub struct Parameter {
    pub name: &'static str,
    pub place: Place,
    pub required: bool,
    /// What it is for, in a sentence or two.
    pub about: &'static str,
    /// Its JSON schema.
    pub schema: fn() -> Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Query,
    Header,
}

/// The most clusters or events in one answer.
pub const MOST_LISTED: u16 = 1000;
/// The longest that a reader of the log may wait, in seconds: API Gateway ends every request after 30.
pub const LONGEST_WAIT: u64 = 20;

const fn query(name: &'static str, about: &'static str, schema: fn() -> Value) -> Parameter {
    Parameter { name, place: Place::Query, required: false, about, schema }
}

pub(super) const IDEMPOTENCY_KEY: Parameter = Parameter {
    name: "Idempotency-Key",
    place: Place::Header,
    required: false,
    about: "Your own key for this request: sent again with the same key within 24 hours, it is answered as before and nothing is done twice.",
    schema: || json!({"type": "string", "pattern": "^[!-~]{1,256}$"}),
};

pub(super) const STATUS: Parameter = query("status", "Only clusters with this status.", || schema_for!(Status).to_value());
pub(super) const REGION: Parameter = query("region", "Only clusters in this region.", || of_spec("region"));
pub(super) const DELETED: Parameter =
    query("deleted", "The deleted clusters in place of the others, the last one first.", || json!({"type": "boolean", "default": false}));
pub(super) const LIMIT: Parameter = query(
    "limit",
    "The most that the answer lists.",
    || json!({"type": "integer", "minimum": 1, "maximum": MOST_LISTED, "default": MOST_LISTED}),
);
pub(super) const AFTER_CLUSTER: Parameter =
    query("after", "What follows: the `next` of an earlier answer.", || json!({"type": "string", "pattern": "^[a-z0-9-]{0,63}$"}));
pub(super) const AFTER_EVENT: Parameter = query(
    "after",
    "Only what happened since: the `next` of an earlier answer.",
    || json!({"type": "string", "pattern": "^[0-9a-f-]{0,32}$"}),
);
pub(super) const FROM: Parameter = query("from", "Not what happened before: a time, or a while before now such as `24 hours ago`.", time);
pub(super) const TO: Parameter = query("to", "Not what happened then or later: a time, or a while before now such as `1h ago`.", time);
pub(super) const WAIT: Parameter = query(
    "wait",
    "If there is nothing yet, wait that many seconds for something to happen. An event is shown two seconds after it happened, then, so that whoever follows a log misses none that is written late.",
    || json!({"type": "integer", "minimum": 0, "maximum": LONGEST_WAIT, "default": 0}),
);
pub(super) const DATA: Parameter = query(
    "data",
    "What happens to the data, whatever the cluster's spec says: what is in the buckets, the volumes of claims, the control plane's log.",
    || json!({"type": "string", "enum": ["keep", "delete"]}),
);
pub(super) const ROLE_ARN: Parameter = Parameter { required: true, ..query("role_arn", "The role to try.", || of_spec("role_arn")) };
pub(super) const CHECKED_REGION: Parameter =
    query("region", "The region that clusters are to live in; by default the operator's.", || of_spec("region"));

/// More is understood, such as ISO 8601's durations, and this much is promised.
fn time() -> Value {
    const WHILE: &str = "^[0-9]{1,4} ?(s|m|h|d|w|seconds?|minutes?|hours?|days?|weeks?|months?|years?)( ago)?$";
    json!({
        "type": "string", "anyOf": [{"format": "date-time"}, {"pattern": WHILE}], "examples": ["2026-01-02T03:04:05Z", "24 hours ago"]
    })
}

/// The schema of a field that every request to create a cluster has.
fn of_spec(field: &str) -> Value {
    let mut schema = schema_for!(Spec).to_value()["oneOf"][0]["properties"][field].take();
    if let Some(schema) = schema.as_object_mut() {
        schema.remove("description");
    }
    schema
}
