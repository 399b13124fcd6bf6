//! With which key a managed cluster's data is encrypted.

use super::schema::NEVER;
use super::{Fault, Section};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// With which key the data of the cluster is encrypted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub struct Encryption {
    /// A KMS key of yours that encrypts Kubernetes' data in EKS, the nodes' volumes and the buckets: symmetric, in the account of role_arn and
    /// the cluster's region, with the tag groundwork:encryption = allowed, and by its ARN, such as
    /// arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab. Before anything is made, its policy is read. If absent, AWS's
    /// own keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", regex(pattern = PATTERN), extend("x-change" = NEVER))]
    pub kms_key_arn: Option<String>,
}

/// No alias, which could be another key's tomorrow.
const PATTERN: &str =
    r"^arn:aws(-us-gov)?:kms:[a-z]{2}(-[a-z]+)+-[0-9]:[0-9]{12}:key/(mrk-[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$";

impl Section for Encryption {
    /// Whether it is the right account and region, only the whole spec knows.
    fn check(&self) -> Vec<Fault> {
        vec![]
    }
}
