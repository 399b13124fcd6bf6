//! What follows from a customer's key that is disabled, or whose policy leaves Auto Scaling out: nodes do not start, and EKS says of the
//! control plane that its key is of no use.

use super::Rule;
use crate::answer::{Answer, json_of, replace_body};
use crate::call::Call;
use crate::world::{Issue, Kind, Life, World};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const ENABLED: &str = "Enabled";
const AUTO_SCALING: &str = "AWSServiceRoleForAutoScaling";

#[derive(Default)]
pub struct Keys {
    /// By ARN, as KMS last showed or changed them.
    keys: BTreeMap<String, Key>,
    /// Launch template → the key of its volumes.
    of_volumes: BTreeMap<String, String>,
}

#[derive(Default)]
struct Key {
    state: Option<String>,
    policy: Option<String>,
}

impl Rule for Keys {
    /// Decided when the nodes should be there.
    fn before(&mut self, _: &Call, world: &mut World) -> Option<Answer> {
        let now = world.now();
        let due = |life: &&mut Life| life.kind == Kind::NodeGroup && life.issue.is_none() && !life.joined && life.ready <= now;
        for life in world.lives.values_mut().filter(due).filter(|life| life.body["scalingConfig"]["desiredSize"] != 0) {
            life.issue = self.keeps_out(&life.body);
        }
        None
    }

    fn after(&mut self, call: &Call, answer: &mut Answer, _: &mut World) {
        if !answer.status().is_success() {
            return;
        }
        match (call.service.as_str(), call.action.as_str()) {
            ("ec2", "CreateLaunchTemplate") => self.of_volumes.extend(volumes(call, answer)),
            ("eks", "DescribeCluster") => self.show_health(answer),
            ("kms", action) => self.learn(action, &call.json, &json_of(answer).unwrap_or_default()),
            _ => {}
        }
    }
}

impl Keys {
    fn learn(&mut self, action: &str, asked: &Value, answer: &Value) {
        let Some(arn) = answer["KeyMetadata"]["Arn"].as_str().or(asked["KeyId"].as_str()) else { return };
        let key = self.keys.entry(arn.to_owned()).or_default();
        let state = match action {
            "EnableKey" => Some(ENABLED),
            "DisableKey" | "CancelKeyDeletion" => Some("Disabled"),
            "ScheduleKeyDeletion" => Some("PendingDeletion"),
            _ => answer["KeyMetadata"]["KeyState"].as_str(),
        };
        key.state = state.map(str::to_owned).or(key.state.take());
        key.policy = [asked, answer].iter().find_map(|body| body["Policy"].as_str()).map(str::to_owned).or(key.policy.take());
    }

    /// <https://github.com/hashicorp/terraform-provider-aws/issues/39904>
    fn keeps_out(&self, group: &Value) -> Option<Issue> {
        let key = self.keys.get(self.of_volumes.get(group["launchTemplate"]["id"].as_str()?)?)?;
        let is_asleep = key.state.as_ref().is_some_and(|state| state != ENABLED);
        let is_closed = key.policy.as_ref().is_some_and(|policy| !policy.contains(AUTO_SCALING));
        let message = "Instance became unhealthy while waiting for instance to be in InService state. Termination Reason: \
                       Client.InvalidKMSKey.InvalidState: The KMS key provided is in an incorrect state";
        (is_asleep || is_closed).then(|| Issue { code: "AsgInstanceLaunchFailures".into(), message: message.into() })
    }

    /// <https://docs.aws.amazon.com/eks/latest/APIReference/API_ClusterIssue.html>
    fn show_health(&self, answer: &mut Answer) {
        let Some(mut body) = json_of(answer) else { return };
        let key = body.pointer("/cluster/encryptionConfig/0/provider/keyArn").and_then(Value::as_str).and_then(|arn| self.keys.get(arn));
        let code = match key.and_then(|key| key.state.as_deref()) {
            Some("Disabled") => "KmsKeyDisabled",
            Some("PendingDeletion") => "KmsKeyMarkedForDeletion",
            _ => return,
        };
        body["cluster"]["health"] =
            json!({"issues": [{"code": code, "message": "The key of the cluster cannot be used.", "resourceIds": []}]});
        replace_body(answer, body.to_string());
    }
}

fn volumes(call: &Call, answer: &Answer) -> Option<(String, String)> {
    let key = call.field("LaunchTemplateData.BlockDeviceMapping.1.Ebs.KmsKeyId")?;
    let text = std::str::from_utf8(answer.body()).unwrap_or_default();
    let id = text.split_once("<launchTemplateId>")?.1.split_once('<')?.0;
    Some((id.to_owned(), key.to_owned()))
}
