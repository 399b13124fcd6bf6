//! The Pod Identity associations that give pods their roles: of the EBS CSI controller, the CloudWatch agent, the autoscaler, and those that
//! researchers run.

use super::owned::{check_ours, id, tag_map};
use crate::cluster::Cluster;
use crate::context::Context;
use crate::errors::table::{GONE_IN_EKS, THERE_IN_EKS};
use crate::errors::{Called, Result, Unless};
use crate::resource::{Made, Planned, Seen};
use async_trait::async_trait;
use wire::journal::Outputs;
use wire::key::{Key, Role};
use wire::place;
use wire::stage::Stage;

pub struct PodIdentity {
    role: Role,
    namespace: &'static str,
    service_account: &'static str,
}

impl PodIdentity {
    /// None for a role that no pod has. Fluent Bit shares the agent's service account.
    /// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/install-CloudWatch-Observability-EKS-addon.html>
    pub fn of(role: Role) -> Option<Self> {
        let (namespace, service_account) = match role {
            Role::Cluster | Role::Node | Role::Hand => return None,
            Role::EbsCsi => ("kube-system", "ebs-csi-controller-sa"),
            Role::CloudwatchAgent => ("amazon-cloudwatch", "cloudwatch-agent"),
            Role::Autoscaler => (place::AUTOSCALER_NAMESPACE, place::AUTOSCALER),
            Role::Workload => (place::NAMESPACE, place::SERVICE_ACCOUNT),
        };
        Some(Self { role, namespace, service_account })
    }

    /// The list shows no tags.
    async fn is_there(&self, cx: &Context, association_id: &str) -> Result<bool> {
        let call = cx.aws.eks.describe_pod_identity_association().cluster_name(cx.cluster.eks_name()).association_id(association_id);
        let answer = call.send().await.called("eks:DescribePodIdentityAssociation").unless(GONE_IN_EKS)?;
        let Some(association) = answer.and_then(|answer| answer.association) else {
            return Ok(false);
        };
        let what = format!("The Pod Identity association of {}/{}", self.namespace, self.service_account);
        check_ours(&cx.cluster, &what, association.tags().into_iter().flatten()).map(|()| true)
    }
}

impl Planned for PodIdentity {
    fn key(&self) -> Key {
        Key::PodIdentity(self.role)
    }

    fn goes_with_the_cluster(&self) -> bool {
        true
    }

    /// The add-ons among the nodes wait for theirs.
    fn stage(&self) -> Stage {
        match self.role {
            Role::Autoscaler | Role::Workload => Stage::Furnish,
            Role::Cluster | Role::Node | Role::EbsCsi | Role::CloudwatchAgent | Role::Hand => Stage::CreateNodegroups,
        }
    }

    fn needs(&self) -> Vec<Key> {
        vec![Key::Cluster, Key::Role(self.role)]
    }
}

#[async_trait]
impl Made for PodIdentity {
    /// The association's id.
    type Thing = String;

    /// EKS allows one association per service account.
    async fn find(&self, cx: &Context) -> Result<Option<String>> {
        let call = cx.aws.eks.list_pod_identity_associations().cluster_name(cx.cluster.eks_name());
        let call = call.namespace(self.namespace).service_account(self.service_account);
        let answer = call.send().await.called("eks:ListPodIdentityAssociations").unless(GONE_IN_EKS)?;
        let associations = answer.and_then(|answer| answer.associations).unwrap_or_default();
        let Some(found) = associations.into_iter().find_map(|association| association.association_id) else {
            return Ok(None);
        };
        Ok(self.is_there(cx, &found).await?.then_some(found))
    }

    fn judge(&self, _: &Cluster, _: &String) -> Seen {
        Seen::Ready
    }

    fn outputs(&self, _: &Cluster, association_id: &String) -> Outputs {
        id(association_id)
    }

    async fn create(&self, cx: &Context) -> Result<()> {
        let call = cx.aws.eks.create_pod_identity_association().cluster_name(cx.cluster.eks_name());
        let call = call.namespace(self.namespace).service_account(self.service_account).role_arn(cx.output(&Key::Role(self.role), "arn")?);
        let call = call.set_tags(tag_map(&cx.cluster, &self.key()));
        call.send().await.called("eks:CreatePodIdentityAssociation").done_if(THERE_IN_EKS)
    }

    async fn delete(&self, cx: &Context, association_id: &String) -> Result<()> {
        let call = cx.aws.eks.delete_pod_identity_association().cluster_name(cx.cluster.eks_name()).association_id(association_id);
        call.send().await.called("eks:DeletePodIdentityAssociation").done_if(GONE_IN_EKS)
    }
}
