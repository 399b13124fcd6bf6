//! KMS: the account's keys, as far as the product and the tests ask about them. It encrypts nothing.

use crate::aws::ACCOUNT;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use winterbaume_core::{MockRequest, MockResponse};

/// A key that every account has, and that a cluster may be encrypted with.
pub const KEY: &str = "arn:aws:kms:us-west-2:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";

/// By their ARNs.
#[derive(Clone, Serialize, Deserialize)]
pub struct Keys {
    keys: BTreeMap<String, Key>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Key {
    state: String,
    policy: String,
    tags: BTreeMap<String, String>,
}

impl Default for Keys {
    fn default() -> Self {
        let tags = BTreeMap::from([("groundwork:encryption".to_owned(), "allowed".to_owned())]);
        let key = Key { state: "Enabled".into(), policy: policy(true).to_string(), tags };
        Self { keys: BTreeMap::from([(KEY.to_owned(), key)]) }
    }
}

/// What KMS gives a key, with or without the statements for Auto Scaling and for the delivery of flow logs that AWS's user guides ask for.
pub fn policy(lets_others_in: bool) -> Value {
    let scaling = format!("arn:aws:iam::{ACCOUNT}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling");
    let allow =
        |principal: &str, actions: Value| json!({"Effect": "Allow", "Principal": {"AWS": principal}, "Action": actions, "Resource": "*"});
    let mut statements = vec![allow(&format!("arn:aws:iam::{ACCOUNT}:root"), json!("kms:*"))];
    if lets_others_in {
        let mut grant = allow(&scaling, json!("kms:CreateGrant"));
        grant["Condition"] = json!({"Bool": {"kms:GrantIsForAWSResource": "true"}});
        let uses = json!(["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]);
        let mut delivery = allow("", uses.clone());
        delivery["Principal"] = json!({"Service": "delivery.logs.amazonaws.com"});
        statements.extend([allow(&scaling, uses), grant, delivery]);
    }
    json!({"Version": "2012-10-17", "Statement": statements})
}

impl Keys {
    pub fn call(&mut self, request: &MockRequest) -> MockResponse {
        let target = request.headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let arn = body["KeyId"].as_str().unwrap_or_default();
        let Some(key) = self.keys.get_mut(arn) else {
            return answer(400, json!({"__type": "NotFoundException", "message": format!("Key '{arn}' does not exist")}));
        };
        match key.asked(arn, target.rsplit('.').next().unwrap_or_default(), &body) {
            Some(told) => answer(200, told),
            None => MockResponse::error(501, "NotImplemented", target),
        }
    }
}

impl Key {
    fn asked(&mut self, arn: &str, action: &str, body: &Value) -> Option<Value> {
        Some(match action {
            "DescribeKey" => self.metadata(arn),
            "GetKeyPolicy" => json!({"Policy": self.policy, "PolicyName": "default"}),
            "ListResourceTags" => {
                let tags: Vec<Value> = self.tags.iter().map(|(key, value)| json!({"TagKey": key, "TagValue": value})).collect();
                json!({"Tags": tags, "Truncated": false})
            }
            _ => {
                self.change(action, body)?;
                json!({})
            }
        })
    }

    /// What an administrator does to a key.
    fn change(&mut self, action: &str, body: &Value) -> Option<()> {
        match action {
            "EnableKey" => self.state = "Enabled".into(),
            "DisableKey" | "CancelKeyDeletion" => self.state = "Disabled".into(),
            "ScheduleKeyDeletion" => self.state = "PendingDeletion".into(),
            "PutKeyPolicy" => self.policy = body["Policy"].as_str().unwrap_or_default().into(),
            "UntagResource" => self.tags.retain(|tag, _| !body["TagKeys"].as_array().into_iter().flatten().any(|key| key == tag)),
            "TagResource" => {
                let text = |tag: &Value, field: &str| tag[field].as_str().unwrap_or_default().to_owned();
                let tags = body["Tags"].as_array().into_iter().flatten();
                self.tags.extend(tags.map(|tag| (text(tag, "TagKey"), text(tag, "TagValue"))));
            }
            _ => return None,
        }
        Some(())
    }

    fn metadata(&self, arn: &str) -> Value {
        let id = arn.rsplit('/').next();
        json!({"KeyMetadata": {
            "AWSAccountId": ACCOUNT, "Arn": arn, "KeyId": id, "Enabled": self.state == "Enabled", "KeyState": self.state,
            "KeySpec": "SYMMETRIC_DEFAULT", "KeyUsage": "ENCRYPT_DECRYPT", "KeyManager": "CUSTOMER", "Origin": "AWS_KMS", "MultiRegion": false
        }})
    }
}

fn answer(status: u16, body: Value) -> MockResponse {
    MockResponse::json(status, body.to_string())
}
