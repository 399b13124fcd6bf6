//! How to get into a cluster.

use super::ClusterOutputs;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// How to get into a cluster with kubectl, as somebody whom it lets in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Connect {
    /// Adds the cluster to the kubeconfig of whoever types it, with the AWS CLI.
    pub command: String,
    /// A whole kubeconfig, which kubectl reads as JSON, too. It holds no credentials: kubectl asks the AWS CLI for them.
    pub kubeconfig: Value,
}

impl Connect {
    /// None until there is an endpoint.
    pub fn of(name: &str, region: &str, outputs: &ClusterOutputs) -> Option<Self> {
        let cluster = outputs.cluster_name.as_ref()?;
        let server = json!({"server": outputs.endpoint.as_ref()?, "certificate-authority-data": outputs.certificate_authority.as_ref()?});
        let user = json!({"exec": exec(region, cluster)});
        let kubeconfig = json!({
            "apiVersion": "v1", "kind": "Config", "preferences": {}, "current-context": name,
            "clusters": [{"name": name, "cluster": server}],
            "users": [{"name": name, "user": user}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        });
        Some(Self { command: format!("aws eks update-kubeconfig --region {region} --name {cluster} --alias {name}"), kubeconfig })
    }
}

/// How kubectl gets credentials.
fn exec(region: &str, cluster: &str) -> Value {
    json!({
        "apiVersion": "client.authentication.k8s.io/v1beta1", "command": "aws", "interactiveMode": "Never",
        "args": ["--region", region, "eks", "get-token", "--cluster-name", cluster, "--output", "json"],
        "installHint": "Install the AWS CLI: https://aws.amazon.com/cli/",
    })
}
