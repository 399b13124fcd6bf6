//! KMS checks the key.
//!
//! Source: Actions, resources, and condition keys for AWS Key Management Service (service authorization reference).

use super::tags::Tags;
use super::things::Thing;
use super::{Authorization, Scene};
use crate::answer::{Answer, json_of};
use crate::call::Call;
use serde_json::Value;

pub fn of(scene: &Scene<'_>) -> Vec<Authorization> {
    let key = scene.call.json["KeyId"].as_str();
    vec![key.map_or_else(|| scene.own("*"), |key| about(scene, &scene.call.name(), key))]
}

/// What AWS asks about a key, also if EKS asks KMS in the caller's name.
pub fn about(scene: &Scene<'_>, action: &str, key: &str) -> Authorization {
    let arn = if key.starts_with("arn:") { key.to_owned() } else { scene.arn("kms", format!("key/{key}")) };
    let asked = Authorization::new(action, &arn).with("kms:CallerAccount", scene.account);
    asked.tagged(scene.things.get(&arn))
}

/// Tags that somebody gives a key, or that KMS lists.
pub fn made(call: &Call, answer: &Answer) -> Vec<(String, Thing)> {
    let answer = json_of(answer).unwrap_or_default();
    let arn = answer["KeyMetadata"]["Arn"].as_str().or(call.json["KeyId"].as_str()).map(str::to_owned);
    let tags: Tags = [&call.json, &answer].into_iter().flat_map(listed).collect();
    arn.filter(|_| !tags.is_empty()).map(|arn| (arn, Thing { tags, ..Thing::default() })).into_iter().collect()
}

fn listed(body: &Value) -> impl Iterator<Item = (String, String)> {
    let tags = body["Tags"].as_array().into_iter().flatten();
    tags.filter_map(|tag| Some((tag["TagKey"].as_str()?.to_owned(), tag["TagValue"].as_str()?.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{call, json, known, told};
    use crate::authorization::things::Things;
    use crate::call::Call;

    const KEY: &str = "arn:aws:kms:us-west-2:222222222222:key/1";

    fn asking(action: &str) -> Call {
        let mut asking = call("kms", "POST", "/", "application/x-amz-json-1.1", &format!(r#"{{"KeyId": "{KEY}"}}"#));
        asking.action = action.to_owned();
        asking
    }

    #[test]
    fn a_key_is_checked_with_its_tags_and_so_is_the_key_of_a_control_plane() {
        let tags = r#"{"Tags": [{"TagKey": "groundwork:encryption", "TagValue": "allowed"}]}"#;
        let things = known(&[(asking("ListResourceTags"), tags)]);
        let about = "key/1 aws:ResourceTag/groundwork:encryption=allowed";
        assert_eq!(told(&asking("DescribeKey"), &Things::default()), ["kms:DescribeKey key/1 kms:CallerAccount=222222222222"]);
        assert_eq!(told(&asking("DescribeKey"), &things), [format!("kms:DescribeKey {about} kms:CallerAccount=222222222222")]);
        let body = format!(r#"{{"name": "a", "encryptionConfig": [{{"resources": ["secrets"], "provider": {{"keyArn": "{KEY}"}}}}]}}"#);
        let asked = told(&json("eks", "/clusters", &body), &things);
        for expected in [
            format!("kms:DescribeKey {about} kms:CallerAccount=222222222222"),
            format!("kms:CreateGrant {about} kms:CallerAccount=222222222222"),
        ] {
            assert!(asked.contains(&expected), "{expected} is not in {asked:#?}");
        }
    }
}
