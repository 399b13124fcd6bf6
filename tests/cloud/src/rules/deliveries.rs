//! Flow logs come into a bucket only if its policy lets the delivery in. EC2 begins none into a bucket that keeps it out, and says of one that
//! was begun before that it fails.
//!
//! Sources: "Amazon S3 bucket permissions for flow logs" (VPC user guide); FlowLog (EC2 API reference);
//! <https://github.com/awsdocs/amazon-vpc-user-guide/pull/28>, for the words.

use super::Rule;
use crate::answer::{Answer, json_of};
use crate::call::Call;
use crate::world::World;
use crate::xml;
use serde_json::Value;
use std::collections::BTreeMap;

const SERVICE: &str = "delivery.logs.amazonaws.com";

#[derive(Default)]
pub struct Deliveries {
    /// By the bucket's name, as S3 last showed or changed them.
    policies: BTreeMap<String, Value>,
    /// Flow log → the name of its bucket.
    buckets: BTreeMap<String, String>,
}

impl Rule for Deliveries {
    fn before(&mut self, call: &Call, _: &mut World) -> Option<Answer> {
        let bucket = destination(call).filter(|bucket| self.keeps_out(bucket))?;
        let message = format!("Access Denied for LogDestination: {bucket}. Please check LogDestination permission");
        let error = format!("<error><code>400</code><message>{message}</message></error>");
        let body = format!("<CreateFlowLogsResponse><unsuccessful><item>{error}</item></unsuccessful></CreateFlowLogsResponse>");
        Some(Answer::new(body.into()))
    }

    fn after(&mut self, call: &Call, answer: &mut Answer, _: &mut World) {
        let bucket = call.path.first().cloned().unwrap_or_default();
        match call.name().as_str() {
            _ if !answer.status().is_success() => {}
            "s3:PutBucketPolicy" => drop(self.policies.insert(bucket, call.json.clone())),
            "s3:GetBucketPolicy" => drop(self.policies.insert(bucket, json_of(answer).unwrap_or_default())),
            "s3:DeleteBucketPolicy" => drop(self.policies.insert(bucket, Value::Null)),
            "ec2:CreateFlowLogs" => {
                let ids = xml::text_of(answer, "item").map(str::to_owned);
                self.buckets.extend(ids.zip(destination(call).map(str::to_owned)));
            }
            "ec2:DescribeFlowLogs" => self.show_failures(answer),
            _ => {}
        }
    }
}

/// The bucket of a flow log that is to be made.
fn destination(call: &Call) -> Option<&str> {
    call.field("LogDestination").filter(|_| call.action == "CreateFlowLogs")?.split(":::").nth(1)
}

impl Deliveries {
    /// One that nobody has asked about is open.
    fn keeps_out(&self, bucket: &str) -> bool {
        self.policies.get(bucket).is_some_and(|policy| !lets_in(policy))
    }

    fn show_failures(&self, answer: &mut Answer) {
        if !self.buckets.values().any(|bucket| self.keeps_out(bucket)) {
            return;
        }
        xml::retain_items(answer, |log| {
            let bucket = xml::child_text(log, "flowLogId").and_then(|id| self.buckets.get(&id));
            if bucket.is_some_and(|bucket| self.keeps_out(bucket)) {
                xml::set_child(log, "deliverLogsStatus", "FAILED");
                xml::set_child(log, "deliverLogsErrorMessage", "Access error");
            }
            true
        });
    }
}

/// A denial with a condition is for others.
fn lets_in(policy: &Value) -> bool {
    let statements = || policy["Statement"].as_array().into_iter().flatten().filter(|one| puts(one));
    let denies = |one: &Value| one["Effect"] == "Deny" && one["Condition"].is_null() && (one["Principal"] == "*" || names(one));
    statements().any(|one| one["Effect"] == "Allow" && names(one)) && !statements().any(denies)
}

fn puts(statement: &Value) -> bool {
    let actions = &statement["Action"];
    let is_put = |action: &Value| action == "s3:*" || action == "s3:PutObject";
    actions.as_array().map_or_else(|| is_put(actions), |actions| actions.iter().any(is_put))
}

fn names(statement: &Value) -> bool {
    statement["Principal"]["Service"] == SERVICE
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::tests::ec2 as call;
    use http::Request;
    use serde_json::json;

    fn policy(statements: &Value) -> Call {
        let scope = "AWS4-HMAC-SHA256 Credential=222222222222/20260101/us-west-2/s3/aws4_request, SignedHeaders=host";
        let request = Request::put("/logs?policy").header("authorization", scope);
        Call::read(request.body(json!({"Statement": statements}).to_string().into()).expect("valid"))
    }

    fn shown(rule: &mut Deliveries, world: &mut World) -> bool {
        let log = "<r><flowLogSet><item><flowLogId>fl-1</flowLogId><deliverLogsStatus>SUCCESS</deliverLogsStatus></item></flowLogSet></r>";
        let mut answer = Answer::new(log.into());
        rule.after(&call("Action=DescribeFlowLogs"), &mut answer, world);
        String::from_utf8_lossy(answer.body()).contains("FAILED")
    }

    #[tokio::test]
    async fn only_where_the_policy_lets_the_delivery_in_a_flow_log_is_made_and_delivered() {
        let (mut rule, mut world) = (Deliveries::default(), World::new(1, 1.0));
        let create = call("Action=CreateFlowLogs&LogDestination=arn:aws:s3:::logs");
        assert!(rule.before(&create, &mut world).is_none(), "nobody knows the policy");
        rule.after(&create, &mut Answer::new("<r><flowLogIdSet><item>fl-1</item></flowLogIdSet></r>".into()), &mut world);
        let allow = json!({"Effect": "Allow", "Principal": {"Service": SERVICE}, "Action": "s3:PutObject"});
        let deny = |more: Value| json!({"Effect": "Deny", "Principal": "*", "Action": ["s3:*"], "Condition": more});
        for (statements, is_kept_out, reason) in [
            (json!([allow]), false, "it is let in"),
            (json!([allow, deny(json!({"Bool": {"aws:SecureTransport": "false"}}))]), false, "what is denied is plain HTTP"),
            (json!([allow, deny(Value::Null)]), true, "everything is denied"),
            (json!([deny(json!({"Bool": {}}))]), true, "nobody is let in"),
        ] {
            rule.after(&policy(&statements), &mut Answer::default(), &mut world);
            assert_eq!(rule.before(&create, &mut world).is_some(), is_kept_out, "{reason}");
            assert_eq!(shown(&mut rule, &mut world), is_kept_out, "{reason}");
        }
    }
}
