//! What narrows a session to one cluster, beside its stage's managed policy.
//!
//! STS counts all policies of a session as one set, so an Allow here would narrow nothing: these are all denials.
//! Source: "Session policies" in the IAM User Guide, policy evaluation logic.

use super::document::{Document, Statement};
use crate::names::{OWNER_TAG, ROLE_PATH};
use wire::key::Role;
use wire::names::scoped;
use wire::stage::Stage;

/// STS's limit for the text of an inline session policy and the ARNs of managed ones together, in characters.
#[cfg(test)]
pub const LIMIT: usize = 2048;

/// The inline policy of a stage's session, for the cluster of that id. The only ones whom it lets into the cluster are
/// those of the spec, each by what follows the account in its ARN.
pub fn narrowed<'a>(stage: Stage, id: &str, guests: impl IntoIterator<Item = &'a str>) -> Document {
    let [tagging, tagged] = [("Tagging", "aws:RequestTag"), ("Tagged", "aws:ResourceTag")].map(|(sid, key)| other_owners(sid, key, id));
    Document::new(match stage {
        // assume-role looks at the customer's role, whose name is no cluster's.
        Stage::Validate | Stage::AssumeRole => vec![tagging, tagged],
        Stage::CreateBuckets | Stage::CreateEks => vec![tagging, tagged, other_names(id)],
        Stage::Furnish => vec![tagging, tagged, other_names(id), other_guests([hand(id).as_str()])],
        Stage::CreateNodegroups => vec![tagging, tagged, other_names(id), other_guests(guests)],
        Stage::Teardown => vec![tagging, tagged, other_names(id), other_leftovers(id)],
    })
}

/// Whatever carries an owner tag, or is to get one: only this cluster's.
fn other_owners(sid: &str, key: &str, id: &str) -> Statement {
    let key = format!("{key}/{OWNER_TAG}");
    Statement::deny(sid, &["*"]).when("Null", &key, vec!["false".into()]).when("StringNotEquals", &key, vec![id.into()])
}

/// Whatever has a name: only this cluster's. Patterns, because the text has to be short; not of whole services, because some actions have
/// no resource-level permissions (ListAllMyBuckets, CreateCluster, ListRoles, DescribeLogGroups). Roles also without our path, because IAM
/// does not know the path of a role that does not exist.
fn other_names(id: &str) -> Statement {
    let actions = [
        ["s3:A*", "s3:C*", "s3:D*", "s3:G*", "s3:ListB*", "s3:P*", "s3:T*"].as_slice(),
        &["eks:A*", "eks:CreateA*", "eks:CreateN*", "eks:CreateP*", "eks:D*", "eks:L*", "eks:T*"],
        &["iam:*Role", "iam:*RolePolic*", "sts:AssumeRole"],
        &["logs:CreateLogGroup", "logs:DeleteLogGroup", "logs:L*", "logs:P*", "logs:T*"],
    ];
    let in_eks = ["nodegroup", "addon", "access-entry", "podidentityassociation"];
    let in_eks = in_eks.map(|kind| format!("arn:*:eks:*:*:{kind}/groundwork-*-{id}/*"));
    let others = [
        format!("arn:*:s3:::groundwork-{id}-*"),
        format!("arn:*:eks:*:*:cluster/groundwork-*-{id}"),
        format!("arn:*:iam::*:role{ROLE_PATH}groundwork-{id}-*"),
        format!("arn:*:iam::*:role/groundwork-{id}-*"),
        "arn:*:iam::*:role/aws-service-role/*".into(),
        format!("arn:*:logs:*:*:log-group:/aws/*/groundwork-*-{id}/*"),
    ];
    Statement::deny_all_but("Name", &actions.concat(), in_eks.into_iter().chain(others).collect())
}

/// What follows the account in the ARN of our own role in a cluster.
fn hand(id: &str) -> String {
    format!("role{ROLE_PATH}{}", scoped(id, Role::Hand.into()))
}

/// Without what all have in common, which the role's own policy asks for: the text has to be short.
fn other_guests<'a>(guests: impl IntoIterator<Item = &'a str>) -> Statement {
    let denial = Statement::deny("Guest", &["eks:CreateAccessEntry"]);
    let ours: Vec<String> = guests.into_iter().map(|principal| format!("*:{principal}")).collect();
    if ours.is_empty() { denial } else { denial.when("StringNotLike", "eks:principalArn", ours) }
}

/// What is left in the network: this cluster's by its owner tag, or by the tag of EKS or the AWS Load Balancer Controller; or GuardDuty's,
/// which names no cluster.
fn other_leftovers(id: &str) -> Statement {
    let actions = [
        "ec2:DeleteN*Interface",
        "ec2:DeleteSecurityGroup",
        "ec2:DeleteSnapshot",
        "ec2:DeleteVolume",
        "ec2:RevokeS*",
        "elasticloadbalancing:Delete*",
    ];
    let cluster = vec![format!("groundwork-*-{id}")];
    Statement::deny("Left", &actions)
        .when("StringNotEquals", &format!("aws:ResourceTag/{OWNER_TAG}"), vec![id.into()])
        .when("StringNotEquals", "aws:ResourceTag/GuardDutyManaged", vec!["true".into()])
        .when("StringNotLike", "aws:ResourceTag/aws:eks:cluster-name", cluster.clone())
        .when("StringNotLike", "aws:ResourceTag/elbv2.k8s.aws/cluster", cluster)
}

#[cfg(test)]
mod tests {
    use super::super::{STAGES, policy_arn};
    use super::*;
    use wire::names::Names;

    #[test]
    fn every_inline_policy_is_within_the_limit() {
        for &stage in STAGES.iter() {
            let names = Names { partition: "aws-us-gov", account: "222222222222", role: &"r".repeat(32) };
            let inline = narrowed(stage, &"i".repeat(12), ["a".repeat(80).as_str(); 5]).compact();
            let size = inline.len() + policy_arn(stage, &names).len();
            assert!(size <= LIMIT, "the session policy of {stage} has {size} characters");
        }
    }
}
