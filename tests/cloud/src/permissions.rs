//! The IAM actions that a call needs: its own, and those that AWS asks for besides.
//!
//! Source: the service authorization reference, "dependent actions", and the EC2, EKS, IAM and S3 pages on tagging on creation.

use crate::call::Call;

/// Call, the part of a request that makes the difference (a form field's or a JSON field's name; empty: always), actions.
const BESIDES: &[(&str, &str, &[&str])] = &[
    ("ec2:*", "TagSpecification", &["ec2:CreateTags"]),
    ("eks:Create*", "tags", &["eks:TagResource"]),
    ("eks:CreateCluster", "", &["iam:PassRole", "iam:CreateServiceLinkedRole"]),
    ("eks:CreateNodegroup", "", &["iam:PassRole", "iam:CreateServiceLinkedRole"]),
    ("eks:CreateNodegroup", "launchTemplate", &["ec2:RunInstances", "ec2:DescribeLaunchTemplateVersions", "ec2:CreateTags"]),
    ("eks:CreatePodIdentityAssociation", "", &["iam:PassRole"]),
    ("iam:CreateRole", "Tags", &["iam:TagRole"]),
    ("logs:CreateLogGroup", "tags", &["logs:TagResource"]),
    ("s3:CreateBucket", "", &["s3:TagResource"]),
    ("s3:DeleteObjects", "", &["s3:DeleteObject", "s3:DeleteObjectVersion"]),
];

pub fn of(call: &Call) -> Vec<String> {
    let name = call.name();
    let besides = BESIDES.iter().filter(|(calls, part, _)| matches(calls, &name) && has(call, part));
    let besides = besides.flat_map(|(_, _, actions)| actions.iter().map(|action| (*action).to_owned()));
    own(&name).into_iter().chain(besides).collect()
}

/// DeleteObjects is no IAM action; all other operations of ours are, once S3's are called by theirs.
fn own(name: &str) -> Option<String> {
    (name != "s3:DeleteObjects").then(|| name.to_owned())
}

fn matches(pattern: &str, name: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == name, |prefix| name.starts_with(prefix))
}

fn has(call: &Call, part: &str) -> bool {
    part.is_empty() || call.json.get(part).is_some() || call.form.keys().any(|field| field.starts_with(part))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use http::Request;

    fn call(service: &str, uri: &str, kind: &str, body: &str) -> Call {
        let scope = format!("AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-west-2/{service}/aws4_request, SignedHeaders=host");
        let request = Request::post(uri).header("authorization", scope).header("content-type", kind);
        Call::read(request.body(Bytes::from(body.to_owned())).expect("valid"))
    }

    #[test]
    fn tags_roles_and_launch_templates_need_permissions_of_their_own() {
        let form = "application/x-www-form-urlencoded";
        let tagged = "Action=CreateVpc&TagSpecification.1.ResourceType=vpc";
        for (call, expected) in [
            (call("ec2", "/", form, "Action=CreateVpc"), vec!["ec2:CreateVpc"]),
            (call("ec2", "/", form, tagged), vec!["ec2:CreateVpc", "ec2:CreateTags"]),
            (
                call("eks", "/clusters", "application/json", r#"{"name": "a", "tags": {}}"#),
                vec!["eks:CreateCluster", "eks:TagResource", "iam:PassRole", "iam:CreateServiceLinkedRole"],
            ),
            (call("s3", "/bucket?delete", "application/xml", ""), vec!["s3:DeleteObject", "s3:DeleteObjectVersion"]),
        ] {
            assert_eq!(of(&call), expected);
        }
    }
}
