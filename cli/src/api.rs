//! The service's API: each call with the user's token, tried again as long as that is harmless.

use crate::failure::{Exit, Failure, Result};
use crate::http;
use crate::login::issuer::Issuer;
use crate::login::tokens::{self, Tokens};
use jiff::{SignedDuration, Timestamp};
use rand::distr::{Alphanumeric, SampleString};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::cell::RefCell;
use std::thread::sleep;
use std::time::Duration;
use ureq::Agent;
use ureq::http::{Request, Response, StatusCode, header};
use url::Url;
use wire::event::{Listed, Page};
use wire::problem::Problem;
use wire::view::{Cluster, Clusters, Login, Onboarding, RoleCheck};

/// Before a call is tried again that did not reach the service, or found it busy.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(3)];
/// A token is renewed that long before it is over, so that it does not end on its way.
const EARLY: SignedDuration = SignedDuration::from_secs(60);

pub type Query<'a> = Vec<(&'a str, String)>;

/// Who the user is for the service.
pub enum Identity {
    /// An ID token from `GROUNDWORK_TOKEN`, which nobody here can renew.
    Given(String),
    /// A login with an operator.
    LoggedIn { operator: String, tokens: RefCell<Tokens> },
    /// Enough for what needs no token.
    Nobody,
}

pub struct Api {
    pub url: Url,
    agent: Agent,
    identity: Identity,
}

impl Api {
    /// # Errors
    /// The address is none, or would send the token in the clear.
    pub fn new(address: &str, identity: Identity) -> Result<Self> {
        Ok(Self { url: http::check_scheme(address)?, agent: http::agent(), identity })
    }

    pub fn login(&self) -> Result<Login> {
        self.call("GET", &["login"], vec![], None)
    }

    pub fn onboarding(&self) -> Result<Onboarding> {
        self.call("GET", &["onboarding"], vec![], None)
    }

    pub fn check_role(&self, role_arn: &str, region: Option<&str>) -> Result<RoleCheck> {
        let region = region.map(|region| ("region", region.to_owned()));
        let query = [("role_arn", role_arn.to_owned())].into_iter().chain(region).collect();
        self.call("GET", &["onboarding", "check"], query, None)
    }

    pub fn create(&self, spec: &Value) -> Result<Cluster> {
        self.call("POST", &["clusters"], vec![], Some(spec))
    }

    pub fn clusters(&self, query: Query) -> Result<Clusters> {
        self.call("GET", &["clusters"], query, None)
    }

    pub fn cluster(&self, name: &str) -> Result<Cluster> {
        self.call("GET", &["clusters", name], vec![], None)
    }

    pub fn retry(&self, name: &str) -> Result<Cluster> {
        self.call("POST", &["clusters", name, "retry"], vec![], None)
    }

    pub fn forget(&self, name: &str) -> Result<Cluster> {
        self.call("POST", &["clusters", name, "forget"], vec![], None)
    }

    pub fn delete(&self, name: &str, query: Query) -> Result<Cluster> {
        self.call("DELETE", &["clusters", name], query, None)
    }

    pub fn logs(&self, name: &str, query: Query) -> Result<Page> {
        self.call("GET", &["clusters", name, "logs"], query, None)
    }

    /// A log page by page, each event once. The cursor after the last one.
    pub fn read_log(&self, name: &str, query: Query, mut each: impl FnMut(Vec<Listed>)) -> Result<String> {
        let mut after = String::new();
        loop {
            let cursor = (!after.is_empty()).then(|| ("after", after.clone()));
            let Page { events, next } = self.logs(name, query.iter().cloned().chain(cursor).collect())?;
            after = next;
            if events.is_empty() {
                return Ok(after);
            }
            each(events);
        }
    }

    /// The ID token, renewed if it is over or nearly so.
    pub fn token(&self) -> Result<Option<String>> {
        match &self.identity {
            Identity::Nobody => Ok(None),
            Identity::Given(token) => Ok(Some(token.clone())),
            Identity::LoggedIn { tokens, .. } => {
                let is_over = tokens::expires_at(&tokens.borrow().id_token).is_some_and(|end| end < Timestamp::now() + EARLY);
                if is_over {
                    self.renew()?;
                }
                Ok(Some(tokens.borrow().id_token.clone()))
            }
        }
    }

    /// # Errors
    /// Only a new login helps.
    fn renew(&self) -> Result<()> {
        match &self.identity {
            Identity::LoggedIn { operator, tokens } => {
                let renewed = Issuer::refresh(&tokens.borrow())?;
                renewed.write(operator)?;
                *tokens.borrow_mut() = renewed;
                Ok(())
            }
            Identity::Given(token) => Err(not_accepted(token, Timestamp::now())),
            Identity::Nobody => Err(not_logged_in()),
        }
    }

    /// A key goes with what changes something, so that the service does it once, however often it is sent.
    fn call<T: DeserializeOwned>(&self, method: &str, path: &[&str], query: Query, body: Option<&Value>) -> Result<T> {
        let key = (method != "GET").then(|| Alphanumeric.sample_string(&mut rand::rng(), 24));
        let url = self.address(path, &query)?;
        let send = || self.send(method, &url, key.as_deref(), body);
        let mut answer = send();
        for pause in PAUSES {
            match answer {
                Err(Failure { exit: Exit::Unreachable, .. }) => sleep(pause),
                _ => break,
            }
            answer = send();
        }
        let (status, text) = match answer? {
            (StatusCode::UNAUTHORIZED, _) => {
                self.renew()?;
                send()?
            }
            other => other,
        };
        if status.is_success() { read(&text) } else { Err(refusal(&self.url, status, &text)) }
    }

    fn address(&self, path: &[&str], query: &Query) -> Result<Url> {
        let mut url = self.url.clone();
        let none = || Failure::new(Exit::Usage, format!("{} is not the address of a service.", self.url));
        url.path_segments_mut().map_err(|()| none())?.pop_if_empty().extend(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(url)
    }

    /// # Errors
    /// `Unreachable` if the service did not get the request, or cannot act on it now.
    fn send(&self, method: &str, url: &Url, key: Option<&str>, body: Option<&Value>) -> Result<(StatusCode, String)> {
        let mut request = Request::builder().method(method).uri(url.as_str());
        if let Some(token) = self.token()? {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        let request = request.header(header::CONTENT_TYPE, "application/json").body(body.map(Value::to_string).unwrap_or_default());
        let request =
            request.map_err(|error| Failure::new(Exit::Login, "The token cannot be sent.").because(error).next("groundwork login"))?;
        let mut answer: Response<ureq::Body> = self.agent.run(request).map_err(|error| http::unreachable(self.url.as_str(), &error))?;
        let text = answer.body_mut().read_to_string().map_err(|error| http::unreachable(self.url.as_str(), &error))?;
        let status = answer.status();
        let passes =
            matches!(status.as_u16(), 502..=504) || status == StatusCode::TOO_MANY_REQUESTS && answer.headers().contains_key("retry-after");
        if passes { Err(Failure { exit: Exit::Unreachable, ..refusal(&self.url, status, &text) }) } else { Ok((status, text)) }
    }
}

/// A token from the environment, which the service has refused.
fn not_accepted(token: &str, now: Timestamp) -> Failure {
    let failure = match tokens::expires_at(token) {
        Some(end) if end <= now => {
            Failure::new(Exit::Login, "The token in GROUNDWORK_TOKEN is over.").because(format!("It ended at {end}."))
        }
        _ => Failure::new(Exit::Login, "The service does not accept the token in GROUNDWORK_TOKEN.")
            .because("It is no ID token, or one of another service."),
    };
    failure.next("Put a new ID token into GROUNDWORK_TOKEN, or unset it and log in: groundwork login")
}

pub fn not_logged_in() -> Failure {
    Failure::new(Exit::Login, "You are not logged in.").next("groundwork login <the address that the operator gave you>")
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| {
        Failure::new(Exit::Failed, "The service answered what this version of groundwork does not understand.")
            .because(error)
            .next("Compare the versions with groundwork doctor, and update the older one.")
    })
}

/// The service's own words, or those of API Gateway, which answers by itself where there is no good token, no such path, or too much.
fn refusal(url: &Url, status: StatusCode, text: &str) -> Failure {
    if let Ok(problem) = serde_json::from_str::<Problem>(text) {
        return problem.into();
    }
    let said: Value = serde_json::from_str(text).unwrap_or_default();
    let word = |name: &str| said.get(name).and_then(Value::as_str).map(str::to_owned);
    let failure = match status.as_u16() {
        401 => not_logged_in(),
        404 => Failure::new(Exit::Usage, format!("There is no Groundwork at {url}."))
            .next("Compare the address with the one that the operator gave you."),
        429 => Failure::new(Exit::Unreachable, "The service is busy.").next("Run the command again in a moment."),
        500.. => {
            Failure::new(Exit::Unreachable, "The service failed.").next("Run the command again later; if it stays so, ask the operator.")
        }
        _ => Failure::new(Exit::Refused, "The service refused the request."),
    };
    let why = word("detail").or_else(|| word("message")).unwrap_or_else(|| format!("It answered {status}."));
    let failure = failure.because(why);
    word("hint").map_or_else(|| failure.clone(), |hint| failure.clone().next(hint))
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
    use serde_json::json;

    #[test]
    fn a_name_is_one_part_of_the_address() {
        let api = Api::new("http://127.0.0.1:1/_aws/execute-api/abc/", Identity::Nobody).expect("an address");
        for (name, address) in [
            ("research", "http://127.0.0.1:1/_aws/execute-api/abc/clusters/research?data=keep"),
            ("a/../b?c", "http://127.0.0.1:1/_aws/execute-api/abc/clusters/a%2F..%2Fb%3Fc?data=keep"),
        ] {
            assert_eq!(api.address(&["clusters", name], &vec![("data", "keep".into())]).expect("an address").as_str(), address);
        }
    }

    #[test]
    fn a_given_token_that_is_over_is_told_from_one_of_another_service() {
        let token = |end: i64| format!("x.{}.y", BASE64_URL_SAFE_NO_PAD.encode(json!({"exp": end}).to_string()));
        let now = Timestamp::from_second(1_700_000_000).expect("a time");
        for (token, told) in [
            (token(1_699_999_999), "The token in GROUNDWORK_TOKEN is over. It ended at 2023-11-14T22:13:19Z."),
            (
                token(1_700_000_001),
                "The service does not accept the token in GROUNDWORK_TOKEN. It is no ID token, or one of another service.",
            ),
            ("opaque".into(), "The service does not accept the token in GROUNDWORK_TOKEN. It is no ID token, or one of another service."),
        ] {
            let failure = not_accepted(&token, now);
            assert_eq!((format!("{} {}", failure.what, failure.why.join(" ")).as_str(), failure.exit), (told, Exit::Login));
        }
    }

    #[test]
    fn whoever_answers_is_understood() {
        let url = Url::parse("https://api.example").expect("an address");
        let newer = json!({"status": 409, "title": "Conflict", "code": "asleep", "detail": "It sleeps.", "hint": "Wake it."});
        for (status, text, exit, told) in [
            (409, json!(Problem::not_parked(wire::status::Status::Running)).to_string(), Exit::Refused, "nothing to retry"),
            (409, newer.to_string(), Exit::Refused, "It sleeps. Wake it."),
            (401, json!({"message": "Unauthorized"}).to_string(), Exit::Login, "not logged in"),
            (404, json!({"message": "Not Found"}).to_string(), Exit::Usage, "no Groundwork at"),
            (429, json!({"message": "Too Many Requests"}).to_string(), Exit::Unreachable, "busy"),
            (500, "<html>".into(), Exit::Unreachable, "500"),
            (302, String::new(), Exit::Refused, "302"),
        ] {
            let failure = refusal(&url, StatusCode::from_u16(status).expect("a status"), &text);
            let said = format!("{} {} {}", failure.what, failure.why.join(" "), failure.next.clone().unwrap_or_default());
            assert_eq!(failure.exit, exit, "{said}");
            assert!(said.contains(told), "{said}");
        }
    }
}
