//! What went wrong: an error with its class, whose name Step Functions matches, and what to tell about it.
//!
//! `table` is the only place that knows what an AWS error means. Text for users (`reason`, `hint`) and for operators (`detail`)
//! are kept apart. "Row N" is a row of docs/failures.md, AWS's known failures.

pub mod table;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::display::DisplayErrorContext;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use std::fmt;
use table::{DENIALS, INSIDE, Row, TABLE};
use wire::error::{Class, Code, Meaning, ORGANIZATION};
use wire::spec::Tags;

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
    /// Class and hint are the code's, so that they are what docs/errors.md says.
    pub fn of(code: Code, reason: impl Into<String>) -> Self {
        let (Meaning { class, hint }, reason) = (code.means(), reason.into());
        Self { class, code, detail: reason.clone(), reason, hint: hint.into(), refused: true }
    }

    /// With a cause in the words of a library, which only the operator reads.
    pub fn caused(code: Code, cause: &dyn fmt::Display) -> Self {
        let detail = format!("{} {cause}", code.what());
        Self { detail, ..Self::of(code.clone(), code.what()) }
    }

    /// With a hint that says more than the code's.
    #[must_use]
    pub fn with_hint(self, hint: impl Into<String>) -> Self {
        Self { hint: hint.into(), ..self }
    }

    /// IAM denied the call.
    pub fn is_denial(&self) -> bool {
        self.code.is_denial()
    }

    /// A policy of the organization denied the call, as far as AWS says so.
    pub fn is_denied_by_organization(&self) -> bool {
        self.is_denial() && self.hint.ends_with(ORGANIZATION)
    }

    /// A create that an organization's policy denied. AWS does not say which of a policy's conditions did it; many demand a tag
    /// (`aws:RequestTag`), and the tenant can give that.
    #[must_use]
    pub fn about_tags(self, tags: &Tags) -> Self {
        if !self.is_denied_by_organization() && self.code != Code::OrganizationForbids {
            return self;
        }
        let given: Vec<&str> = tags.0.keys().map(String::as_str).collect();
        let what = if given.is_empty() {
            "a tag, delete the cluster and create it with that in its tags".to_owned()
        } else {
            format!("another tag than {}, or another value, delete the cluster and create it with that in its tags", given.join(", "))
        };
        let hint = format!("If your organization demands {what}. Otherwise: {}", self.hint);
        self.with_hint(hint)
    }

    /// IAM's answer about a role may be out of date for a while after the role or its policies were made or changed (row 7).
    pub fn may_be_stale(&self) -> bool {
        self.code.may_be_stale()
    }

    pub fn superseded() -> Self {
        Self::of(Code::Superseded, "A newer request is working on this cluster.")
    }
}

fn first(table: &'static [Row], code: &Code, message: &str) -> Option<&'static Row> {
    table.iter().find(|row| {
        let code_matches = match (row.code.strip_suffix('*'), row.code.strip_prefix('*')) {
            (Some(prefix), _) => code.as_str().starts_with(prefix),
            (None, Some(suffix)) => code.as_str().ends_with(suffix),
            (None, None) => row.code.is_empty() || code.as_str() == row.code,
        };
        code_matches && message.contains(row.says)
    })
}

/// What AWS says about a denial, without the name of our session and what only AWS can read. None if it says no more than that.
fn denied(action: &str, message: &str) -> Option<String> {
    let message = message.split(ENCODED).next().unwrap_or_default().lines().next().unwrap_or_default().trim().trim_end_matches('.');
    let told = match message.split_once("not authorized to perform: ") {
        Some((_, named)) => named.strip_prefix(action)?.to_owned(),
        None if GENERAL.contains(&message) => return None,
        None => format!(": {message}"),
    };
    (!told.is_empty() && !told.contains(":sts:")).then_some(told)
}

/// EC2 adds details that need sts:DecodeAuthorizationMessage, on the same line or the next.
const ENCODED: &str = "Encoded authorization failure message:";
/// What AWS says if it gives no cause.
const GENERAL: [&str; 4] = ["Access Denied", "AccessDenied", "You are not authorized to perform this operation", "no message"];

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
        let (code, reason, refused) = match error {
            SdkError::ConstructionFailure(_) => (Code::IncompleteRequest, format!("The request for {action} lacks something."), true),
            _ => (Code::NoAnswer, format!("AWS did not answer {action}."), false),
        };
        return Error { detail: format!("{action}: {}", DisplayErrorContext(&error)), refused, ..Error::of(code, reason) };
    };
    from_answer(action, status, service.code().map_or(Code::Unknown, Code::from), service.message().unwrap_or("no message"))
}

/// Classifies AWS's answer: an HTTP status, an error code and a message.
pub fn from_answer(action: &str, status: Option<u16>, code: Code, message: &str) -> Error {
    let known = if code.is_denial() { first(DENIALS, &code, message) } else { None }.or_else(|| first(TABLE, &code, message));
    // One call can need several permissions (PassRole, CreateTags): AWS's message names the missing one.
    let action = missing_action(message).unwrap_or(action);
    let failed_inside = status.is_some_and(|status| status >= 500);
    let (class, hint) = match known {
        Some(row) => (row.class, row.hint.to_owned()),
        None if code.is_denial() => {
            (code.means().class, format!("Add {action} to the role (and to its boundary and the organization's policies), then retry."))
        }
        None if failed_inside => (Class::Transient, INSIDE.to_owned()),
        None => (code.means().class, code.means().hint.to_owned()),
    };
    let reason = match code.is_denial() {
        true => {
            format!("AWS refused {action}{} ({code}).", denied(action, message).unwrap_or_else(|| ": the role does not allow it".into()))
        }
        false => format!("AWS refused {action}: {code}: {message}"),
    };
    // S3 and EC2 throttle with a 503, but then nothing was done.
    let refused = !failed_inside || class == Class::Throttled;
    let detail = format!("{action}: {code}: {message}");
    Error { class, code, reason, hint, detail, refused }
}

/// An answer of AWS: a code, alone or with a piece of the message.
pub trait Answer {
    fn is(&self, error: &Error) -> bool;
}

impl Answer for &str {
    fn is(&self, error: &Error) -> bool {
        error.code.as_str() == *self
    }
}

impl Answer for (&str, &str) {
    fn is(&self, error: &Error) -> bool {
        self.0.is(error) && error.detail.contains(self.1)
    }
}

/// Turns the answers that mean "already so" into `None`.
pub trait Unless<T>: Sized {
    fn unless(self, answers: &[impl Answer]) -> Result<Option<T>>;

    /// For verbs, which only say that it is done or already so.
    fn done_if(self, answers: &[impl Answer]) -> Result<()> {
        self.unless(answers).map(drop)
    }
}

impl<T> Unless<T> for Result<T> {
    fn unless(self, answers: &[impl Answer]) -> Result<Option<T>> {
        match self {
            Ok(value) => Ok(Some(value)),
            Err(error) if answers.iter().any(|answer| answer.is(&error)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_words_for_what_is_there_count_as_done() {
        for (message, done, why) in [
            ("NodeGroup already exists with name a and cluster name b", true, "it is there"),
            ("The specified access entry resource is already in use on this cluster.", true, "it is there"),
            ("Cluster has an update in progress", false, "the cluster is busy, and nothing was made"),
        ] {
            let error = from_answer("eks:CreateNodegroup", Some(409), "ResourceInUseException".into(), message);
            assert_eq!(Err::<(), _>(error).done_if(table::THERE_IN_EKS).is_ok(), done, "{why}");
        }
    }

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
            ("RouteTableLimitExceeded", "The maximum number of route tables has been reached.", Class::Customer, "matched by its suffix"),
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
    fn each_shape_that_aws_was_seen_to_answer_has_a_class() {
        for (code, message, class) in [
            ("InvalidElasticIpID.NotFound", "The elasticIp ID 'eipalloc-1' does not exist", Class::Transient),
            ("InvalidNetworkInterfaceID.NotFound", "The networkInterface ID 'eni-1' does not exist", Class::Transient),
            ("IncorrectState", "vpce-1 is being deleted", Class::Transient),
            ("RequestTimeout", "Your socket connection to the server was not read from or written to", Class::Transient),
            ("RequestThrottledException", "Rate exceeded", Class::Throttled),
            ("IdempotentParameterMismatch", "Arguments on this idempotent request are inconsistent", Class::Later),
            ("PendingVerification", "Your account is currently being verified.", Class::Later),
            ("InvalidParameterException", "The following supplied instance types do not exist: [m4.large]", Class::Customer),
            ("InvalidParameterException", "The following CIDRs are invalid in publicAccessCidrs: [10.0.0.0/8]", Class::Customer),
            ("InvalidParameterException", "The addon is in CREATE_FAILED", Class::Transient),
            ("InvalidParameterException", "The specified principalArn is invalid: invalid principal", Class::Customer),
            ("InvalidParameterException", "The service principal of something else is wrong", Class::Permanent),
            ("OptInRequired", "You are not subscribed to this service.", Class::Customer),
            ("UnrecognizedClientException", "The security token included in the request is invalid", Class::Customer),
            ("Blocked", "This account is currently blocked", Class::Customer),
            ("NotSignedUp", "Your account is not signed up for the Amazon S3 service", Class::Customer),
            ("AllAccessDisabled", "All access to this object has been disabled", Class::Customer),
            ("BucketHasAccessPointsAttached", "The bucket you tried to delete has access points attached", Class::Customer),
            (
                "TagPolicyViolation",
                "The tag policy does not allow the specified value for the following tag key: 'Project'.",
                Class::Customer,
            ),
            ("ResourceInUse", "cannot be deleted because it is currently associated with another service", Class::Customer),
            ("InvalidAddress.Locked", "The address is locked", Class::Customer),
            ("ClientException", "anything else than that a cluster is not found", Class::Permanent),
        ] {
            assert_eq!(from_answer("ec2:X", Some(400), code.into(), message).class, class, "{code}: {message}");
        }
        let principals = "Following required service principals [ec2.amazonaws.com] were not found in the trust relationships of nodeRole";
        let error = from_answer("eks:CreateNodegroup", Some(400), "InvalidParameterException".into(), principals);
        assert!(error.hint.contains("node role"), "not the administrator's: {}", error.hint);
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
    fn a_create_that_the_organization_denied_says_what_tags_can_do_about_it() {
        let denied = |why: &str| {
            let message = format!("You are not authorized to perform: ec2:CreateVpc on resource: arn:x with an explicit deny in {why}");
            from_answer("ec2:CreateVpc", Some(403), Code::UnauthorizedOperation, &message)
        };
        for (given, why, expected, reason) in [
            (&[][..], "a service control policy", "If your organization demands a tag, delete", "it has none"),
            (&["CostCenter"], "a service control policy", "demands another tag than CostCenter, or another value, delete", "it has one"),
            (&[], "an identity-based policy", "A policy of the role itself", "no tag mends that"),
        ] {
            let tags = Tags(given.iter().map(|key| ((*key).to_owned(), "4711".to_owned())).collect());
            let hint = denied(why).about_tags(&tags).hint;
            assert!(hint.contains(expected), "{reason}: {hint}");
            assert_eq!(hint.ends_with(ORGANIZATION), why.contains("control"), "{reason}: who else can lift it");
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
    fn the_text_for_users_says_why_it_is_denied_and_does_not_show_the_session() {
        const USER: &str = "User: arn:aws:sts::2:assumed-role/r/s is not authorized";
        let scp = "with an explicit deny in a service control policy";
        let cause = "because no session policy allows the eks:CreateCluster action";
        for (message, expected) in [
            (USER.to_owned(), "AWS refused eks:CreateCluster: the role does not allow it (AccessDenied)."),
            (format!("{USER} to perform: eks:CreateCluster"), "AWS refused eks:CreateCluster: the role does not allow it (AccessDenied)."),
            (
                format!("{USER} to perform: eks:CreateCluster on resource: arn:x {cause}"),
                "AWS refused eks:CreateCluster on resource: arn:x because no session policy allows the eks:CreateCluster action (AccessDenied).",
            ),
            (
                format!("{USER} to perform: sts:TagSession on resource: arn:aws:sts::2:assumed-role/r/s"),
                "AWS refused sts:TagSession: the role does not allow it (AccessDenied).",
            ),
            (
                format!("{USER} to perform: ec2:CreateVpc on resource: arn:y.\nEncoded authorization failure message: abc"),
                "AWS refused ec2:CreateVpc on resource: arn:y (AccessDenied).",
            ),
            (
                format!("{USER} to perform: ec2:CreateVpc on resource: arn:y {scp}. Encoded authorization failure message: abc"),
                "AWS refused ec2:CreateVpc on resource: arn:y with an explicit deny in a service control policy (AccessDenied).",
            ),
            (
                "You are not authorized to perform this operation. Encoded authorization failure message: abc".into(),
                "AWS refused eks:CreateCluster: the role does not allow it (AccessDenied).",
            ),
            ("Access Denied".into(), "AWS refused eks:CreateCluster: the role does not allow it (AccessDenied)."),
        ] {
            let error = from_answer("eks:CreateCluster", Some(403), Code::AccessDenied, &message);
            assert_eq!(error.reason, expected);
        }
    }

    #[test]
    fn a_denial_that_is_not_the_roles_says_who_can_lift_it() {
        for (why, hint) in [
            ("with an explicit deny in a service control policy", ORGANIZATION),
            ("because no service control policy allows the ec2:CreateVpc action", ORGANIZATION),
            ("with an explicit deny in a resource control policy", ORGANIZATION),
            ("because no session policy allows the ec2:CreateVpc action", table::SESSION),
            ("because no permissions boundary allows the ec2:CreateVpc action", table::BOUNDARY),
            ("with an explicit deny in a resource-based policy", table::ON_RESOURCE),
            ("with an explicit deny in an identity-based policy", table::OF_ROLE),
            ("because no identity-based policy allows the ec2:CreateVpc action", table::NOT_GRANTED),
        ] {
            let message = format!("You are not authorized to perform: ec2:CreateVpc on resource: arn:x {why}");
            let error = from_answer("ec2:CreateVpc", Some(403), Code::UnauthorizedOperation, &message);
            assert_eq!((error.class, error.hint.as_str()), (Class::Customer, hint), "{why}");
            assert!(error.reason.contains(why), "{}", error.reason);
        }
        for message in ["denied by a VPC endpoint policy", "Unable to determine service/operation name to be authorized"] {
            assert_eq!(from_answer("eks:X", Some(403), Code::AccessDenied, message).class, Class::Permanent);
        }
    }
}
