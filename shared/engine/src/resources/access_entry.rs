//! Somebody whom the cluster lets in: an access entry with the policy that says what they may do. Our own role is in only while the cluster is
//! furnished.

use super::owned::{check_ours, tag_map};
use crate::cluster::Cluster;
use crate::context::Context;
use crate::errors::table::{GONE_IN_EKS, THERE_IN_EKS};
use crate::errors::{Called, Error, Result, Unless};
use crate::resource::{Difference, How, Made, Planned, Seen};
use async_trait::async_trait;
use aws_sdk_eks::types::{AccessScope, AccessScopeType, AssociatedAccessPolicy};
use wire::error::Code;
use wire::journal::Outputs;
use wire::key::{Key, Role};
use wire::place::NAMESPACE;
use wire::spec::Right;
use wire::stage::Stage;

/// The type of an entry for people and programs, not for nodes.
const STANDARD: &str = "STANDARD";

pub struct AccessEntry {
    /// What follows the account in the ARN: `role/admin`.
    principal: String,
    is_ours: bool,
}

pub struct Found {
    arn: String,
    /// Its policies, each with where it counts.
    policies: Vec<String>,
}

/// The ARN of EKS's policy for a right. Edit lets somebody run, see and remove what runs in a namespace, and also act as its service accounts.
/// <https://docs.aws.amazon.com/eks/latest/userguide/access-policy-permissions.html>
fn policy(right: Right, cluster: &Cluster) -> String {
    let name = match right {
        Right::Administer => "AmazonEKSClusterAdminPolicy",
        Right::Work => "AmazonEKSEditPolicy",
    };
    format!("arn:{}:eks::aws:cluster-access-policy/{name}", cluster.spec.partition())
}

/// Where the policy counts.
fn scope(right: Right) -> AccessScope {
    let scope = AccessScope::builder();
    match right {
        Right::Administer => scope.r#type(AccessScopeType::Cluster).build(),
        Right::Work => scope.r#type(AccessScopeType::Namespace).namespaces(NAMESPACE).build(),
    }
}

/// A policy and where it counts, for people too.
fn written(policy: &str, scope: &AccessScope) -> String {
    let place = match scope.r#type() {
        Some(AccessScopeType::Namespace) => scope.namespaces().join(", "),
        _ => "everywhere".into(),
    };
    format!("{policy} in {place}")
}

impl AccessEntry {
    pub fn of(principal: &str, cluster: &Cluster) -> Self {
        Self { principal: principal.into(), is_ours: principal == cluster.hand() }
    }

    /// None if neither the spec nor we let it in: then the entry is in no plan.
    fn right(&self, cluster: &Cluster) -> Option<Right> {
        let guest = cluster.guests().find(|guest| guest.principal == self.principal);
        guest.map(|guest| guest.right).or_else(|| self.is_ours.then_some(Right::Administer))
    }

    /// The ARN of the IAM role or user.
    fn arn(&self, cx: &Context) -> String {
        format!("arn:{}:iam::{}:{}", cx.cluster.spec.partition(), cx.cluster.account, self.principal)
    }

    async fn policies(&self, cx: &Context) -> Result<Vec<String>> {
        let call = cx.aws.eks.list_associated_access_policies().cluster_name(cx.cluster.eks_name()).principal_arn(self.arn(cx));
        let answer = call.send().await.called("eks:ListAssociatedAccessPolicies").unless(GONE_IN_EKS)?;
        let policies = answer.and_then(|answer| answer.associated_access_policies).unwrap_or_default();
        let written = |one: AssociatedAccessPolicy| Some(written(&one.policy_arn?, one.access_scope.as_ref()?));
        Ok(policies.into_iter().filter_map(written).collect())
    }
}

impl Planned for AccessEntry {
    fn key(&self) -> Key {
        Key::AccessEntry(self.principal.clone())
    }

    fn goes_with_the_cluster(&self) -> bool {
        true
    }

    /// The policy of create-eks has no room for it.
    fn stage(&self) -> Stage {
        if self.is_ours { Stage::Furnish } else { Stage::CreateNodegroups }
    }

    fn needs(&self) -> Vec<Key> {
        let ours = self.is_ours.then_some(Key::Role(Role::Hand));
        ours.into_iter().chain([Key::Cluster]).collect()
    }
}

#[async_trait]
impl Made for AccessEntry {
    type Thing = Found;

    async fn find(&self, cx: &Context) -> Result<Option<Found>> {
        let call = cx.aws.eks.describe_access_entry().cluster_name(cx.cluster.eks_name()).principal_arn(self.arn(cx));
        let answer = call.send().await.called("eks:DescribeAccessEntry").unless(GONE_IN_EKS)?;
        let Some(entry) = answer.and_then(|answer| answer.access_entry) else {
            return Ok(None);
        };
        check_ours(&cx.cluster, &format!("The access entry of {}", self.arn(cx)), entry.tags().into_iter().flatten())?;
        Ok(Some(Found { arn: entry.access_entry_arn.unwrap_or_default(), policies: self.policies(cx).await? }))
    }

    fn judge(&self, cluster: &Cluster, found: &Found) -> Seen {
        let wanted = self.right(cluster).map(|right| written(&policy(right, cluster), &scope(right)));
        let missing = wanted.filter(|policy| !found.policies.contains(policy)).unwrap_or_default();
        Seen::but_for([Difference::between("missing_policy", missing, String::new(), How::InPlace)])
    }

    fn outputs(&self, _: &Cluster, found: &Found) -> Outputs {
        Outputs::from([("arn".into(), found.arn.clone())])
    }

    async fn create(&self, cx: &Context) -> Result<()> {
        let call = cx.aws.eks.create_access_entry().cluster_name(cx.cluster.eks_name()).principal_arn(self.arn(cx));
        // Also EKS's default, but without it the call has no type for the role's policy to look at.
        let call = call.r#type(STANDARD).set_tags(tag_map(&cx.cluster, &self.key()));
        call.send().await.called("eks:CreateAccessEntry").done_if(THERE_IN_EKS)
    }

    async fn mend(&self, cx: &Context, _: &Found) -> Result<()> {
        let missing = || Error::of(Code::IncompleteRequest, format!("The spec does not let in {}.", self.principal));
        let right = self.right(&cx.cluster).ok_or_else(missing)?;
        let call = cx.aws.eks.associate_access_policy().cluster_name(cx.cluster.eks_name()).principal_arn(self.arn(cx));
        let call = call.policy_arn(policy(right, &cx.cluster)).access_scope(scope(right));
        call.send().await.called("eks:AssociateAccessPolicy").map(drop)
    }

    async fn delete(&self, cx: &Context, _: &Found) -> Result<()> {
        let call = cx.aws.eks.delete_access_entry().cluster_name(cx.cluster.eks_name()).principal_arn(self.arn(cx));
        call.send().await.called("eks:DeleteAccessEntry").done_if(GONE_IN_EKS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_entry_without_the_policy_of_its_right_is_half_made() {
        let arn = |kind: &str| format!("arn:aws:iam::222222222222:role/{kind}");
        let cluster = Cluster::example(json!({"access": {"administrators": [arn("admin")], "users": [arn("ada")]}}));
        let aws = |name: &str, place: &str| format!("arn:aws:eks::aws:cluster-access-policy/{name} in {place}");
        let admin = aws("AmazonEKSClusterAdminPolicy", "everywhere");
        let [edit, too_wide] = ["research", "everywhere"].map(|place| aws("AmazonEKSEditPolicy", place));
        let without = |policy: &String| Seen::but_for([Difference::between("missing_policy", policy.clone(), String::new(), How::InPlace)]);
        for (principal, policies, expected) in [
            ("role/admin", vec![], without(&admin)),
            ("role/admin", vec![edit.clone()], without(&admin)),
            ("role/admin", vec![edit.clone(), admin.clone()], Seen::Ready),
            ("role/ada", vec![admin], without(&edit)),
            ("role/ada", vec![too_wide], without(&edit)),
            ("role/ada", vec![edit.clone()], Seen::Ready),
        ] {
            let found = Found { arn: "arn".into(), policies };
            assert_eq!(AccessEntry::of(principal, &cluster).judge(&cluster, &found), expected, "{principal} {:?}", found.policies);
        }
    }
}
