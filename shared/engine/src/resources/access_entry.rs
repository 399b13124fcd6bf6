//! One of the tenant's administrators: an access entry with the policy that makes it one.

use super::owned::{check_ours, tag_map};
use crate::cluster::Cluster;
use crate::context::Context;
use crate::errors::table::{GONE_IN_EKS, THERE_IN_EKS};
use crate::errors::{Called, Error, Result, Unless};
use crate::resource::{Difference, How, Made, Planned, Seen};
use async_trait::async_trait;
use aws_sdk_eks::types::{AccessScope, AccessScopeType};
use wire::error::Code;
use wire::journal::Outputs;
use wire::key::Key;
use wire::stage::Stage;

/// The type of an entry for people and programs, not for nodes.
const STANDARD: &str = "STANDARD";

pub struct AccessEntry {
    /// What follows the account in the ARN: `role/admin`.
    pub principal: String,
}

pub struct Found {
    arn: String,
    /// The ARNs of its policies.
    policies: Vec<String>,
}

impl AccessEntry {
    fn policy(cluster: &Cluster) -> String {
        format!("arn:{}:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy", cluster.spec.partition())
    }

    /// The ARN of the IAM role or user. The entry is in the plan only if the spec names it.
    fn arn<'a>(&self, cx: &'a Context) -> Result<&'a str> {
        let named = cx.cluster.administrators().find(|(principal, _)| *principal == self.principal);
        let missing = || Error::of(Code::IncompleteRequest, format!("The spec does not name the administrator {}.", self.principal));
        named.map(|(_, arn)| arn).ok_or_else(missing)
    }

    async fn policies(&self, cx: &Context) -> Result<Vec<String>> {
        let call = cx.aws.eks.list_associated_access_policies().cluster_name(cx.cluster.eks_name()).principal_arn(self.arn(cx)?);
        let answer = call.send().await.called("eks:ListAssociatedAccessPolicies").unless(GONE_IN_EKS)?;
        let policies = answer.and_then(|answer| answer.associated_access_policies).unwrap_or_default();
        Ok(policies.into_iter().filter_map(|associated| associated.policy_arn).collect())
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
        Stage::CreateNodegroups
    }

    fn needs(&self) -> Vec<Key> {
        vec![Key::Cluster]
    }
}

#[async_trait]
impl Made for AccessEntry {
    type Thing = Found;

    async fn find(&self, cx: &Context) -> Result<Option<Found>> {
        let call = cx.aws.eks.describe_access_entry().cluster_name(cx.cluster.eks_name()).principal_arn(self.arn(cx)?);
        let answer = call.send().await.called("eks:DescribeAccessEntry").unless(GONE_IN_EKS)?;
        let Some(entry) = answer.and_then(|answer| answer.access_entry) else {
            return Ok(None);
        };
        check_ours(&cx.cluster, &format!("The access entry of {}", self.arn(cx)?), entry.tags().into_iter().flatten())?;
        Ok(Some(Found { arn: entry.access_entry_arn.unwrap_or_default(), policies: self.policies(cx).await? }))
    }

    fn judge(&self, cluster: &Cluster, found: &Found) -> Seen {
        let administrator = found.policies.contains(&Self::policy(cluster));
        Seen::but_for([Difference::between("administrator", administrator, true, How::InPlace)])
    }

    fn outputs(&self, _: &Cluster, found: &Found) -> Outputs {
        Outputs::from([("arn".into(), found.arn.clone())])
    }

    async fn create(&self, cx: &Context) -> Result<()> {
        let call = cx.aws.eks.create_access_entry().cluster_name(cx.cluster.eks_name()).principal_arn(self.arn(cx)?);
        // Also EKS's default, but without it the call has no type for the role's policy to look at.
        let call = call.r#type(STANDARD).set_tags(tag_map(&cx.cluster, &self.key()));
        call.send().await.called("eks:CreateAccessEntry").done_if(THERE_IN_EKS)
    }

    async fn mend(&self, cx: &Context, _: &Found) -> Result<()> {
        let everywhere = AccessScope::builder().r#type(AccessScopeType::Cluster).build();
        let call = cx.aws.eks.associate_access_policy().cluster_name(cx.cluster.eks_name()).principal_arn(self.arn(cx)?);
        let call = call.policy_arn(Self::policy(&cx.cluster)).access_scope(everywhere);
        call.send().await.called("eks:AssociateAccessPolicy").map(drop)
    }

    async fn delete(&self, cx: &Context, _: &Found) -> Result<()> {
        let call = cx.aws.eks.delete_access_entry().cluster_name(cx.cluster.eks_name()).principal_arn(self.arn(cx)?);
        call.send().await.called("eks:DeleteAccessEntry").done_if(GONE_IN_EKS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_without_the_administrators_policy_is_half_made() {
        let cluster = Cluster::example(serde_json::json!({}));
        let half_made = || Seen::but_for([Difference::between("administrator", false, true, How::InPlace)]);
        let another = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy".to_owned();
        for (policies, expected) in
            [(vec![], half_made()), (vec![another.clone()], half_made()), (vec![another, AccessEntry::policy(&cluster)], Seen::Ready)]
        {
            let found = Found { arn: "arn".into(), policies };
            assert_eq!(AccessEntry { principal: "role/admin".into() }.judge(&cluster, &found), expected, "{:?}", found.policies);
        }
    }
}
