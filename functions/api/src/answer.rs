//! Answers in API Gateway's form.

use aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use aws_lambda_events::encodings::Body;
use aws_lambda_events::http::{HeaderMap, HeaderName, HeaderValue, header};
use serde_json::{Value, json};
use wire::problem::Problem;

/// A route's answer in case of success.
pub enum Answer {
    Found(Value),
    /// The cluster that was accepted.
    Accepted(Value),
}

impl Answer {
    pub fn status(&self) -> u16 {
        match self {
            Answer::Found(_) => 200,
            Answer::Accepted(_) => 202,
        }
    }
}

pub fn response(answer: Result<Answer, Problem>) -> ApiGatewayV2httpResponse {
    let status = answer.as_ref().map_or_else(|problem| problem.status, Answer::status);
    match answer {
        Ok(Answer::Found(body)) => write(status, "application/json", &body, None),
        Ok(Answer::Accepted(body)) => {
            let location = format!("/clusters/{}", body["name"].as_str().unwrap_or_default());
            write(status, "application/json", &body, Some((header::LOCATION, location)))
        }
        Err(problem) => {
            let retry_after = problem.retry_after.map(|seconds| (header::RETRY_AFTER, seconds.to_string()));
            write(status, "application/problem+json", &json!(problem), retry_after)
        }
    }
}

fn write(status: u16, kind: &'static str, body: &Value, more: Option<(HeaderName, String)>) -> ApiGatewayV2httpResponse {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Some((name, value)) = more
        && let Ok(value) = value.parse()
    {
        headers.insert(name, value);
    }
    let mut response = ApiGatewayV2httpResponse::default();
    response.status_code = status.into();
    response.headers = headers;
    response.body = Some(Body::Text(body.to_string()));
    response
}
