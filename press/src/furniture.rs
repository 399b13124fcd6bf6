//! What is in every cluster, as kubectl applies it.

use furniture::{Facts, Object, Scales, Server, objects as all};
use serde_json::{Value, json};

pub fn objects() -> String {
    let facts = Facts {
        cluster: "abcdefghijkl".into(),
        eks_name: "groundwork-research-abcdefghijkl".into(),
        region: "us-west-2".into(),
        scale_down_after_minutes: 10,
        scales: Scales::All,
        mounts: vec![("artifacts".into(), "groundwork-abcdefghijkl-artifacts".into())],
    };
    let objects = all(&facts, &Server::of_version(Some("1.35")));
    let items: Vec<&Value> = objects.iter().map(Object::wanted).collect();
    format!("{:#}\n", json!({"apiVersion": "v1", "kind": "List", "items": items}))
}
