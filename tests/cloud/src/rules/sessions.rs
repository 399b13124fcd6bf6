//! A session that was assumed from another one lasts at most an hour.

use super::Rule;
use crate::answer::{Answer, Refusal, json_of};
use crate::authorization::ledger::Assumed;
use crate::call::Call;
use crate::world::{Session, World};
use crate::xml;
use serde_json::Value;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);

pub struct Sessions;

impl Rule for Sessions {
    fn before(&mut self, call: &Call, world: &mut World) -> Option<Answer> {
        let expired = world.sessions.get(&call.access_key).is_some_and(|session| world.now() - session.issued > HOUR);
        let refusal = if expired {
            Refusal::new(403, "ExpiredToken", "The security token included in the request is expired")
        } else if is_chained(call) && wanted(call) > HOUR {
            let message = "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.";
            Refusal::new(400, "ValidationError", message)
        } else {
            return None;
        };
        Some(refusal.answer(&call.service))
    }

    fn after(&mut self, call: &Call, answer: &mut Answer, world: &mut World) {
        let assumed = match call.action.as_str() {
            "AssumeRole" => xml::text_of(answer, "AccessKeyId").map(|key| (key.to_owned(), assumed(call))),
            "AssumeRoleForPodIdentity" => json_of(answer).and_then(|body| assumed_by_pod(&body)),
            _ => None,
        };
        if let Some((key, assumed)) = assumed {
            world.sessions.insert(key, Session { assumed, issued: world.now() });
        }
    }
}

/// <https://docs.aws.amazon.com/eks/latest/APIReference/API_auth_AssumeRoleForPodIdentity.html>
fn assumed_by_pod(body: &Value) -> Option<(String, Assumed)> {
    let key = body["credentials"]["accessKeyId"].as_str()?;
    let session = body["assumedRoleUser"]["arn"].as_str()?;
    Some((key.to_owned(), Assumed { session: session.to_owned(), policy_arns: vec![], inline_policy: None }))
}

fn assumed(call: &Call) -> Assumed {
    let arn = format!("{}/{}", call.field("RoleArn").unwrap_or_default(), call.field("RoleSessionName").unwrap_or_default());
    Assumed {
        session: arn.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/"),
        policy_arns: call.list("PolicyArns").map(str::to_owned).collect(),
        inline_policy: call.field("Policy").map(str::to_owned),
    }
}

fn is_chained(call: &Call) -> bool {
    call.action == "AssumeRole" && call.request.headers().contains_key("x-amz-security-token")
}

fn wanted(call: &Call) -> Duration {
    call.field("DurationSeconds").and_then(|text| text.parse().ok()).map_or(HOUR, Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use http::{Request, Response};

    fn signed_by(key: &str, body: &str) -> Call {
        let scope = format!("AWS4-HMAC-SHA256 Credential={key}/20260101/us-west-2/sts/aws4_request, SignedHeaders=host");
        let request = Request::post("/").header("authorization", scope).header("x-amz-security-token", "token");
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        Call::read(request.body(Bytes::from(body.to_owned())).expect("valid"))
    }

    fn refusal(answer: Option<Answer>) -> String {
        answer.map(|answer| String::from_utf8_lossy(answer.body()).into_owned()).unwrap_or_default()
    }

    #[tokio::test(start_paused = true)]
    async fn a_chained_session_lasts_at_most_an_hour() {
        let mut world = World::new(1, 1.0);
        let asked = "Action=AssumeRole&RoleArn=arn:aws:iam::1:role/a&RoleSessionName=b&PolicyArns.member.1.arn=p&DurationSeconds=";
        let answer = Sessions.before(&signed_by("function", &format!("{asked}7200")), &mut world);
        assert!(refusal(answer).contains("ValidationError"));
        let call = signed_by("function", &format!("{asked}3600"));
        assert!(Sessions.before(&call, &mut world).is_none());
        Sessions.after(&call, &mut Response::new("<AccessKeyId>customer</AccessKeyId>".into()), &mut world);
        assert_eq!(world.caller("customer"), "arn:aws:sts::1:assumed-role/a/b");
        assert_eq!(world.sessions["customer"].assumed.policy_arns, ["p"]);

        let call = signed_by("customer", "Action=GetCallerIdentity");
        tokio::time::advance(HOUR).await;
        assert!(Sessions.before(&call, &mut world).is_none());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(refusal(Sessions.before(&call, &mut world)).contains("ExpiredToken"));
    }
}
