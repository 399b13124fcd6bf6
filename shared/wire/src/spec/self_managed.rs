//! A cluster that the customer made, and what Groundwork needs to add node groups to it.

use super::{Fault, Section};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The customer's own EKS cluster and buckets, which are verified and never changed, and where the node groups go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct SelfManaged {
    /// The name of the customer's EKS cluster.
    #[schemars(regex(pattern = r"^[0-9A-Za-z][A-Za-z0-9_-]{0,99}$"))]
    pub eks_cluster_name: String,
    /// 1 to 10 names of the customer's S3 buckets, each once.
    #[schemars(length(max = 10), extend("uniqueItems" = true), inner(regex(pattern = r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")))]
    pub buckets: Vec<String>,
    /// The ARN of the customer's role for nodes, in the account of `role_arn`, at most 160 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^arn:aws(-us-gov)?:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]+$"), length(max = 160))]
    pub node_role_arn: Option<String>,
    /// 1 to 20 subnets for the nodes, such as subnet-0123456789abcdef0; if absent, the cluster's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 20), inner(regex(pattern = r"^subnet-[0-9a-f]{8,17}$")))]
    pub subnet_ids: Vec<String>,
}

impl Section for SelfManaged {
    /// The schema says everything except what depends on `instance_types`, which the mode checks.
    fn check(&self) -> Vec<Fault> {
        vec![]
    }
}
