//! What a tenant needs to use a cluster.

use super::Connect;
use crate::journal::{Entry, State};
use crate::key::Key;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a tenant needs to use a cluster. What is not ready is null or not listed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClusterOutputs {
    /// The cluster's name in EKS.
    pub cluster_name: Option<String>,
    /// The URL of the Kubernetes API server.
    pub endpoint: Option<String>,
    /// The certificate authority of the API server, as base64.
    pub certificate_authority: Option<String>,
    /// The buckets' names, by purpose; for the customer's own, by name.
    pub buckets: BTreeMap<String, String>,
    /// The node groups' names in EKS, by instance type, with `spot/` before it if they are of spot; `system` runs what the cluster itself needs.
    pub node_groups: BTreeMap<String, String>,
    /// How to get in; null until there is an endpoint.
    #[serde(default)]
    pub connect: Option<Connect>,
}

impl ClusterOutputs {
    /// What the journal knows of the cluster of that name.
    pub fn of(name: &str, region: Option<&str>, journal: &BTreeMap<Key, Entry>) -> Self {
        let mut outputs = Self::of_journal(journal);
        outputs.connect = region.and_then(|region| Connect::of(name, region, &outputs));
        outputs
    }

    fn of_journal(journal: &BTreeMap<Key, Entry>) -> Self {
        let of_cluster = |output: &str| journal.get(&Key::Cluster).and_then(|entry| entry.outputs.get(output)).cloned();
        Self {
            cluster_name: of_cluster("name"),
            endpoint: of_cluster("endpoint"),
            certificate_authority: of_cluster("ca"),
            buckets: names(journal, |key| match key {
                Key::Bucket(bucket) => Some(bucket.clone()),
                _ => None,
            }),
            node_groups: names(journal, |key| match key {
                Key::NodeGroup(group) => Some(group.to_string()),
                _ => None,
            }),
            connect: None,
        }
    }
}

/// The AWS names of what is ready, by label.
fn names(journal: &BTreeMap<Key, Entry>, label: impl Fn(&Key) -> Option<String>) -> BTreeMap<String, String> {
    let ready = journal.iter().filter(|(_, entry)| entry.state == State::Ready);
    ready.filter_map(|(key, entry)| Some((label(key)?, entry.outputs.get("name")?.clone()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Group;
    use serde_json::json;

    fn entry(state: State, outputs: &[(&str, &str)]) -> Entry {
        let outputs = outputs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Entry { outputs, ..Entry::new(state, 1, jiff::Timestamp::UNIX_EPOCH) }
    }

    #[test]
    fn outputs_are_shown_by_purpose() {
        let journal = BTreeMap::from([
            (Key::Cluster, entry(State::Ready, &[("name", "groundwork-a"), ("endpoint", "https://a"), ("ca", "Zm9v"), ("id", "1")])),
            (Key::Bucket("logs".into()), entry(State::Ready, &[("name", "groundwork-a-logs")])),
            (Key::Bucket("artifacts".into()), entry(State::Creating, &[("name", "groundwork-a-artifacts")])),
            (Key::NodeGroup(Group::System), entry(State::Ready, &[("name", "system-a")])),
            (Key::NodeGroup("g4dn.xlarge".into()), entry(State::Ready, &[("name", "g4dn-xlarge")])),
            (Key::NodeGroup("p4d.24xlarge".into()), entry(State::Ready, &[])),
            (Key::Vpc, entry(State::Ready, &[("name", "not shown")])),
        ]);
        let shown = json!({
            "cluster_name": "groundwork-a", "endpoint": "https://a", "certificate_authority": "Zm9v",
            "buckets": {"logs": "groundwork-a-logs"}, "node_groups": {"system": "system-a", "g4dn.xlarge": "g4dn-xlarge"}, "connect": null
        });
        assert_eq!(json!(ClusterOutputs::of("research", None, &journal)), shown);
    }

    #[test]
    fn who_is_let_in_is_told_how_once_there_is_an_endpoint_and_no_credentials() {
        let journal =
            BTreeMap::from([(Key::Cluster, entry(State::Ready, &[("name", "groundwork-a"), ("endpoint", "https://a"), ("ca", "Zm9v")]))]);
        let Connect { command, kubeconfig } = ClusterOutputs::of("research", Some("us-west-2"), &journal).connect.expect("an endpoint");
        assert_eq!(command, "aws eks update-kubeconfig --region us-west-2 --name groundwork-a --alias research");
        let cluster = json!({"server": "https://a", "certificate-authority-data": "Zm9v"});
        assert_eq!((&kubeconfig["clusters"][0]["cluster"], &kubeconfig["current-context"]), (&cluster, &json!("research")));
        let keys: Vec<&String> = kubeconfig["users"][0]["user"].as_object().expect("a user").keys().collect();
        assert_eq!(keys, ["exec"]);
        assert_eq!(ClusterOutputs::of("research", Some("us-west-2"), &BTreeMap::new()).connect, None);
    }
}
