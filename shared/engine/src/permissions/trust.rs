//! The customer's role trusts the operator's stage functions, and only with the tenant's external ID.

use serde_json::{Value, json};

pub struct Who<'a> {
    pub partition: &'a str,
    pub operator_account: &'a str,
    /// ARN pattern of the roles of the stage functions.
    pub principal_pattern: &'a str,
    pub external_id: &'a str,
}

/// The placeholders that Terraform's `templatefile` fills.
pub const PLACEHOLDERS: Who<'static> = Who {
    partition: "${partition}",
    operator_account: "${operator_account}",
    principal_pattern: "${principal_pattern}",
    external_id: "${external_id}",
};

pub fn policy(who: &Who) -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": "GroundworkWithTheExternalId",
            "Effect": "Allow",
            "Principal": {"AWS": format!("arn:{}:iam::{}:root", who.partition, who.operator_account)},
            "Action": "sts:AssumeRole",
            "Condition": {
                "StringEquals": {"sts:ExternalId": who.external_id},
                "ArnLike": {"aws:PrincipalArn": who.principal_pattern},
            },
        }],
    })
}
