//! The EKS control plane: private endpoint always, all logs, and nobody an administrator but by an access entry.

use super::health::{Issue, broken};
use super::owned::{check_ours, outputs, tag_map};
use super::subnet;
use crate::errors::{Called, Result, Unless};
use crate::resource::{Context, Key, Observed, Outputs, Pace, Resource, Stage};
use async_trait::async_trait;
use aws_sdk_eks::types::{
    AuthenticationMode, Cluster, ClusterStatus, CreateAccessConfigRequest, LogSetup, LogType, Logging, VpcConfigRequest,
};

/// Needs subnets, its role and the log group, but no way out: the NAT gateway comes up beside it.
pub struct ControlPlane {
    /// How many availability zones the cluster's subnets are in.
    pub zones: usize,
}

impl ControlPlane {
    fn subnets(&self) -> Vec<Key> {
        subnet::keys(true, self.zones).chain(subnet::keys(false, self.zones)).collect()
    }

    async fn find(&self, cx: &Context) -> Result<Option<Cluster>> {
        let name = cx.cluster.eks_name();
        let answer =
            cx.aws.eks.describe_cluster().name(&name).send().await.called("eks:DescribeCluster").unless(&["ResourceNotFoundException"])?;
        let Some(cluster) = answer.and_then(|answer| answer.cluster) else {
            return Ok(None);
        };
        check_ours(&cx.cluster, &format!("The EKS cluster {name}"), cluster.tags().into_iter().flatten())?;
        Ok(Some(cluster))
    }

    fn network(&self, cx: &Context) -> Result<VpcConfigRequest> {
        let subnet_ids: Result<_> = self.subnets().into_iter().map(|subnet| cx.output(subnet, "id")).collect();
        let cidrs = cx.cluster.spec.public_access_cidrs.clone().filter(|cidrs| !cidrs.is_empty());
        Ok(VpcConfigRequest::builder()
            .set_subnet_ids(Some(subnet_ids?))
            .endpoint_private_access(true)
            .endpoint_public_access(cidrs.is_some())
            .set_public_access_cidrs(cidrs)
            .build())
    }
}

#[async_trait]
impl Resource for ControlPlane {
    fn key(&self) -> Key {
        "cluster".into()
    }

    fn stage(&self) -> Stage {
        Stage::CreateEks
    }

    fn needs(&self) -> Vec<Key> {
        let mut needs = vec!["role/cluster".into(), "log-group".into(), "leftovers".into()];
        needs.extend(self.subnets());
        needs
    }

    fn pace(&self) -> Pace {
        Pace::seconds(420, 10)
    }

    async fn observe(&self, cx: &Context) -> Result<Observed> {
        Ok(self.find(cx).await?.as_ref().map_or(Observed::Absent, state))
    }

    /// Without a token of ours, as all of EKS: its name makes it one of a kind, and one that failed and was deleted must not answer
    /// for the one that a retry makes.
    async fn create(&self, cx: &Context) -> Result<()> {
        let key = self.key();
        let access = CreateAccessConfigRequest::builder()
            .authentication_mode(AuthenticationMode::Api)
            .bootstrap_cluster_creator_admin_permissions(false)
            .build();
        cx.aws
            .eks
            .create_cluster()
            .name(cx.cluster.eks_name())
            .role_arn(cx.output("role/cluster", "arn")?)
            .resources_vpc_config(self.network(cx)?)
            .logging(every_log())
            .access_config(access)
            .bootstrap_self_managed_addons(false)
            .set_tags(tag_map(&cx.cluster, &key))
            .send()
            .await
            .called("eks:CreateCluster")
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
            .delete_cluster()
            .name(cx.cluster.eks_name())
            .send()
            .await
            .called("eks:DeleteCluster")
            .unless(&["ResourceNotFoundException"])?;
        Ok(())
    }
}

fn every_log() -> Logging {
    let types = vec![LogType::Api, LogType::Audit, LogType::Authenticator, LogType::ControllerManager, LogType::Scheduler];
    Logging::builder().cluster_logging(LogSetup::builder().set_types(Some(types)).enabled(true).build()).build()
}

fn state(cluster: &Cluster) -> Observed {
    match cluster.status() {
        Some(ClusterStatus::Active) => Observed::Ready(describe(cluster)),
        Some(status @ ClusterStatus::Failed) => {
            let issues = cluster.health().map(|health| health.issues()).unwrap_or_default();
            let issues = issues.iter().map(|issue| Issue { code: issue.code().map(|code| code.as_str()), message: issue.message() });
            Observed::Broken(broken("The EKS cluster", status.as_str(), issues))
        }
        _ => Observed::Pending,
    }
}

pub(super) fn describe(cluster: &Cluster) -> Outputs {
    let network = cluster.resources_vpc_config();
    outputs([
        ("name", cluster.name()),
        ("arn", cluster.arn()),
        ("endpoint", cluster.endpoint()),
        ("ca", cluster.certificate_authority().and_then(|authority| authority.data())),
        ("version", cluster.version()),
        ("platform", cluster.platform_version()),
        ("security_group", network.and_then(|network| network.cluster_security_group_id())),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_eks::types::{ClusterHealth, ClusterIssue, ClusterIssueCode};

    #[test]
    fn only_active_is_ready_and_only_failed_is_broken() {
        for (status, expected) in [
            (ClusterStatus::Active, "Ready"),
            (ClusterStatus::Creating, "Pending"),
            (ClusterStatus::Pending, "Pending"),
            (ClusterStatus::Updating, "Pending"),
            (ClusterStatus::Deleting, "Pending"),
            (ClusterStatus::Failed, "Broken"),
        ] {
            let seen = format!("{:?}", state(&Cluster::builder().status(status.clone()).build()));
            assert!(seen.starts_with(expected), "{status}: {seen}");
        }
    }

    #[test]
    fn a_failed_cluster_says_what_aws_says() {
        let issue = ClusterIssue::builder().code(ClusterIssueCode::InsufficientFreeAddresses).message("subnet-1 is full").build();
        let health = ClusterHealth::builder().issues(issue).build();
        let Observed::Broken(error) = state(&Cluster::builder().status(ClusterStatus::Failed).health(health).build()) else {
            panic!("must be broken")
        };
        assert_eq!(error.reason, "The EKS cluster is FAILED; InsufficientFreeAddresses: subnet-1 is full");
    }
}
