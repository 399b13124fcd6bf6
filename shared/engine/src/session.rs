//! A session in the customer's account: assumed by each invocation itself, kept in memory, for at most an hour (role chaining).

use crate::errors::{Called, Error, Result};
use aws_config::{Region, SdkConfig};
use aws_sdk_sts::config::{Credentials, SharedCredentialsProvider};
use aws_sdk_sts::operation::assume_role::AssumeRoleOutput;
use aws_sdk_sts::operation::assume_role::builders::AssumeRoleFluentBuilder;
use aws_sdk_sts::types::PolicyDescriptorType;
use std::time::SystemTime;
use wire::error::{ALERTED, Class, Code};
use wire::stage::Stage;

/// The way into a customer's account: which role, and what a session of it is for.
pub struct Door<'a> {
    pub role_arn: &'a str,
    pub region: &'a str,
    pub cluster_id: &'a str,
    pub stage: Stage,
    pub policies: SessionPolicies,
}

/// What a session may do of what the role may do. STS counts both policies as one set.
pub struct SessionPolicies {
    /// The ARN of the stage's managed policy in the customer's account.
    pub managed: Option<String>,
    pub inline: String,
}

/// Assumes the customer's role in the function's own region, for calls in the cluster's. A token of any regional endpoint is valid in all
/// regions of the customer's account; but the endpoint of a region that AWS enables on request knows us only if our account has enabled it.
/// Source: "Manage AWS STS in an AWS Region" (IAM user guide).
///
/// # Errors
/// `Customer` if AWS refuses. It does not say whether the role is missing, does not trust us, or requires another external ID; but it
/// does say if the stage's policy is missing.
pub async fn assume(operator: &SdkConfig, door: &Door<'_>, external_id: &str) -> Result<SdkConfig> {
    let answer = request(operator, door)
        .external_id(external_id)
        .send()
        .await
        .called("sts:AssumeRole")
        .map_err(|error| explain_refusal(error, door))?;
    check_account(&answer, door.role_arn)?;
    // How close the policies are to the packed limit; only STS knows.
    tracing::info!(cluster_id = door.cluster_id, stage = %door.stage, token_utilization_percent = answer.session_token_utilization(), "session");
    let granted = answer.credentials().ok_or_else(|| Error::of(Code::NoCredentials, "STS answered without credentials."))?;
    let expiry = SystemTime::try_from(*granted.expiration()).ok();
    let credentials = Credentials::new(
        granted.access_key_id(),
        granted.secret_access_key(),
        Some(granted.session_token().to_owned()),
        expiry,
        "customer",
    );
    let region = Region::new(door.region.to_owned());
    Ok(operator.to_builder().region(region).credentials_provider(SharedCredentialsProvider::new(credentials)).build())
}

/// True if AWS lets somebody in with this external ID, or with none. The session is thrown away.
pub async fn lets_in(operator: &SdkConfig, door: &Door<'_>, external_id: Option<&str>) -> Result<bool> {
    let answer = request(operator, door).set_external_id(external_id.map(str::to_owned)).send().await.called("sts:AssumeRole");
    match answer {
        Ok(_) => Ok(true),
        Err(error) if error.is_denial() => Ok(false),
        Err(error) => Err(error),
    }
}

fn request(config: &SdkConfig, door: &Door<'_>) -> AssumeRoleFluentBuilder {
    let managed = door.policies.managed.as_ref().map(|arn| PolicyDescriptorType::builder().arn(arn).build());
    aws_sdk_sts::Client::new(config)
        .assume_role()
        .role_arn(door.role_arn)
        .role_session_name(format!("groundwork-{}-{}", door.cluster_id, door.stage))
        .duration_seconds(3600)
        .set_policy_arns(managed.map(|policy| vec![policy]))
        .policy(&door.policies.inline)
}

/// Checks that the session is in the account that the request named.
fn check_account(answer: &AssumeRoleOutput, role_arn: &str) -> Result<()> {
    let account = |arn: &str| arn.split(':').nth(4).map(str::to_owned);
    let session = answer.assumed_role_user().map(|user| user.arn());
    if session.and_then(account) == account(role_arn) {
        return Ok(());
    }
    let reason = format!("The session of {role_arn} is in another account: {}.", session.unwrap_or("unknown"));
    Err(Error::of(Code::AnotherAccount, reason))
}

/// What is wrong with the text that we send, unless the message is about the ARN of a policy.
const OUR_TEXT: [&str; 2] = ["PackedPolicyTooLarge", "MalformedPolicyDocument"];
/// AWS does not know the function's own credentials: the session is asked for in a region that the operator's account has.
const OUR_CREDENTIALS: [&str; 2] = ["InvalidClientTokenId", "UnrecognizedClientException"];

/// STS refuses a managed policy that it does not find in words that are known ("At least one Policy ARN in the PolicyArns parameter does not
/// match an existing IAM Managed Policy ARN."), but its documentation does not say with which code.
fn is_about_arn(error: &Error, policy: &str) -> bool {
    ["Policy ARN", "PolicyArns", policy].iter().any(|text| error.detail.contains(text))
}

fn explain_refusal(error: Error, door: &Door<'_>) -> Error {
    let role = door.role_arn;
    let told = match &door.policies.managed {
        _ if error.is_denial() => {
            let why = "the role does not exist, does not trust Groundwork, or requires another external ID";
            Error::of(Code::RoleRefused, format!("AWS does not let Groundwork assume {role}: {why}."))
        }
        _ if OUR_CREDENTIALS.contains(&error.code.as_str()) => Error { class: Class::Permanent, hint: ALERTED.into(), ..error.clone() },
        Some(policy) if is_about_arn(&error, policy) || error.class == Class::Permanent && !OUR_TEXT.contains(&error.code.as_str()) => {
            Error::of(Code::MissingPolicies, format!("AWS opens no session of {role} with {policy} ({}).", error.reason))
        }
        _ => return error,
    };
    Error { detail: error.detail, refused: error.refused, ..told }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::errors::from_answer;

    #[test]
    fn a_refusal_is_the_tenants_turn_unless_our_own_text_is_at_fault() {
        let unknown = "At least one Policy ARN in the PolicyArns parameter does not match an existing IAM Managed Policy ARN.";
        for (managed, code, message, expected, reason) in [
            (true, "AccessDenied", "not authorized", Code::RoleRefused, "the role is missing, or its trust is wrong"),
            (false, "AccessDenied", "not authorized", Code::RoleRefused, "the same without a managed policy"),
            (true, "ValidationError", unknown, Code::MissingPolicies, "the account has no quick-start, or role_arn names another account"),
            (true, "InvalidParameterValue", unknown, Code::MissingPolicies, "the same with another code"),
            (true, "MalformedPolicyDocument", unknown, Code::MissingPolicies, "the same with a code that may be about our text"),
            (true, "MalformedPolicyDocument", "arn:aws:iam::2:policy/a is not there", Code::MissingPolicies, "the ARN is named"),
            (true, "MalformedPolicyDocument", "Syntax errors in policy.", "MalformedPolicyDocument".into(), "our text"),
            (true, "PackedPolicyTooLarge", "too large", "PackedPolicyTooLarge".into(), "our text"),
            (true, "InvalidClientTokenId", "invalid", "InvalidClientTokenId".into(), "our credentials, and no region of the tenant's"),
            (false, "ValidationError", "no", "ValidationError".into(), "nothing of the customer's was named"),
        ] {
            let policies = SessionPolicies { managed: managed.then(|| "arn:aws:iam::2:policy/a".into()), inline: String::new() };
            let door = Door { role_arn: "arn:aws:iam::2:role/a", region: "us-west-2", cluster_id: "x", stage: Stage::CreateEks, policies };
            let told = explain_refusal(from_answer("sts:AssumeRole", Some(400), code.into(), message), &door);
            let tenants = matches!(told.code, Code::RoleRefused | Code::MissingPolicies);
            assert_eq!((&told.code, told.class == Class::Customer), (&expected, tenants), "{reason}");
        }
    }
}
