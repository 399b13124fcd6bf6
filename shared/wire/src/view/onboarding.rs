//! What a tenant's account has to grant.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// The answer of `GET /onboarding`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Onboarding {
    /// The tenant's own, made by Groundwork, random, always the same; part of the role's trust policy.
    pub external_id: String,
    /// Whom to trust.
    pub principal: Principal,
    /// Whom the role trusts, and on which condition, as IAM wants it: the document that the quick-start gives it.
    pub trust_policy: Value,
    /// Where a cluster lives whose request names no region.
    pub default_region: String,
    /// What the role may be called.
    pub role_name: String,
    /// What to do.
    pub grant: String,
    /// The quick-start, a CloudFormation template: makes the role and grants what it needs.
    pub template: String,
    /// Shell commands that deploy the template, saved as `quick-start.yaml`, with this tenant's values.
    pub commands: String,
    /// Opens CloudFormation's console with the quick-start and its parameters filled in; null if the operator has named nobody who may
    /// read the template there.
    pub quick_create_url: Option<String>,
    /// Where that link has the quick-start from; null if there is no link.
    pub template_url: Option<String>,
    /// What the role is granted: IAM policy documents by the ARN of each managed policy. `${partition}`, `${account}` and `${role}`
    /// stand for the tenant's.
    pub policy: BTreeMap<String, Value>,
}

/// Whom a tenant's role is to trust.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Principal {
    /// The operator's account, twelve digits.
    pub account_id: String,
    /// The pattern of the roles there that may assume the tenant's role.
    pub pattern: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn onboarding_has_its_fields_as_ever() {
        let answer = Onboarding {
            external_id: "e".into(),
            principal: Principal { account_id: "111111111111".into(), pattern: "arn:aws:iam::111111111111:role/groundwork-*".into() },
            trust_policy: json!({"Version": "2012-10-17"}),
            default_region: "us-west-2".into(),
            role_name: "groundwork".into(),
            grant: "Open it.".into(),
            template: "Resources: {}".into(),
            commands: "aws".into(),
            quick_create_url: Some("https://console".into()),
            template_url: None,
            policy: BTreeMap::from([("arn".into(), json!({"Version": "2012-10-17"}))]),
        };
        let shown = json!({
            "external_id": "e",
            "principal": {"account_id": "111111111111", "pattern": "arn:aws:iam::111111111111:role/groundwork-*"},
            "trust_policy": {"Version": "2012-10-17"},
            "default_region": "us-west-2", "role_name": "groundwork", "grant": "Open it.", "template": "Resources: {}", "commands": "aws",
            "quick_create_url": "https://console", "template_url": null,
            "policy": {"arn": {"Version": "2012-10-17"}}
        });
        assert_eq!(json!(answer), shown);
    }
}
