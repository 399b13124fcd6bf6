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
use table::{INSIDE, Row, TABLE};
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
