//! EKS checks the thing in the path, tagging on creation, and what it does with the caller's permissions: roles that it is
//! given, service-linked roles that it makes if they are missing, a key, and a trial of a launch template.
//!
//! Sources: Actions, resources, and condition keys for Amazon EKS (service authorization reference); "Amazon EKS identity-based policy
//! examples" (create a cluster: iam:PassRole, iam:CreateServiceLinkedRole), "Customize managed nodes with launch templates" and
//! "Create a Pod Identity association" (iam:PassRole, iam:GetRole) in the EKS user guide; the denials of iam:GetRole and
//! iam:ListAttachedRolePolicies on the node role that callers of CreateNodegroup met.

use super::tags::{self, Tags};
use super::{Authorization, Scene, ec2, kms};
use serde_json::Value;

/// Collection in the path, the type of its ARNs, the field of a create call with the thing's name.
const COLLECTIONS: &[(&str, &str, &str)] = &[
    ("node-groups", "nodegroup", "nodegroupName"),
    ("addons", "addon", "addonName"),
    ("access-entries", "access-entry", "principalArn"),
    ("pod-identity-associations", "podidentityassociation", ""),
];

/// Create call, the field with the role that EKS is given, to whom the role is passed, what EKS reads of it, and the service whose
/// service-linked role is made if it is missing.
struct Extra {
    call: &'static str,
    role: &'static str,
    passed_to: &'static str,
    reads: &'static [&'static str],
    linked: Option<(&'static str, &'static str)>,
}

const EXTRA: [Extra; 3] = [
    Extra {
        call: "CreateCluster",
        role: "roleArn",
        passed_to: "eks.amazonaws.com",
        reads: &[],
        linked: Some(("eks.amazonaws.com", "AWSServiceRoleForAmazonEKS")),
    },
    Extra {
        call: "CreateNodegroup",
        role: "nodeRole",
        passed_to: "eks.amazonaws.com",
        reads: &["iam:GetRole", "iam:ListAttachedRolePolicies"],
        linked: Some(("eks-nodegroup.amazonaws.com", "AWSServiceRoleForAmazonEKSNodegroup")),
    },
    Extra {
        call: "CreatePodIdentityAssociation",
        role: "roleArn",
        passed_to: "pods.eks.amazonaws.com",
        reads: &["iam:GetRole"],
        linked: None,
    },
];

/// Context key, and the request field that it comes from.
const KEYS: &[(&str, &str, &str)] = &[
    ("AssociateAccessPolicy", "eks:policyArn", "/policyArn"),
    ("AssociateAccessPolicy", "eks:accessScope", "/accessScope/type"),
    ("CreateAccessEntry", "eks:principalArn", "/principalArn"),
    ("CreateAccessEntry", "eks:accessEntryType", "/type"),
    ("CreateCluster", "eks:authenticationMode", "/accessConfig/authenticationMode"),
];

pub fn of(scene: &Scene<'_>) -> Vec<Authorization> {
    let call = scene.call;
    let tags = tags::mapped(&call.json["tags"]);
    let field = |pointer: &str| call.json.pointer(pointer).and_then(Value::as_str);
    let own = scene.own(target(scene)).tagged(scene.things.get(&target(scene))).requesting(&tags);
    let keys = KEYS.iter().filter(|(action, _, _)| *action == call.action);
    let own = keys.fold(own, |own, (_, key, pointer)| own.with_given(key, field(pointer)));
    std::iter::once(own).chain(tag(scene, &tags)).chain(extra(scene)).chain(key(scene)).chain(trial_run(scene)).collect()
}

/// In the reference CreateCluster has no resource; what is made or listed in a cluster is checked on the cluster.
fn target(scene: &Scene<'_>) -> String {
    let path: Vec<&str> = scene.call.path.iter().map(String::as_str).collect();
    match path.as_slice() {
        ["clusters"] => "*".to_owned(),
        ["clusters", cluster, collection, name, ..] => in_cluster(scene, cluster, collection, name),
        [_, cluster, ..] => scene.arn("eks", format!("cluster/{cluster}")),
        _ => "*".to_owned(),
    }
}

/// ARNs of what is in a cluster end in an id that only AWS knows.
fn in_cluster(scene: &Scene<'_>, cluster: &str, collection: &str, name: &str) -> String {
    let Some((_, kind, _)) = COLLECTIONS.iter().find(|(one, _, _)| *one == collection) else {
        return scene.arn("eks", format!("cluster/{cluster}"));
    };
    let start = match *kind {
        "access-entry" => scene.arn("eks", format!("{kind}/{cluster}/{}/", principal(name))),
        "podidentityassociation" => return scene.arn("eks", format!("{kind}/{cluster}/{name}")),
        _ => scene.arn("eks", format!("{kind}/{cluster}/{name}/")),
    };
    scene.things.beginning_with(&start).map_or(format!("{start}*"), |(arn, _)| arn.clone())
}

/// `arn:aws:iam::<account>:role/<path>/<name>` is `role/<account>/<name>` in an access entry's ARN.
fn principal(arn: &str) -> String {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let (account, resource) = (parts.get(4).unwrap_or(&""), parts.get(5).unwrap_or(&""));
    let (kind, name) = (resource.split('/').next().unwrap_or_default(), resource.rsplit('/').next().unwrap_or_default());
    format!("{kind}/{account}/{name}")
}

fn tag(scene: &Scene<'_>, tags: &Tags) -> Option<Authorization> {
    let call = scene.call;
    let new = match call.path.as_slice() {
        [_] => scene.arn("eks", format!("cluster/{}", call.json["name"].as_str()?)),
        [_, cluster, collection] => {
            let (_, kind, name) = COLLECTIONS.iter().find(|(one, _, _)| one == collection)?;
            match *kind {
                "podidentityassociation" => scene.arn("eks", format!("{kind}/{cluster}/*")),
                _ => in_cluster(scene, cluster, collection, call.json[name].as_str()?),
            }
        }
        _ => return None,
    };
    let tagged = call.action.starts_with("Create") && !tags.is_empty();
    tagged.then(|| Authorization::new("eks:TagResource", new).requesting(tags))
}

fn extra(scene: &Scene<'_>) -> Vec<Authorization> {
    let Some(extra) = EXTRA.iter().find(|extra| extra.call == scene.call.action) else { return vec![] };
    let role = scene.call.json[extra.role].as_str().unwrap_or_default();
    let pass = Authorization::new("iam:PassRole", role).with("iam:PassedToService", extra.passed_to);
    let reads = extra.reads.iter().map(|action| Authorization::new(*action, role));
    let linked = extra.linked.map(|(service, name)| {
        let arn = scene.global_arn("iam", scene.account, format!("role/aws-service-role/{service}/{name}"));
        Authorization::new("iam:CreateServiceLinkedRole", arn).with("iam:AWSServiceName", service)
    });
    std::iter::once(pass).chain(reads).chain(linked).collect()
}

/// EKS makes the grant for the cluster's role, without `kms:GrantIsForAWSResource`, which CreateCluster does not support.
/// <https://docs.aws.amazon.com/eks/latest/userguide/enable-kms.html>
fn key(scene: &Scene<'_>) -> Vec<Authorization> {
    let Some(key) = scene.call.json.pointer("/encryptionConfig/0/provider/keyArn").and_then(Value::as_str) else { return vec![] };
    ["kms:DescribeKey", "kms:CreateGrant"].map(|action| kms::about(scene, action, key)).into()
}

fn trial_run(scene: &Scene<'_>) -> Vec<Authorization> {
    let json = &scene.call.json;
    let Some(template) = json["launchTemplate"]["id"].as_str().filter(|_| scene.call.action == "CreateNodegroup") else { return vec![] };
    ec2::trial_run(scene, template, json["subnets"].as_array().into_iter().flatten().filter_map(Value::as_str))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{form, json, known, told};
    use super::*;
    use crate::authorization::things::Things;

    #[test]
    fn a_cluster_is_checked_with_its_role_its_tags_and_the_service_linked_role() {
        let body = r#"{"name": "a", "roleArn": "arn:aws:iam::222222222222:role/groundwork/r", "tags": {"owner": "x"}}"#;
        assert_eq!(
            told(&json("eks", "/clusters", body), &Things::default()),
            [
                "eks:CreateCluster * aws:RequestTag/owner=x aws:TagKeys=owner",
                "eks:TagResource cluster/a aws:RequestTag/owner=x aws:TagKeys=owner",
                "iam:PassRole role/groundwork/r iam:PassedToService=eks.amazonaws.com",
                "iam:CreateServiceLinkedRole role/aws-service-role/eks.amazonaws.com/AWSServiceRoleForAmazonEKS iam:AWSServiceName=eks.amazonaws.com",
            ]
        );
    }

    #[test]
    fn a_node_group_tries_its_launch_template_with_the_templates_tags() {
        let template = "Action=CreateLaunchTemplate&LaunchTemplateData.TagSpecification.1.ResourceType=instance\
            &LaunchTemplateData.TagSpecification.1.Tag.1.Key=owner&LaunchTemplateData.TagSpecification.1.Tag.1.Value=x\
            &TagSpecification.1.ResourceType=launch-template&TagSpecification.1.Tag.1.Key=owner&TagSpecification.1.Tag.1.Value=y";
        let things = known(&[(form("ec2", template), "<r><launchTemplateId>lt-1</launchTemplateId></r>")]);
        let body = r#"{"nodegroupName": "n", "nodeRole": "r", "subnets": ["subnet-1"], "launchTemplate": {"id": "lt-1"}}"#;
        let asked = told(&json("eks", "/clusters/a/node-groups", body), &things);
        let launched = "ec2:LaunchTemplate=arn:aws:ec2:us-west-2:222222222222:launch-template/lt-1";
        for expected in [
            "eks:CreateNodegroup cluster/a".to_owned(),
            format!("ec2:RunInstances launch-template/lt-1 aws:ResourceTag/owner=y {launched}"),
            format!("ec2:RunInstances instance/* aws:RequestTag/owner=x aws:TagKeys=owner {launched}"),
            "ec2:CreateTags instance/* aws:RequestTag/owner=x aws:TagKeys=owner ec2:CreateAction=RunInstances".to_owned(),
            format!("ec2:RunInstances volume/* {launched}"),
        ] {
            assert!(asked.contains(&expected), "{expected} is not in {asked:#?}");
        }
    }

    #[test]
    fn things_in_a_cluster_are_known_by_their_arns() {
        let delete = super::super::tests::call("eks", "DELETE", "/clusters/a/addons/coredns", "", "");
        assert_eq!(told(&delete, &Things::default()), ["eks:DeleteAddon addon/a/coredns/*"]);
        let arn = "arn:aws:eks:us-west-2:222222222222:addon/a/coredns/1";
        let answer = format!(r#"{{"addon": {{"addonArn": "{arn}", "tags": {{"owner": "x"}}}}}}"#);
        let things = known(&[(json("eks", "/clusters/a/addons", "{}"), &answer)]);
        assert_eq!(told(&delete, &things), ["eks:DeleteAddon addon/a/coredns/1 aws:ResourceTag/owner=x"]);
    }

    #[test]
    fn an_access_entry_is_named_after_its_principal_without_the_path() {
        assert_eq!(principal("arn:aws:iam::1:role/team/admin"), "role/1/admin");
    }
}
