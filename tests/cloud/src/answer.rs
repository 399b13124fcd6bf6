//! AWS's answers, in each service's protocol.

use bytes::Bytes;
use http::{Response, header::CONTENT_LENGTH};
use serde::Deserialize;
use serde_json::{Value, json};

pub type Answer = Response<Bytes>;

/// An AWS error: HTTP status, code and message.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct Refusal {
    pub status: u16,
    pub code: String,
    pub message: String,
}

impl Refusal {
    pub fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self { status, code: code.into(), message: message.into() }
    }

    pub fn answer(&self, service: &str) -> Answer {
        let Self { code, message, .. } = self;
        let (kind, body) = match service {
            "ec2" => (
                "text/xml",
                format!("<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors></Response>"),
            ),
            "s3" => ("application/xml", format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>")),
            "iam" | "sts" | "elasticloadbalancing" => (
                "text/xml",
                format!("<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"),
            ),
            _ => ("application/json", json!({"__type": code, "message": message}).to_string()),
        };
        let answer = Response::builder().status(self.status).header("content-type", kind).header("x-amzn-errortype", code);
        answer.body(Bytes::from(body)).expect("a status and headers that are valid")
    }
}

/// The body of a JSON answer, if it is one.
pub fn json_of(answer: &Answer) -> Option<Value> {
    serde_json::from_slice(answer.body()).ok()
}

pub fn replace_body(answer: &mut Answer, body: impl Into<Bytes>) {
    answer.headers_mut().remove(CONTENT_LENGTH);
    *answer.body_mut() = body.into();
}

/// A successful answer in JSON.
pub fn json_answer(body: &Value) -> Answer {
    Response::builder().header("content-type", "application/json").body(Bytes::from(body.to_string())).expect("valid headers")
}
