//! A request as API Gateway passes it on (payload format 2.0): as much of it as the routes need, with any text that somebody may send.

use base64::prelude::{BASE64_STANDARD, Engine};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use wire::api::{MOST_LISTED, Route};
use wire::body;
use wire::problem::Problem;
use wire::spec::Fault;

/// Headers are texts here, not `http::HeaderMap`, because API Gateway lets more through than that can hold.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Http {
    pub route_key: String,
    path_parameters: Option<BTreeMap<String, String>>,
    query_string_parameters: Option<BTreeMap<String, String>>,
    /// By their names in lower case.
    headers: BTreeMap<String, String>,
    body: Option<String>,
    is_base64_encoded: bool,
    request_context: Context,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Context {
    http: Line,
    authorizer: Option<Authorizer>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Line {
    method: String,
    path: String,
    source_ip: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Authorizer {
    jwt: Jwt,
}

#[derive(Debug, Deserialize)]
struct Jwt {
    claims: BTreeMap<String, Value>,
}

impl Http {
    /// # Errors
    /// Nothing that a caller can do makes API Gateway send something else than this; the caller is told, and the log has the cause.
    pub fn read(event: &Value) -> Result<Self, Problem> {
        Self::deserialize(event).map_err(|error| {
            tracing::error!(detail = %error, "an event of API Gateway cannot be read");
            Problem::invalid(vec![Fault::new("$", "the request cannot be read")])
        })
    }

    /// The name in the path.
    pub fn name(&self) -> &str {
        self.path_parameters.as_ref().and_then(|parameters| parameters.get("name")).map_or("", String::as_str)
    }

    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query_string_parameters.as_ref()?.get(name).map(String::as_str)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    pub fn claim(&self, name: &str) -> Option<&str> {
        self.request_context.authorizer.as_ref()?.jwt.claims.get(name)?.as_str()
    }

    pub fn source(&self) -> &str {
        self.request_context.http.source_ip.as_deref().unwrap_or("unknown")
    }

    /// The method and the path.
    pub fn line(&self) -> String {
        let Line { method, path, .. } = &self.request_context.http;
        format!("{method} {path}")
    }

    /// # Errors
    /// Names each header with a control character, and each query parameter that the route does not know.
    pub fn check(&self, route: Option<Route>) -> Result<(), Problem> {
        let route = route.ok_or_else(|| Problem::no_route(&self.line()))?;
        let garbled = self.headers.iter().filter(|(_, value)| value.chars().any(|character| character.is_control() && character != '\t'));
        let garbled = garbled.map(|(name, _)| Fault::new(name, "this header has a control character"));
        let given = self.query_string_parameters.iter().flatten().map(|(name, _)| name);
        let strange = given.filter(|name| !route.query().any(|known| known == name.as_str()));
        let strange = strange.map(|name| Fault::new(format!("?{name}"), "there is no such parameter"));
        let faults: Vec<Fault> = garbled.chain(strange).collect();
        if faults.is_empty() { Ok(()) } else { Err(Problem::invalid(faults)) }
    }

    /// # Errors
    /// It is neither true nor false.
    pub fn flag(&self, name: &str) -> Result<bool, Fault> {
        match self.parameter(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(Fault::new(format!("?{name}"), "is not true or false")),
        }
    }

    /// # Errors
    /// Says from what to what it may be.
    pub fn limit(&self) -> Result<usize, Fault> {
        let most = usize::from(MOST_LISTED);
        let Some(text) = self.parameter("limit") else { return Ok(most) };
        let limit = text.parse().ok().filter(|limit| (1..=most).contains(limit));
        limit.ok_or_else(|| Fault::new("?limit", format!("is not a number from 1 to {most}")))
    }

    /// The body as JSON. API Gateway passes a body on as base64 unless its content type is textual.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn body(&self) -> Result<Value, Problem> {
        let sent = self.body.as_deref().unwrap_or_default();
        if !self.is_base64_encoded {
            return body::read(sent.as_bytes());
        }
        let bytes = BASE64_STANDARD.decode(sent).map_err(|error| Problem::invalid(vec![Fault::new("$", error.to_string())]))?;
        body::read(&bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use wire::problem::ProblemCode;

    fn event() -> Value {
        json!({
            "version": "2.0", "routeKey": "GET /clusters/{name}/logs", "rawPath": "/clusters/a/logs", "rawQueryString": "after=&limit=2",
            "headers": {"authorization": "Bearer x", "idempotency-key": "k"},
            "queryStringParameters": {"after": "", "limit": "2"},
            "requestContext": {
                "authorizer": {"jwt": {"claims": {"sub": "s", "custom:tenant": "demo"}, "scopes": null}},
                "http": {"method": "GET", "path": "/clusters/a/logs", "protocol": "HTTP/1.1", "sourceIp": "203.0.113.9"}
            },
            "pathParameters": {"name": "a"}, "isBase64Encoded": false
        })
    }

    fn read(event: &Value) -> Http {
        Http::read(event).expect("an event")
    }

    fn faults(event: &Value) -> Vec<String> {
        read(event)
            .check(Some(Route::GetClusterLogs))
            .err()
            .into_iter()
            .flat_map(|problem| problem.faults)
            .map(|fault| fault.path)
            .collect()
    }

    #[test]
    fn everything_that_routes_need_is_read() {
        let http = read(&event());
        assert_eq!((http.route_key.as_str(), http.name(), http.source()), ("GET /clusters/{name}/logs", "a", "203.0.113.9"));
        assert_eq!((http.parameter("limit"), http.header("idempotency-key")), (Some("2"), Some("k")));
        assert_eq!((http.claim("custom:tenant"), http.claim("aud")), (Some("demo"), None));
        assert_eq!(http.line(), "GET /clusters/a/logs");
    }

    #[test]
    fn what_is_left_out_or_null_is_not_there() {
        for event in [json!({}), json!({"routeKey": "$default", "pathParameters": null, "queryStringParameters": null, "body": null})] {
            let http = read(&event);
            assert_eq!((http.name(), http.parameter("limit"), http.claim("sub"), http.source()), ("", None, None, "unknown"));
            assert!(http.check(Some(Route::GetCluster)).is_ok());
        }
        assert!(Http::read(&json!({"headers": [1]})).is_err());
    }

    #[test]
    fn garbled_headers_and_unknown_parameters_are_named() {
        let mut event = event();
        assert_eq!(faults(&event), [""; 0]);
        event["headers"]["x-note"] = json!("a\u{1}b");
        event["headers"]["x-tab"] = json!("a\tb");
        event["headers"]["x-word"] = json!("é");
        event["queryStringParameters"]["status"] = json!("running");
        assert_eq!(faults(&event), ["x-note", "?status"]);
    }

    #[test]
    fn a_body_may_come_as_base64_and_may_not_be_too_long() {
        let of = |body: &str, encoded: bool| read(&json!({"body": body, "isBase64Encoded": encoded})).body();
        assert_eq!(of("{\"a\": 1}", false).expect("JSON"), json!({"a": 1}));
        assert_eq!(of(&BASE64_STANDARD.encode("{\"a\": 1}"), true).expect("JSON"), json!({"a": 1}));
        let long = format!("{{\"a\": \"{}\"}}", "x".repeat(body::MOST_BYTES));
        for (body, encoded, code) in [
            ("~", true, ProblemCode::InvalidRequest),
            ("", false, ProblemCode::InvalidRequest),
            (long.as_str(), false, ProblemCode::BodyTooLarge),
            (BASE64_STANDARD.encode(&long).as_str(), true, ProblemCode::BodyTooLarge),
        ] {
            assert_eq!(of(body, encoded).expect_err("refused").code, code);
        }
    }
}
