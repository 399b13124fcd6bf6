//! The IAM roles: of the control plane, of the nodes, and of the EBS CSI driver.

use super::owned::check_ours;
use crate::errors::{Called, Error, Result, Unless};
use crate::names::ROLE_PATH;
use crate::permissions::boundary;
use crate::resource::{Context, Key, Observed, Outputs, Resource, Stage};
use async_trait::async_trait;
use aws_sdk_iam::error::BuildError;
use aws_sdk_iam::types::Tag;
use serde_json::json;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Cluster,
    Node,
    EbsCsi,
}

impl Role {
    fn purpose(self) -> &'static str {
        match self {
            Role::Cluster => "cluster",
            Role::Node => "node",
            Role::EbsCsi => "ebs-csi",
        }
    }

    /// Who may assume it, and how: Pod Identity tags its sessions with the pod's names.
    fn trust(self) -> String {
        let (service, actions) = match self {
            Role::Cluster => ("eks.amazonaws.com", json!(["sts:AssumeRole"])),
            Role::Node => ("ec2.amazonaws.com", json!(["sts:AssumeRole"])),
            Role::EbsCsi => ("pods.eks.amazonaws.com", json!(["sts:AssumeRole", "sts:TagSession"])),
        };
        json!({
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": {"Service": service}, "Action": actions}]
        })
        .to_string()
    }

    /// The paths of the AWS-managed policies that it needs.
    fn policies(self) -> &'static [&'static str] {
        match self {
            Role::Cluster => &["AmazonEKSClusterPolicy"],
            Role::Node => &["AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly", "AmazonEKS_CNI_Policy"],
            Role::EbsCsi => &["service-role/AmazonEBSCSIDriverPolicy"],
        }
    }

    fn name(self, cx: &Context) -> String {
        cx.cluster.scoped(self.purpose())
    }

    async fn find(self, cx: &Context) -> Result<Option<aws_sdk_iam::types::Role>> {
        let name = self.name(cx);
        let answer = cx.aws.iam.get_role().role_name(&name).send().await.called("iam:GetRole").unless(&["NoSuchEntity"])?;
        let Some(role) = answer.and_then(|answer| answer.role) else {
            return Ok(None);
        };
        check_ours(&cx.cluster, &format!("The IAM role {name}"), role.tags().iter().map(|tag| (tag.key(), tag.value())))?;
        Ok(Some(role))
    }

    async fn attached(self, cx: &Context) -> Result<Vec<String>> {
        let answer = cx
            .aws
            .iam
            .list_attached_role_policies()
            .role_name(self.name(cx))
            .send()
            .await
            .called("iam:ListAttachedRolePolicies")
            .unless(&["NoSuchEntity"])?;
        let policies = answer.and_then(|answer| answer.attached_policies).unwrap_or_default();
        Ok(policies.into_iter().filter_map(|policy| policy.policy_arn).collect())
    }

    async fn missing(self, cx: &Context) -> Result<Vec<String>> {
        let attached = self.attached(cx).await?;
        let partition = cx.cluster.spec.partition();
        let wanted = self.policies().iter().map(|path| format!("arn:{partition}:iam::aws:policy/{path}"));
        Ok(wanted.filter(|arn| !attached.contains(arn)).collect())
    }

    /// All of them: automation of the customer's organization attaches policies of its own to every role.
    async fn detach_policies(self, cx: &Context) -> Result<()> {
        for arn in self.attached(cx).await? {
            cx.aws
                .iam
                .detach_role_policy()
                .role_name(self.name(cx))
                .policy_arn(arn)
                .send()
                .await
                .called("iam:DetachRolePolicy")
                .unless(&["NoSuchEntity"])?;
        }
        Ok(())
    }

    async fn delete_inline_policies(self, cx: &Context) -> Result<()> {
        let name = self.name(cx);
        let answer =
            cx.aws.iam.list_role_policies().role_name(&name).send().await.called("iam:ListRolePolicies").unless(&["NoSuchEntity"])?;
        for policy in answer.map(|answer| answer.policy_names).unwrap_or_default() {
            cx.aws
                .iam
                .delete_role_policy()
                .role_name(&name)
                .policy_name(policy)
                .send()
                .await
                .called("iam:DeleteRolePolicy")
                .unless(&["NoSuchEntity"])?;
        }
        Ok(())
    }

    /// A profile holds one role; this role's is what EKS made for the nodes and may have left behind.
    async fn delete_instance_profiles(self, cx: &Context) -> Result<()> {
        let name = self.name(cx);
        let answer = cx
            .aws
            .iam
            .list_instance_profiles_for_role()
            .role_name(&name)
            .send()
            .await
            .called("iam:ListInstanceProfilesForRole")
            .unless(&["NoSuchEntity"])?;
        for profile in answer.map(|answer| answer.instance_profiles).unwrap_or_default() {
            let profile = profile.instance_profile_name();
            cx.aws
                .iam
                .remove_role_from_instance_profile()
                .role_name(&name)
                .instance_profile_name(profile)
                .send()
                .await
                .called("iam:RemoveRoleFromInstanceProfile")
                .unless(&["NoSuchEntity"])?;
            cx.aws
                .iam
                .delete_instance_profile()
                .instance_profile_name(profile)
                .send()
                .await
                .called("iam:DeleteInstanceProfile")
                .unless(&["NoSuchEntity"])?;
        }
        Ok(())
    }
}

#[async_trait]
impl Resource for Role {
    fn key(&self) -> Key {
        format!("role/{}", self.purpose()).into()
    }

    fn stage(&self) -> Stage {
        Stage::CreateEks
    }

    fn needs(&self) -> Vec<Key> {
        vec![]
    }

    async fn observe(&self, cx: &Context) -> Result<Observed> {
        let Some(role) = self.find(cx).await? else {
            return Ok(Observed::Absent);
        };
        if !self.missing(cx).await?.is_empty() {
            return Ok(Observed::Drifted);
        }
        Ok(Observed::Ready(Outputs::from([("arn".into(), role.arn), ("name".into(), role.role_name)])))
    }

    async fn create(&self, cx: &Context) -> Result<()> {
        cx.aws
            .iam
            .create_role()
            .role_name(self.name(cx))
            .path(ROLE_PATH)
            .permissions_boundary(boundary::arn(&cx.cluster.spec.names()))
            .assume_role_policy_document(self.trust())
            .set_tags(Some(tags(cx, &self.key())?))
            .send()
            .await
            .called("iam:CreateRole")
            .unless(&["EntityAlreadyExists"])?;
        Ok(())
    }

    async fn update(&self, cx: &Context) -> Result<()> {
        if self.find(cx).await?.is_none() {
            return Ok(());
        }
        for arn in self.missing(cx).await? {
            cx.aws.iam.attach_role_policy().role_name(self.name(cx)).policy_arn(arn).send().await.called("iam:AttachRolePolicy")?;
        }
        Ok(())
    }

    async fn delete(&self, cx: &Context) -> Result<()> {
        if self.find(cx).await?.is_none() {
            return Ok(());
        }
        self.detach_policies(cx).await?;
        self.delete_inline_policies(cx).await?;
        self.delete_instance_profiles(cx).await?;
        cx.aws.iam.delete_role().role_name(self.name(cx)).send().await.called("iam:DeleteRole").unless(&["NoSuchEntity"])?;
        Ok(())
    }
}

fn tags(cx: &Context, key: &Key) -> Result<Vec<Tag>> {
    let tags: Result<_, BuildError> =
        cx.cluster.tags(key).into_iter().map(|(name, value)| Tag::builder().key(name).value(value).build()).collect();
    tags.map_err(|error| Error::permanent("Tags", error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_service_that_uses_a_role_may_assume_it() {
        for (role, service, tags_sessions) in [
            (Role::Cluster, "eks.amazonaws.com", false),
            (Role::Node, "ec2.amazonaws.com", false),
            (Role::EbsCsi, "pods.eks.amazonaws.com", true),
        ] {
            let trust: serde_json::Value = serde_json::from_str(&role.trust()).expect("valid JSON");
            assert_eq!(trust["Statement"][0]["Principal"], json!({"Service": service}), "{role:?}");
            assert_eq!(role.trust().contains("sts:TagSession"), tags_sessions, "{role:?}");
        }
    }
}
