//! CloudWatch Logs checks the log group, and tagging on creation.
//!
//! Sources: Actions, resources, and condition keys for Amazon CloudWatch Logs; CreateLogGroup (API reference), for logs:TagResource. In
//! AWS's denials the group ends in `:log-stream:`, except in tag calls.

use super::tags;
use super::{Authorization, Scene};

pub fn of(scene: &Scene<'_>) -> Vec<Authorization> {
    let json = &scene.call.json;
    if let Some(arn) = json["resourceArn"].as_str() {
        return vec![scene.own(arn).requesting(&tags::mapped(&json["tags"]))];
    }
    let Some(name) = json["logGroupName"].as_str() else { return vec![scene.own("*")] };
    let (group, tags) = (scene.arn("logs", format!("log-group:{name}")), tags::mapped(&json["tags"]));
    let own = scene.own(format!("{group}:log-stream:")).requesting(&tags);
    let tag = (!tags.is_empty()).then(|| Authorization::new("logs:TagResource", group).requesting(&tags));
    std::iter::once(own).chain(tag).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{call, told};
    use crate::authorization::things::Things;
    use crate::call::Call;

    fn made(target: &str, body: &str) -> Call {
        let mut made = call("logs", "POST", "/", "application/x-amz-json-1.1", body);
        made.action = target.to_owned();
        made
    }

    #[test]
    fn a_group_is_checked_by_name_and_its_tags_as_a_separate_action() {
        for (action, body, expected) in [
            ("DescribeLogGroups", "{}", vec!["logs:DescribeLogGroups *"]),
            ("DeleteLogGroup", r#"{"logGroupName": "g"}"#, vec!["logs:DeleteLogGroup log-group:g:log-stream:"]),
            (
                "CreateLogGroup",
                r#"{"logGroupName": "g", "tags": {"owner": "x"}}"#,
                vec![
                    "logs:CreateLogGroup log-group:g:log-stream: aws:RequestTag/owner=x aws:TagKeys=owner",
                    "logs:TagResource log-group:g aws:RequestTag/owner=x aws:TagKeys=owner",
                ],
            ),
        ] {
            assert_eq!(told(&made(action, body), &Things::default()), expected);
        }
    }
}
