//! The trust test: the customer's role lets Groundwork in only with the tenant's external ID.

use crate::context::Context;
use crate::errors::{Called, Error, Result};
use crate::names::new_external_id;
use crate::session::{self, Door};
use aws_config::SdkConfig;
use futures::try_join;
use serde_json::Value;
use std::collections::BTreeMap;
use wire::error::Code;
use wire::stage::Stage;

/// Tries the role without an external ID and with a wrong one.
///
/// # Errors
/// `Customer` if either is let in.
pub async fn nobody_else(operator: &SdkConfig, door: &Door<'_>) -> Result<()> {
    let wrong = new_external_id();
    let (without, with_another) = try_join!(session::lets_in(operator, door, None), session::lets_in(operator, door, Some(&wrong)))?;
    match (without, with_another) {
        (false, false) => Ok(()),
        (true, _) => Err(open("Your role can be assumed without the external ID; add the condition on sts:ExternalId.")),
        (false, true) => Err(open("Your role can be assumed with any external ID; make the condition require yours.")),
    }
}

/// Opens the other stages' sessions too, so that a missing policy of the quick-start is found before anything is made.
///
/// # Errors
/// `Customer`, with every policy for which AWS does not open a session.
pub async fn every_stage(
    operator: &SdkConfig,
    doors: impl Iterator<Item = Door<'_>>,
    external_id: &str,
) -> Result<BTreeMap<Stage, SdkConfig>> {
    let (mut open, mut missing) = (BTreeMap::new(), vec![]);
    for door in doors {
        match session::assume(operator, &door, external_id).await {
            Err(error) if error.code == Code::MissingPolicies => missing.push(error.reason),
            session => drop(open.insert(door.stage, session?)),
        }
    }
    if missing.is_empty() { Ok(open) } else { Err(Error::of(Code::MissingPolicies, missing.join(" "))) }
}

/// A role that trusts everybody is refused, whatever its conditions: somebody else could meet each of them.
///
/// # Errors
/// `Customer` if it does.
pub async fn no_wildcard(cx: &Context) -> Result<()> {
    let answer = cx.aws.iam.get_role().role_name(cx.cluster.spec.role_name()).send().await.called("iam:GetRole")?;
    let document = answer.role().and_then(|role| role.assume_role_policy_document()).unwrap_or_default();
    let decoded = percent_encoding::percent_decode_str(document).decode_utf8_lossy();
    let policy: Value = serde_json::from_str(&decoded).map_err(|error| Error::caused(Code::TrustPolicy, &error))?;
    if trusts_everybody(&policy) {
        return Err(open("Your role trusts every AWS account (a wildcard principal); name only the operator's account."));
    }
    Ok(())
}

fn open(reason: &str) -> Error {
    Error::of(Code::OpenTrust, reason)
}

fn trusts_everybody(policy: &Value) -> bool {
    let statements = &policy["Statement"];
    let statements = statements.as_array().map_or(std::slice::from_ref(statements), Vec::as_slice);
    statements.iter().filter(|statement| statement["Effect"] == "Allow").any(|statement| {
        let principal = &statement["Principal"];
        statement.get("NotPrincipal").is_some() || is_wildcard(principal) || is_wildcard(&principal["AWS"])
    })
}

fn is_wildcard(principal: &Value) -> bool {
    match principal {
        Value::Array(several) => several.iter().any(is_wildcard),
        one => one == "*",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_wildcard_is_found_wherever_iam_accepts_one() {
        let account = json!({"AWS": "arn:aws:iam::111111111111:root"});
        for (statement, expected, reason) in [
            (json!({"Effect": "Allow", "Principal": account}), false, "an account"),
            (json!({"Effect": "Allow", "Principal": "*"}), true, "everybody"),
            (json!({"Effect": "Allow", "Principal": {"AWS": "*"}}), true, "every account"),
            (json!({"Effect": "Allow", "Principal": {"AWS": ["arn:aws:iam::111111111111:root", "*"]}}), true, "one of several"),
            (json!({"Effect": "Allow", "NotPrincipal": account}), true, "everybody but one"),
            (json!({"Effect": "Deny", "Principal": "*"}), false, "a denial lets nobody in"),
        ] {
            assert_eq!(trusts_everybody(&json!({"Statement": [statement]})), expected, "{reason}");
            assert_eq!(trusts_everybody(&json!({"Statement": statement})), expected, "{reason}, alone");
        }
    }
}
