//! The Pod Identity association that gives the EBS CSI controller its role.

use super::owned::{check_ours, id, tag_map};
use crate::errors::{Called, Result, Unless};
use crate::resource::{Context, Key, Observed, Resource, Stage};
use async_trait::async_trait;

const NAMESPACE: &str = "kube-system";
const SERVICE_ACCOUNT: &str = "ebs-csi-controller-sa";

pub struct PodIdentity;

impl PodIdentity {
    /// EKS allows one association for a service account.
    async fn find(&self, cx: &Context) -> Result<Option<String>> {
        let answer = cx
            .aws
            .eks
            .list_pod_identity_associations()
            .cluster_name(cx.cluster.eks_name())
            .namespace(NAMESPACE)
            .service_account(SERVICE_ACCOUNT)
            .send()
            .await
            .called("eks:ListPodIdentityAssociations")
            .unless(&["ResourceNotFoundException"])?;
        let associations = answer.and_then(|answer| answer.associations).unwrap_or_default();
        let Some(found) = associations.into_iter().find_map(|association| association.association_id) else {
            return Ok(None);
        };
        self.check(cx, &found).await
    }

    /// The list shows no tags.
    async fn check(&self, cx: &Context, association_id: &str) -> Result<Option<String>> {
        let answer = cx
            .aws
            .eks
            .describe_pod_identity_association()
            .cluster_name(cx.cluster.eks_name())
            .association_id(association_id)
            .send()
            .await
            .called("eks:DescribePodIdentityAssociation")
            .unless(&["ResourceNotFoundException"])?;
        let Some(association) = answer.and_then(|answer| answer.association) else {
            return Ok(None);
        };
        let what = format!("The Pod Identity association of {NAMESPACE}/{SERVICE_ACCOUNT}");
        check_ours(&cx.cluster, &what, association.tags().into_iter().flatten())?;
        Ok(Some(association_id.to_owned()))
    }
}

#[async_trait]
impl Resource for PodIdentity {
    fn key(&self) -> Key {
        "pod-identity/ebs-csi".into()
    }

    fn stage(&self) -> Stage {
        Stage::CreateNodegroups
    }

    fn needs(&self) -> Vec<Key> {
        vec!["cluster".into(), "role/ebs-csi".into()]
    }

    async fn observe(&self, cx: &Context) -> Result<Observed> {
        Ok(self.find(cx).await?.map_or(Observed::Absent, |found| Observed::Ready(id(found))))
    }

    async fn create(&self, cx: &Context) -> Result<()> {
        let key = self.key();
        cx.aws
            .eks
            .create_pod_identity_association()
            .cluster_name(cx.cluster.eks_name())
            .namespace(NAMESPACE)
            .service_account(SERVICE_ACCOUNT)
            .role_arn(cx.output("role/ebs-csi", "arn")?)
            .set_tags(tag_map(&cx.cluster, &key))
            .send()
            .await
            .called("eks:CreatePodIdentityAssociation")
            .unless(&["ResourceInUseException"])?;
        Ok(())
    }

    async fn update(&self, _: &Context) -> Result<()> {
        Ok(())
    }

    async fn delete(&self, cx: &Context) -> Result<()> {
        let Some(association_id) = self.find(cx).await? else {
            return Ok(());
        };
        cx.aws
            .eks
            .delete_pod_identity_association()
            .cluster_name(cx.cluster.eks_name())
            .association_id(association_id)
            .send()
            .await
            .called("eks:DeletePodIdentityAssociation")
            .unless(&["ResourceNotFoundException"])?;
        Ok(())
    }
}
