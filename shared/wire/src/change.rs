//! What the bus is told when a cluster's status changes: the `detail` of an event.

use crate::event::sentence;
use crate::status::Status;
use crate::view::Summary;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The event's `source`.
pub const SOURCE: &str = "groundwork";
/// The event's `detail-type`.
pub const TYPE: &str = "Cluster Status Change";

/// A cluster's status changed, or the cluster is new.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StatusChange {
    /// The same whenever this change is delivered again; EventBridge's own `id` is not.
    pub event_id: String,
    /// Grows from each change of the cluster to the next, not always by one. What has a smaller one than you have seen is out of date.
    pub version: u64,
    /// Whose cluster it is.
    pub tenant: String,
    /// The status until then; null if the cluster is new.
    pub previous_status: Option<Status>,
    /// Who last asked for something to be done with the cluster: `tenant:<subject of the token>` or `queue:<sender>`; null if that was
    /// before Groundwork noted it.
    pub asked_by: Option<String>,
    /// All of it that a person wants to read, in one line. Without double quotes and backslashes, so that it fits into any template of a
    /// rule: EventBridge does not say that it escapes them.
    pub text: String,
    /// The cluster as it was right after the change, in the shape of `GET /clusters`.
    pub cluster: Summary,
}

/// The JSON Schema of an event's `detail`.
pub fn schema() -> Value {
    SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<StatusChange>().to_value()
}

/// What `text` says.
pub fn told(tenant: &str, cluster: &Summary) -> String {
    let head = format!("Cluster {} of tenant {tenant} is {}", cluster.name, cluster.status.name());
    let why = [&cluster.reason, &cluster.hint].into_iter().flatten().map(|said| sentence(said)).collect::<Vec<_>>();
    let text = if why.is_empty() { format!("{head}.") } else { format!("{head}: {}", why.join(" ")) };
    text.chars().map(plain).collect()
}

fn plain(character: char) -> char {
    match character {
        '"' => '\'',
        '\\' => '/',
        other if other.is_control() => ' ',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{from_value, json};

    fn cluster(status: &str, reason: Option<&str>, hint: Option<&str>) -> Summary {
        let cluster = json!({
            "name": "research", "id": "abcdefghijkl", "status": status, "stage": null, "code": null, "reason": reason, "hint": hint,
            "turn": null, "again_at": null, "region": "us-west-2", "account": "222222222222", "mode": "managed", "nodes": null,
            "created_at": "2025-01-02T03:04:05Z", "updated_at": "2025-01-02T03:04:05Z"
        });
        from_value(cluster).expect("a line")
    }

    #[test]
    fn a_change_is_told_in_one_line_that_fits_into_any_template() {
        for (status, reason, hint, text) in [
            ("running", None, None, "Cluster research of tenant demo is running."),
            ("failed", Some("No \"room\""), Some("Ask\nC:\\it."), "Cluster research of tenant demo is failed: No 'room'. Ask C:/it."),
            ("delete_blocked", Some("In use."), None, "Cluster research of tenant demo is delete_blocked: In use."),
        ] {
            assert_eq!(told("demo", &cluster(status, reason, hint)), text);
        }
    }

    #[test]
    fn the_schema_fits_what_is_sent_and_wants_every_field() {
        let sent = json!(StatusChange {
            event_id: "abcdefghijkl-1".into(),
            version: 1,
            tenant: "demo".into(),
            previous_status: None,
            asked_by: None,
            text: String::new(),
            cluster: cluster("queued", None, None),
        });
        let validator = jsonschema::validator_for(&schema()).expect("a schema");
        assert!(validator.is_valid(&sent), "{:?}", validator.iter_errors(&sent).map(|error| error.to_string()).collect::<Vec<_>>());
        for field in sent.as_object().expect("an object").keys() {
            let mut without = sent.clone();
            without.as_object_mut().expect("an object").remove(field);
            assert!(!validator.is_valid(&without), "{field}");
        }
    }
}
