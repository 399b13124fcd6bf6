//! An EKS add-on, in the version that AWS has as the default for the cluster's.

use super::health::{Issue, broken};
use super::owned::{check_ours, outputs, tag_map};
use crate::errors::{Called, Result, Unless};
use crate::names::OWNER_TAG;
use crate::resource::{Cluster, Context, Key, Observed, Outputs, Pace, Resource, Stage};
use async_trait::async_trait;
use aws_sdk_eks::types::{AddonStatus, ResolveConflicts};
use serde_json::{Value, json};

/// Daemon sets are ready when no node lacks their pod, so they come up before there are nodes; nodes without vpc-cni never get ready.
/// Deployments need nodes.
pub struct Addon {
    /// EKS's name for it: `vpc-cni`.
    pub name: &'static str,
}

impl Addon {
    async fn find(&self, cx: &Context) -> Result<Option<aws_sdk_eks::types::Addon>> {
        let answer = cx
            .aws
            .eks
            .describe_addon()
            .cluster_name(cx.cluster.eks_name())
            .addon_name(self.name)
            .send()
            .await
            .called("eks:DescribeAddon")
            .unless(&["ResourceNotFoundException"])?;
        let Some(addon) = answer.and_then(|answer| answer.addon) else {
            return Ok(None);
        };
        check_ours(&cx.cluster, &format!("The add-on {}", self.name), addon.tags().into_iter().flatten())?;
        Ok(Some(addon))
    }

    /// What an add-on makes in the account carries our owner tag, so that teardown may remove what is left of it.
    fn configuration(&self, cluster: &Cluster) -> Option<Value> {
        let owner = json!({OWNER_TAG: cluster.id});
        match self.name {
            // The plugin reads this as text.
            "vpc-cni" => Some(json!({"env": {"ADDITIONAL_ENI_TAGS": owner.to_string()}})),
            "aws-ebs-csi-driver" => Some(json!({"controller": {"extraVolumeTags": owner}})),
            _ => None,
        }
    }
}

#[async_trait]
impl Resource for Addon {
    fn key(&self) -> Key {
        format!("addon/{}", self.name).into()
    }

    /// The first nodes wait for the add-ons that they cannot join without, and for no other.
    fn stage(&self) -> Stage {
        match self.name {
            "vpc-cni" | "kube-proxy" => Stage::CreateEks,
            _ => Stage::CreateNodegroups,
        }
    }

    fn needs(&self) -> Vec<Key> {
        match self.name {
            "coredns" => vec!["node-group/system".into()],
            "aws-ebs-csi-driver" => {
                vec!["node-group/system".into(), "pod-identity/ebs-csi".into(), "addon/eks-pod-identity-agent".into()]
            }
            _ => vec!["cluster".into()],
        }
    }

    fn pace(&self) -> Pace {
        Pace::seconds(15, 5)
    }

    async fn observe(&self, cx: &Context) -> Result<Observed> {
        Ok(self.find(cx).await?.as_ref().map_or(Observed::Absent, state))
    }

    /// Without a token of ours: its name makes it one of a kind in the cluster, and an add-on that failed and was deleted must not be
    /// answered with the first one's record when a retry makes it again.
    async fn create(&self, cx: &Context) -> Result<()> {
        cx.aws
            .eks
            .create_addon()
            .cluster_name(cx.cluster.eks_name())
            .addon_name(self.name)
            .resolve_conflicts(ResolveConflicts::Overwrite)
            .set_configuration_values(self.configuration(&cx.cluster).map(|values| values.to_string()))
            .set_tags(tag_map(&cx.cluster, &self.key()))
            .send()
            .await
            .called("eks:CreateAddon")
            .unless(&["ResourceInUseException"])?;
        Ok(())
    }

    async fn update(&self, _: &Context) -> Result<()> {
        Ok(())
    }

    async fn delete(&self, cx: &Context) -> Result<()> {
        if self.find(cx).await?.is_none() {
            return Ok(());
        }
        cx.aws
            .eks
            .delete_addon()
            .cluster_name(cx.cluster.eks_name())
            .addon_name(self.name)
            .preserve(false)
            .send()
            .await
            .called("eks:DeleteAddon")
            .unless(&["ResourceNotFoundException"])?;
        Ok(())
    }
}

fn state(addon: &aws_sdk_eks::types::Addon) -> Observed {
    match addon.status() {
        Some(AddonStatus::Active) => Observed::Ready(describe(addon)),
        Some(status @ (AddonStatus::CreateFailed | AddonStatus::DeleteFailed | AddonStatus::UpdateFailed)) => {
            let issues = addon.health().map(|health| health.issues()).unwrap_or_default();
            let issues = issues.iter().map(|issue| Issue { code: issue.code().map(|code| code.as_str()), message: issue.message() });
            let what = format!("The add-on {}", addon.addon_name().unwrap_or_default());
            Observed::Broken(broken(&what, status.as_str(), issues))
        }
        // Degraded passes: its pods wait for nodes.
        _ => Observed::Pending,
    }
}

fn describe(addon: &aws_sdk_eks::types::Addon) -> Outputs {
    outputs([("name", addon.addon_name()), ("arn", addon.addon_arn()), ("version", addon.addon_version())])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_add_on_that_waits_for_nodes_is_pending_and_not_broken() {
        for (status, expected) in [
            (AddonStatus::Active, "Ready"),
            (AddonStatus::Creating, "Pending"),
            (AddonStatus::Updating, "Pending"),
            (AddonStatus::Deleting, "Pending"),
            (AddonStatus::Degraded, "Pending"),
            (AddonStatus::CreateFailed, "Broken"),
            (AddonStatus::UpdateFailed, "Broken"),
            (AddonStatus::DeleteFailed, "Broken"),
        ] {
            let seen = format!("{:?}", state(&aws_sdk_eks::types::Addon::builder().status(status.clone()).build()));
            assert!(seen.starts_with(expected), "{status}: {seen}");
        }
    }
}
