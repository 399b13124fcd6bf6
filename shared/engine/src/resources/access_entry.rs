//! The tenant's administrator: an access entry with the policy that makes it one.

use super::owned::{check_ours, tag_map};
use crate::errors::{Called, Result, Unless};
use crate::resource::{Context, Key, Observed, Outputs, Resource, Stage};
use async_trait::async_trait;
use aws_sdk_eks::types::{AccessScope, AccessScopeType};

pub struct AccessEntry;

impl AccessEntry {
    fn policy(cx: &Context) -> String {
        format!("arn:{}:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy", cx.cluster.spec.partition())
    }

    /// The ARN of the IAM role or user; it is in the plan only if there is one.
    fn principal(cx: &Context) -> &str {
        cx.cluster.spec.admin_principal_arn.as_deref().unwrap_or_default()
    }

    async fn find(&self, cx: &Context) -> Result<Option<aws_sdk_eks::types::AccessEntry>> {
        let answer = cx
            .aws
            .eks
            .describe_access_entry()
            .cluster_name(cx.cluster.eks_name())
            .principal_arn(Self::principal(cx))
            .send()
            .await
            .called("eks:DescribeAccessEntry")
            .unless(&["ResourceNotFoundException"])?;
        let Some(entry) = answer.and_then(|answer| answer.access_entry) else {
            return Ok(None);
        };
        check_ours(&cx.cluster, &format!("The access entry of {}", Self::principal(cx)), entry.tags().into_iter().flatten())?;
        Ok(Some(entry))
    }

    async fn is_administrator(&self, cx: &Context) -> Result<bool> {
        let answer = cx
            .aws
            .eks
            .list_associated_access_policies()
            .cluster_name(cx.cluster.eks_name())
            .principal_arn(Self::principal(cx))
            .send()
            .await
            .called("eks:ListAssociatedAccessPolicies")
            .unless(&["ResourceNotFoundException"])?;
        let policies = answer.and_then(|answer| answer.associated_access_policies).unwrap_or_default();
        Ok(policies.iter().any(|associated| associated.policy_arn() == Some(Self::policy(cx).as_str())))
    }
}

#[async_trait]
impl Resource for AccessEntry {
    fn key(&self) -> Key {
        "access-entry/admin".into()
    }

    fn stage(&self) -> Stage {
        Stage::CreateEks
    }

    fn needs(&self) -> Vec<Key> {
        vec!["cluster".into()]
    }

    async fn observe(&self, cx: &Context) -> Result<Observed> {
        let Some(entry) = self.find(cx).await? else {
            return Ok(Observed::Absent);
        };
        if !self.is_administrator(cx).await? {
            return Ok(Observed::Drifted);
        }
        Ok(Observed::Ready(Outputs::from([("arn".into(), entry.access_entry_arn.unwrap_or_default())])))
    }

    async fn create(&self, cx: &Context) -> Result<()> {
        let key = self.key();
        cx.aws
            .eks
            .create_access_entry()
            .cluster_name(cx.cluster.eks_name())
            .principal_arn(Self::principal(cx))
            .set_tags(tag_map(&cx.cluster, &key))
            .send()
            .await
            .called("eks:CreateAccessEntry")
            .unless(&["ResourceInUseException"])?;
        Ok(())
    }

    async fn update(&self, cx: &Context) -> Result<()> {
        if self.find(cx).await?.is_none() {
            return Ok(());
        }
        cx.aws
            .eks
            .associate_access_policy()
            .cluster_name(cx.cluster.eks_name())
            .principal_arn(Self::principal(cx))
            .policy_arn(Self::policy(cx))
            .access_scope(AccessScope::builder().r#type(AccessScopeType::Cluster).build())
            .send()
            .await
            .called("eks:AssociateAccessPolicy")?;
        Ok(())
    }

    async fn delete(&self, cx: &Context) -> Result<()> {
        if self.find(cx).await?.is_none() {
            return Ok(());
        }
        cx.aws
            .eks
            .delete_access_entry()
            .cluster_name(cx.cluster.eks_name())
            .principal_arn(Self::principal(cx))
            .send()
            .await
            .called("eks:DeleteAccessEntry")
            .unless(&["ResourceNotFoundException"])?;
        Ok(())
    }
}
