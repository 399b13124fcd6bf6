//! What went wrong: an error with its class, whose name Step Functions matches, and what to tell about it.
//!
//! `TABLE` is the only place that knows what an AWS error means. Text for users (`reason`, `hint`) and for operators (`detail`)
//! are kept apart. "Row N" is a row of docs/failures.md, AWS's known failures.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::display::DisplayErrorContext;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use std::fmt;
use wire::error::{Class, Code};

pub type Result<T, E = Error> = std::result::Result<T, E>;

#[derive(Clone, Debug, PartialEq)]
pub struct Error {
    pub class: Class,
    pub code: Code,
    /// What went wrong, for the tenant.
    pub reason: String,
    /// What the tenant can do about it.
    pub hint: String,
    /// Everything known, for the operator's log only.
    pub detail: String,
    /// AWS refused the call, so it had no effect. False for timeouts, resets and 5xx: the effect may be there.
    pub refused: bool,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Error {}

impl Error {
    pub fn customer(code: Code, reason: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(Class::Customer, code, reason, hint)
    }

    pub fn permanent(code: Code, reason: impl Into<String>) -> Self {
        Self::new(Class::Permanent, code, reason, "The operator has been alerted; retry once they have answered.")
    }

    pub fn later(code: Code, reason: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(Class::Later, code, reason, hint)
    }

    pub fn transient(code: Code, reason: impl Into<String>) -> Self {
        Self::new(Class::Transient, code, reason, "This usually passes; Groundwork tries again by itself.")
    }

    /// IAM denied the call.
    pub fn is_denial(&self) -> bool {
        self.code.is_denial()
    }

    /// IAM's answer about a role may be out of date for a while after the role or its policies were made or changed (row 7).
    pub fn may_be_stale(&self) -> bool {
        self.code.may_be_stale()
    }

    pub fn superseded() -> Self {
        Self::new(Class::Superseded, Code::Superseded, "A newer request is working on this cluster.", "Nothing to do.")
    }

    fn new(class: Class, code: Code, reason: impl Into<String>, hint: impl Into<String>) -> Self {
        let reason = reason.into();
        Self { class, code, detail: reason.clone(), reason, hint: hint.into(), refused: true }
    }
}

struct Row {
    code: &'static str,
    /// A piece of the message; empty matches all.
    says: &'static str,
    class: Class,
    hint: &'static str,
}

const fn row(code: &'static str, says: &'static str, class: Class, hint: &'static str) -> Row {
    Row { code, says, class, hint }
}

const SOON: &str = "AWS cannot see what was just created yet, which passes within minutes; Groundwork tries again by itself.";
const SLOW: &str = "AWS is throttling calls; Groundwork tries again by itself, more and more slowly.";
const INSIDE: &str = "Something failed inside AWS; Groundwork tries again by itself.";
const WAIT: &str = "Something in the account still depends on it or is changing it; Groundwork tries again by itself.";
pub const SUBNETS: &str = "The cluster's subnets have no free addresses; release some, then retry.";
pub const OFFERING: &str =
    "The cluster's zones do not offer this instance type; delete the cluster and create it with another type, or in another region.";

/// Code and message to class; the first match wins, and a code that is not here is Permanent. Codes ending in `*` match as a prefix.
/// Sources: failures collected from eksctl, CAPA, the Terraform provider and others.
const TABLE: &[Row] = &[
    // Throttling (row 58).
    row("Throttling*", "", Class::Throttled, SLOW),
    row("ThrottledException", "", Class::Throttled, SLOW),
    row("TooManyRequestsException", "", Class::Throttled, SLOW),
    row("RequestLimitExceeded", "", Class::Throttled, SLOW),
    row("ProvisionedThroughputExceededException", "", Class::Throttled, SLOW),
    row("SlowDown", "", Class::Throttled, SLOW),
    // A role that EKS cannot see yet (rows 1, 3, 28). The same codes are permanent with any other message.
    row("InvalidParameterException", "could not be assumed", Class::Transient, SOON),
    row("InvalidParameterException", "does not exist", Class::Transient, SOON),
    row("InvalidParameterException", "Error in role params", Class::Transient, SOON),
    row("InvalidParameterException", "EKS Managed Policies", Class::Transient, SOON),
    row("InvalidParameterException", "policy must include", Class::Transient, SOON),
    row("InvalidRequestException", "could not be assumed", Class::Transient, SOON),
    row("InvalidRequestException", "unable to assume the service-linked role", Class::Transient, SOON),
    row("NoSuchEntity", "role with name", Class::Transient, SOON),
    row("NoSuchEntity", "Scope ARN", Class::Customer, "The permissions boundary is missing: deploy the quick-start again, then retry."),
    row(
        "InvalidRequestException",
        "not authorized to launch instances",
        Class::Customer,
        "The role needs ec2:RunInstances and ec2:CreateTags for the nodes: deploy the quick-start again, then retry.",
    ),
    row(
        "InvalidParameterException",
        "principal",
        Class::Customer,
        "The administrator's role or user does not exist; delete the cluster and create it with one that does.",
    ),
    // Service-linked roles (row 4).
    row(
        "InvalidRequestException",
        "iam:CreateServiceLinkedRole",
        Class::Customer,
        "Add iam:CreateServiceLinkedRole to the role, then retry.",
    ),
    row("InvalidRequestException", "iam:GetRole", Class::Customer, "Add iam:GetRole to the role, then retry."),
    // Just-created ids that EC2 does not know everywhere yet (row 51).
    row("InvalidVpcID.NotFound", "", Class::Transient, SOON),
    row("InvalidSubnetID.NotFound", "", Class::Transient, SOON),
    row("InvalidRouteTableID.NotFound", "", Class::Transient, SOON),
    row("InvalidGroup.NotFound", "", Class::Transient, SOON),
    row("InvalidInternetGatewayID.NotFound", "", Class::Transient, SOON),
    row("InvalidGatewayID.NotFound", "", Class::Transient, SOON),
    row("InvalidAllocationID.NotFound", "", Class::Transient, SOON),
    row("InvalidNatGatewayID.NotFound", "", Class::Transient, SOON),
    row("NatGatewayNotFound", "", Class::Transient, SOON),
    row("InvalidLaunchTemplateId.NotFound", "", Class::Transient, SOON),
    // Listed, but gone before they were looked at.
    row("LoadBalancerNotFound", "", Class::Transient, SOON),
    row("TargetGroupNotFound", "", Class::Transient, SOON),
    // Work in progress on the same thing (rows 30, 31, 41, 53).
    row("ResourceInUseException", "", Class::Transient, WAIT),
    row("OperationAborted*", "", Class::Transient, WAIT),
    row("ConcurrentModification", "", Class::Transient, WAIT),
    row("DeleteConflict", "", Class::Transient, WAIT),
    row("DependencyViolation", "", Class::Transient, WAIT),
    row("InvalidIPAddress.InUse", "", Class::Transient, WAIT),
    row("AuthFailure", "You do not have permission to access the specified resource", Class::Transient, WAIT),
    row("NoSuchBucket", "", Class::Transient, SOON),
    row("BucketNotEmpty", "", Class::Transient, WAIT),
    row("Gateway.NotAttached", "", Class::Transient, WAIT),
    row("OperationNotPermitted", "deletion protection", Class::Customer, "Turn off the load balancer's deletion protection, then retry."),
    row("ServerException", "", Class::Transient, INSIDE),
    row("InternalError", "", Class::Transient, INSIDE),
    row("ServiceUnavailable*", "", Class::Transient, INSIDE),
    // Sessions and regions (rows 8, 9).
    row("ExpiredToken*", "", Class::Transient, SOON),
    row("RequestExpired", "", Class::Transient, SOON),
    row("InvalidClientTokenId", "", Class::Customer, REGION),
    row("AuthFailure", "", Class::Customer, REGION),
    row("RegionDisabledException", "", Class::Customer, REGION),
    row("OptInRequired", "", Class::Customer, REGION),
    // Quotas and capacity (rows 16, 18, 35, 38, 50).
    row("VpcLimitExceeded", "", Class::Customer, "Raise the quota L-F678F1CE (VPCs per Region) or delete a VPC, then retry."),
    row("AddressLimitExceeded", "", Class::Customer, "Raise the quota L-0263D0A3 (EC2-VPC Elastic IPs) or release an address, then retry."),
    row("NatGatewayLimitExceeded", "", Class::Customer, "Raise the quota L-FE5A380F (NAT gateways per Availability Zone), then retry."),
    row("InternetGatewayLimitExceeded", "", Class::Customer, "Raise the quota L-A4707A72 (Internet gateways per Region), then retry."),
    row("TooManyBuckets", "", Class::Customer, "Raise the quota L-DC2B2D3D (S3 buckets), then retry."),
    row("ResourceLimitExceeded*", "", Class::Customer, "Raise the EKS quota that the reason names, then retry."),
    row("LimitExceeded*", "", Class::Customer, "Raise the quota that the reason names, then retry."),
    row(
        "UnsupportedAvailabilityZoneException",
        "",
        Class::Customer,
        "EKS cannot create a control plane in one of the cluster's zones; the reason names the zones it can use. Delete the cluster and create it in another region, or ask the operator to exclude the zone.",
    ),
    row("InsufficientFreeAddresses*", "", Class::Customer, SUBNETS),
    row("InvalidRequestException", "IPs in each subnet to be free", Class::Customer, SUBNETS),
    row("InvalidRequestException", "is not supported in your requested Availability Zone", Class::Customer, OFFERING),
    // Names (row 17).
    row(
        "BucketAlreadyExists",
        "",
        Class::Customer,
        "Another account owns a bucket of this name; delete the cluster and create it again to get new names.",
    ),
];

const REGION: &str = "Enable the region in the account (and its regional STS endpoint), then retry.";

fn classify(code: &str, message: &str) -> Option<&'static Row> {
    TABLE.iter().find(|row| {
        let code_matches = match row.code.strip_suffix('*') {
            Some(prefix) => code.starts_with(prefix),
            None => code == row.code,
        };
        code_matches && message.contains(row.says)
    })
}

fn missing_action(message: &str) -> Option<&str> {
    let named = message.split("not authorized to perform: ").nth(1)?.split_whitespace().next()?;
    named.contains(':').then_some(named.trim_end_matches(['.', ',']))
}

/// Names the IAM action of a call, so that a refusal can say which permission is missing.
pub trait Called<T> {
    fn called(self, action: &'static str) -> Result<T>;
}

impl<T, E> Called<T> for std::result::Result<T, SdkError<E, HttpResponse>>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    fn called(self, action: &'static str) -> Result<T> {
        self.map_err(|error| from_sdk(action, error))
    }
}

fn from_sdk<E>(action: &'static str, error: SdkError<E, HttpResponse>) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let status = error.raw_response().map(|response| response.status().as_u16());
    let Some(service) = error.as_service_error() else {
        let unbuilt = matches!(error, SdkError::ConstructionFailure(_));
        return Error {
            class: if unbuilt { Class::Permanent } else { Class::Transient },
            code: Code::NoAnswer,
            reason: format!("AWS did not answer {action}."),
            hint: "The network between Groundwork and AWS failed; Groundwork tries again by itself.".into(),
            detail: format!("{action}: {}", DisplayErrorContext(&error)),
            refused: unbuilt,
        };
    };
    from_answer(action, status, service.code().map_or(Code::Unknown, Code::from), service.message().unwrap_or("no message"))
}

/// Classifies AWS's answer: an HTTP status, an error code and a message.
pub fn from_answer(action: &str, status: Option<u16>, code: Code, message: &str) -> Error {
    let known = classify(code.as_str(), message);
    // One call can need several permissions (PassRole, CreateTags): AWS's message names the missing one.
    let action = missing_action(message).unwrap_or(action);
    let failed_inside = status.is_some_and(|status| status >= 500);
    let (class, hint) = match known {
        Some(row) => (row.class, row.hint.to_owned()),
        None if code.is_denial() => {
            (Class::Customer, format!("Add {action} to the role (and to its boundary and the organization's policies), then retry."))
        }
        None if failed_inside => (Class::Transient, INSIDE.to_owned()),
        None => (Class::Permanent, "The operator has been alerted; retry once they have answered.".to_owned()),
    };
    let reason = if code.is_denial() {
        format!("AWS refused {action}: the role does not allow it ({code}).")
    } else {
        format!("AWS refused {action}: {code}: {message}")
    };
    // S3 and EC2 throttle with a 503, but then nothing was done.
    let refused = !failed_inside || class == Class::Throttled;
    let detail = format!("{action}: {code}: {message}");
    Error { class, code, reason, hint, detail, refused }
}

/// Turns the codes that mean "already so" into `None`.
pub trait Unless<T>: Sized {
    fn unless(self, codes: &[&str]) -> Result<Option<T>>;

    /// For verbs, which only say that it is done or already so.
    fn done_if(self, codes: &[&str]) -> Result<()> {
        self.unless(codes).map(drop)
    }
}

impl<T> Unless<T> for Result<T> {
    fn unless(self, codes: &[&str]) -> Result<Option<T>> {
        match self {
            Ok(value) => Ok(Some(value)),
            Err(error) if codes.contains(&error.code.as_str()) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_code_is_classed_by_its_message() {
        for (code, message, class, why) in [
            (
                "InvalidParameterException",
                "Role with arn: x, could not be assumed because it does not exist",
                Class::Transient,
                "row 1: the role is not visible yet",
            ),
            ("InvalidParameterException", "The subnets are not in one VPC", Class::Permanent, "the same code with any other message"),
            ("RequestLimitExceeded", "Request limit exceeded.", Class::Throttled, "row 58"),
            ("ThrottlingException", "Rate exceeded", Class::Throttled, "row 58, matched by its prefix"),
            ("VpcLimitExceeded", "The maximum number of VPCs has been reached.", Class::Customer, "row 50"),
            ("DependencyViolation", "The vpc has dependencies and cannot be deleted.", Class::Transient, "row 43"),
            (
                "AuthFailure",
                "AWS was not able to validate the provided access credentials",
                Class::Customer,
                "row 9: the region is not enabled",
            ),
            ("SomethingNew", "never seen", Class::Permanent, "unknown is permanent"),
        ] {
            assert_eq!(from_answer("ec2:CreateVpc", Some(400), code.into(), message).class, class, "{why}");
        }
    }

    #[test]
    fn a_refusal_names_the_permission_in_awss_message_or_else_the_calls() {
        let passed = "User: arn:aws:sts::2:assumed-role/r/s is not authorized to perform: iam:PassRole on resource: arn:x because no";
        for (message, action) in [(passed, "iam:PassRole"), ("You are not authorized to perform this operation.", "eks:CreateCluster")] {
            let error = from_answer("eks:CreateCluster", Some(403), Code::AccessDeniedException, message);
            assert_eq!(error.class, Class::Customer);
            assert!(error.is_denial() && error.hint.starts_with(&format!("Add {action} ")), "{}", error.hint);
        }
    }

    #[test]
    fn a_failure_inside_aws_is_retried_and_may_have_had_an_effect() {
        let error = from_answer("ec2:CreateVpc", Some(500), "Whatever".into(), "internal failure");
        assert_eq!((error.class, error.refused), (Class::Transient, false));
        assert!(from_answer("ec2:CreateVpc", Some(400), "VpcLimitExceeded".into(), "").refused);
        assert!(from_answer("s3:CreateBucket", Some(503), "SlowDown".into(), "Please reduce your request rate.").refused, "row 58");
    }

    #[test]
    fn the_text_for_users_does_not_show_the_denied_session() {
        let error =
            from_answer("eks:CreateCluster", Some(403), Code::AccessDenied, "User: arn:aws:sts::2:assumed-role/r/s is not authorized");
        assert!(!error.reason.contains("arn:aws:sts"), "{}", error.reason);
    }
}
