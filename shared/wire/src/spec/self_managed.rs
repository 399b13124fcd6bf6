//! A cluster that the customer made, and what Groundwork needs to add node groups to it.

use super::ground::is_default;
use super::schema::NEVER;
use super::{Fault, Section, Subnets};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The customer's own EKS cluster and buckets, which are verified and never changed, and where the node groups go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct SelfManaged {
    /// The name of the customer's EKS cluster.
    #[schemars(regex(pattern = r"^[0-9A-Za-z][A-Za-z0-9_-]{0,99}$"), extend("x-change" = NEVER))]
    pub eks_cluster_name: String,
    /// 1 to 10 names of the customer's S3 buckets, each once.
    #[schemars(length(max = 10), extend("uniqueItems" = true, "x-change" = NEVER), inner(regex(pattern = r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")))]
    pub buckets: Vec<String>,
    /// The ARN of the customer's role for nodes, in the account of `role_arn`, at most 160 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^arn:aws(-us-gov)?:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]+$"), length(max = 160), extend("x-change" = NEVER))]
    pub node_role_arn: Option<String>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub network: Subnets,
}

impl Section for SelfManaged {
    /// The schema says everything except what depends on `instance_types`, which the mode checks.
    fn check(&self) -> Vec<Fault> {
        vec![]
    }
}
