//! What went wrong on the way to the API server or there, as whoever reads it needs it. No error holds a token: of what an exec plugin
//! printed only the error stream is told, and never what kube itself shows of an answer.

use kube::client::AuthError;
use kube::core::Status;
use serde::Serialize;
use std::error::Error as StdError;
use std::fmt::{Display, Formatter};

pub type Result<T> = std::result::Result<T, Error>;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Error {
    pub cause: Cause,
    /// What happened, in a sentence or two.
    pub reason: String,
    /// What to do about it.
    pub hint: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Nobody answers, or not in time.
    Unreachable,
    /// Whoever answers is not who it should be.
    Tls,
    /// The client has no credentials.
    Credentials,
    /// 401.
    Unauthenticated,
    /// 403 of the authorizer.
    Forbidden,
    /// A webhook, a policy or a quota of the cluster refuses.
    Refused,
    /// 409: somebody else changes it at the same time.
    Conflict,
    /// 404: what it belongs to is not there.
    Missing,
    /// 422: a field cannot be as it is sent, or cannot change.
    Invalid,
    /// 429, 5xx or a webhook that does not answer.
    Busy,
    /// Anything else.
    Strange,
}

impl Cause {
    /// True if no other object would fare better.
    pub(crate) fn is_of_all(self) -> bool {
        match self {
            Cause::Unreachable | Cause::Tls | Cause::Credentials | Cause::Unauthenticated => true,
            Cause::Forbidden | Cause::Refused | Cause::Conflict | Cause::Missing | Cause::Invalid | Cause::Busy | Cause::Strange => false,
        }
    }

    fn hint(self) -> &'static str {
        match self {
            Cause::Unreachable => {
                "Try it from where the endpoint can be reached: its public ranges say who gets in, and a private one is reached from its \
                 network alone."
            }
            Cause::Tls => "Compare the certificate authority with the cluster's, and look whether a proxy opens the connection.",
            Cause::Credentials => "Sign in again as somebody whom the cluster lets in.",
            Cause::Unauthenticated => {
                "Only whoever has an access entry gets in. A new entry takes up to a minute; credentials may be over, or of another account."
            }
            Cause::Forbidden => {
                "It needs the access policy AmazonEKSClusterAdminPolicy for the whole cluster, or the group system:masters."
            }
            Cause::Refused => {
                "Let whoever looks after that rule admit objects with the label app.kubernetes.io/managed-by=groundwork, then try again."
            }
            Cause::Conflict => "Somebody else changes the same object. Try again in a moment.",
            Cause::Missing => "Something took away what it belongs to. Try again; if it stays so, look for what removes it.",
            Cause::Invalid => "This is a fault of Groundwork's, or the server's version is one that it does not know.",
            Cause::Busy => "Try again in a few minutes. If a webhook is named that does not answer, mend or remove it.",
            Cause::Strange => "Try again; if it stays so, what answers may be no API server.",
        }
    }
}

impl Error {
    pub(crate) fn new(cause: Cause, reason: impl Into<String>) -> Self {
        Self { cause, reason: reason.into(), hint: cause.hint().into() }
    }
}

impl Display for Error {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.reason)
    }
}

impl StdError for Error {}

/// Says what could not be done.
pub(crate) trait Doing<T> {
    /// The text goes on after "could not".
    fn doing(self, what: impl Display) -> Result<T>;
}

impl<T> Doing<T> for kube::Result<T> {
    fn doing(self, what: impl Display) -> Result<T> {
        self.map_err(|error| {
            let Error { cause, reason, hint } = error.into();
            Error { cause, reason: format!("Groundwork could not {what}: {reason}"), hint }
        })
    }
}

impl From<kube::Error> for Error {
    fn from(error: kube::Error) -> Self {
        match error {
            kube::Error::Api(status) => status.as_ref().into(),
            kube::Error::Auth(error) => (&error).into(),
            kube::Error::SerdeError(_) | kube::Error::FromUtf8(_) => Error::new(Cause::Strange, "The answer is none of an API server."),
            other => of_the_way(&other),
        }
    }
}

impl From<&Status> for Error {
    fn from(status: &Status) -> Self {
        let message = shortened(&status.message);
        let reason = match (status.code, message.is_empty()) {
            (401, _) => "The API server does not know who this is (401).".into(),
            (code, true) => format!("The API server answered {code}."),
            (_, false) => message.clone(),
        };
        Error::new(cause(status.code, &message), reason)
    }
}

/// The status alone does not tell a quota from a missing right, nor a webhook that refuses from one that is broken.
fn cause(code: u16, message: &str) -> Cause {
    let says = |words: &[&str]| words.iter().any(|words| message.contains(words));
    match code {
        401 => Cause::Unauthenticated,
        _ if says(&["failed calling webhook"]) => Cause::Busy,
        _ if says(&[
            "denied the request",
            "denied request",
            "violates PodSecurity",
            "exceeded quota",
            "failed quota",
            "usage per Container",
            "usage per Pod",
        ]) =>
        {
            Cause::Refused
        }
        403 => Cause::Forbidden,
        404 => Cause::Missing,
        409 => Cause::Conflict,
        422 => Cause::Invalid,
        429 | 500.. => Cause::Busy,
        _ => Cause::Strange,
    }
}

impl From<&AuthError> for Error {
    fn from(error: &AuthError) -> Self {
        let reason = match error {
            AuthError::AuthExecStart(error) => format!("The kubeconfig's command for credentials cannot be run: {error}."),
            AuthError::AuthExecRun { out, .. } => {
                format!("The kubeconfig's command for credentials failed: {}", shortened(String::from_utf8_lossy(&out.stderr).trim()))
            }
            // The rest is told without what it is about, which may be a credential.
            _ => "The kubeconfig's credentials cannot be used.".into(),
        };
        Error::new(Cause::Credentials, reason)
    }
}

/// No answer. Why is the innermost error's to say; the layers above it say which layer they are.
fn of_the_way(error: &(dyn StdError + 'static)) -> Error {
    let mut chain = vec![error];
    while let Some(inner) = chain.last().and_then(|error| within(*error)) {
        chain.push(inner);
    }
    if let Some(credentials) = chain.iter().find_map(|error| error.downcast_ref::<AuthError>()) {
        return credentials.into();
    }
    let root = chain.last().map(ToString::to_string).unwrap_or_default();
    if ["certificate", "tls", "corrupt message", "handshake"].iter().any(|word| root.to_lowercase().contains(word)) {
        return Error::new(Cause::Tls, format!("The API server is not who it should be: {root}."));
    }
    Error::new(Cause::Unreachable, format!("The API server does not answer: {root}."))
}

/// An `io::Error` hides the error that it was made of, and names that one's source as its own.
fn within<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a (dyn StdError + 'static)> {
    match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
        Some(inner) => Some(inner),
        None => error.source(),
    }
}

/// A policy may say much.
fn shortened(text: &str) -> String {
    const MOST: usize = 600;
    let kept: String = text.chars().take(MOST).collect();
    if kept.len() < text.len() { kept + "…" } else { kept }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_told_by_what_it_says_and_not_by_its_number_alone() {
        for (code, message, cause) in [
            (401, "Unauthorized", Cause::Unauthenticated),
            (403, "namespaces is forbidden: User \"x\" cannot create resource \"namespaces\" at the cluster scope", Cause::Forbidden),
            (403, "pods \"a\" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1", Cause::Refused),
            (403, "pods \"a\" is forbidden: violates PodSecurity \"baseline:latest\": privileged", Cause::Refused),
            (400, "admission webhook \"validate.example.com\" denied the request: no owner label", Cause::Refused),
            (422, "deployments \"a\" is forbidden: ValidatingAdmissionPolicy 'owners' with binding 'b' denied request: no", Cause::Refused),
            (500, "Internal error occurred: failed calling webhook \"w\": context deadline exceeded", Cause::Busy),
            (404, "namespaces \"research\" not found", Cause::Missing),
            (409, "Apply failed with 1 conflict", Cause::Conflict),
            (422, "StorageClass \"gp3\" is invalid: parameters: Forbidden: updates to parameters are forbidden.", Cause::Invalid),
            (429, "too many requests", Cause::Busy),
            (503, "", Cause::Busy),
            (302, "", Cause::Strange),
        ] {
            let told = Error::from(&Status { code, message: message.into(), ..Status::default() });
            assert_eq!(told.cause, cause, "{code} {message}");
            assert!(!told.hint.is_empty() && (code == 401 || told.reason.contains(message)), "{told:?}");
        }
    }

    #[test]
    fn a_long_message_is_cut() {
        let told = Error::from(&Status { code: 403, message: "x".repeat(5000), ..Status::default() });
        assert!(told.reason.chars().count() < 700);
    }

    #[cfg(unix)]
    #[test]
    fn what_a_plugin_printed_is_not_told() {
        use std::os::unix::process::ExitStatusExt;
        let out = std::process::Output {
            status: std::process::ExitStatus::from_raw(256),
            stdout: b"k8s-aws-v1.secret".to_vec(),
            stderr: b"the SSO session is over\n".to_vec(),
        };
        let told = Error::from(kube::Error::Auth(AuthError::AuthExecRun { cmd: "aws".into(), out: Box::new(out) }));
        assert_eq!(told.cause, Cause::Credentials);
        assert!(told.reason.ends_with("failed: the SSO session is over") && !format!("{told:?}").contains("secret"), "{told:?}");
    }
}
