//! An EKS add-on, in AWS's default version for the cluster's version.
//!
//! Daemon sets are ready when no node lacks their pod, so they come up before the nodes, which never get ready without vpc-cni.
//! Deployments need nodes.

use super::health::{Issue, broken};
use super::owned::{check_ours, outputs, tag_map};
use crate::cluster::Cluster;
use crate::context::Context;
use crate::errors::table::{GONE_IN_EKS, THERE_IN_EKS};
use crate::errors::{Called, Error, Result, Unless};
use crate::resource::{Difference, How, Made, Pace, Planned, Seen, Usual};
use async_trait::async_trait;
use aws_sdk_eks::types::{AddonStatus, ResolveConflicts};
use serde_json::{Value, json};
use strum::VariantArray;
use wire::journal::Outputs;
use wire::key::{Addon, Group, Key, NodeLog, Role};
use wire::stage::Stage;

type Found = aws_sdk_eks::types::Addon;

/// What an add-on makes in the account carries our owner tag, so that teardown may remove what it leaves, and the tenant's.
fn configuration(addon: Addon, cluster: &Cluster) -> Option<Value> {
    let tags = json!(cluster.tags_of_all());
    match addon {
        // The plugin reads this as a string.
        Addon::VpcCni => Some(json!({"env": {"ADDITIONAL_ENI_TAGS": tags.to_string()}})),
        Addon::AwsEbsCsiDriver => Some(json!({"controller": {"extraVolumeTags": tags}})),
        // Without this, it also instruments the tenant's own programs (Application Signals), for a price of its own.
        Addon::AmazonCloudwatchObservability => {
            let insights = json!({"kubernetes": {"enhanced_container_insights": true}});
            Some(json!({"agent": {"config": {"logs": {"metrics_collected": insights}}}}))
        }
        // Pods reach buckets as themselves, so its driver has no role. Version 2.5 is the first that the autoscaler looks past on idle nodes:
        // <https://github.com/awslabs/mountpoint-s3-csi-driver/issues/675>
        Addon::AwsMountpointS3CsiDriver
        | Addon::KubeProxy
        | Addon::EksPodIdentityAgent
        | Addon::Coredns
        | Addon::MetricsServer
        | Addon::EksNodeMonitoringAgent => None,
    }
}

impl Planned for Addon {
    fn key(&self) -> Key {
        Key::Addon(*self)
    }

    /// The first nodes wait only for the add-ons without which they cannot join.
    fn goes_with_the_cluster(&self) -> bool {
        true
    }

    fn stage(&self) -> Stage {
        match self {
            Addon::VpcCni | Addon::KubeProxy => Stage::CreateEks,
            Addon::EksPodIdentityAgent
            | Addon::Coredns
            | Addon::AwsEbsCsiDriver
            | Addon::AwsMountpointS3CsiDriver
            | Addon::MetricsServer
            | Addon::EksNodeMonitoringAgent
            | Addon::AmazonCloudwatchObservability => Stage::CreateNodegroups,
        }
    }

    fn needs(&self) -> Vec<Key> {
        match self {
            Addon::VpcCni | Addon::KubeProxy | Addon::EksPodIdentityAgent | Addon::EksNodeMonitoringAgent => vec![Key::Cluster],
            Addon::Coredns | Addon::AwsMountpointS3CsiDriver | Addon::MetricsServer => vec![Key::NodeGroup(Group::System)],
            Addon::AwsEbsCsiDriver => {
                vec![Key::NodeGroup(Group::System), Key::PodIdentity(Role::EbsCsi), Key::Addon(Addon::EksPodIdentityAgent)]
            }
            Addon::AmazonCloudwatchObservability => {
                let own = [Key::NodeGroup(Group::System), Key::PodIdentity(Role::CloudwatchAgent), Key::Addon(Addon::EksPodIdentityAgent)];
                own.into_iter().chain(NodeLog::VARIANTS.iter().copied().map(Key::NodeLog)).collect()
            }
        }
    }

    fn pace(&self) -> Pace {
        Pace::seconds(15, 5)
    }

    fn usual(&self) -> Usual {
        Usual { made: 45, removed: 15 }
    }
}

#[async_trait]
impl Made for Addon {
    type Thing = Found;

    async fn find(&self, cx: &Context) -> Result<Option<Found>> {
        let call = cx.aws.eks.describe_addon().cluster_name(cx.cluster.eks_name()).addon_name(self.to_string());
        let answer = call.send().await.called("eks:DescribeAddon").unless(GONE_IN_EKS)?;
        let Some(addon) = answer.and_then(|answer| answer.addon) else {
            return Ok(None);
        };
        check_ours(&cx.cluster, &format!("The add-on {self}"), addon.tags().into_iter().flatten())?;
        Ok(Some(addon))
    }

    fn judge(&self, _: &Cluster, addon: &Found) -> Seen {
        match addon.status() {
            Some(AddonStatus::Active) => Seen::Ready,
            Some(status @ (AddonStatus::CreateFailed | AddonStatus::UpdateFailed)) => Seen::given_up(given_up(*self, addon, status)),
            Some(status @ AddonStatus::DeleteFailed) => Seen::DeleteFailed(given_up(*self, addon, status)),
            // Going up it is waited for, and going down it can be deleted.
            Some(AddonStatus::Degraded) => Seen::but_for([Difference::between("has_its_pods", false, true, How::InPlace)]),
            _ => Seen::Busy,
        }
    }

    fn outputs(&self, _: &Cluster, addon: &Found) -> Outputs {
        outputs([("name", addon.addon_name()), ("arn", addon.addon_arn()), ("version", addon.addon_version())])
    }

    /// Without a token of ours: its name is unique in the cluster, and a retry after a failed add-on must not be answered with the first
    /// one's record.
    async fn create(&self, cx: &Context) -> Result<()> {
        let configuration = configuration(*self, &cx.cluster).map(|values| values.to_string());
        let call = cx.aws.eks.create_addon().cluster_name(cx.cluster.eks_name()).addon_name(self.to_string());
        let call = call.resolve_conflicts(ResolveConflicts::Overwrite).set_configuration_values(configuration);
        let call = call.set_tags(tag_map(&cx.cluster, &self.key()));
        call.send().await.called("eks:CreateAddon").done_if(THERE_IN_EKS)
    }

    /// Its pods wait for nodes, and EKS starts them once there are some.
    async fn mend(&self, _: &Context, _: &Found) -> Result<()> {
        Ok(())
    }

    async fn delete(&self, cx: &Context, _: &Found) -> Result<()> {
        let call = cx.aws.eks.delete_addon().cluster_name(cx.cluster.eks_name()).addon_name(self.to_string()).preserve(false);
        call.send().await.called("eks:DeleteAddon").done_if(GONE_IN_EKS)
    }
}

fn given_up(which: Addon, addon: &Found, status: &AddonStatus) -> Error {
    let issues = addon.health().map(|health| health.issues()).unwrap_or_default();
    let issues = issues.iter().map(|issue| Issue { code: issue.code().map(|code| code.as_str()), message: issue.message() });
    broken(&format!("The add-on {which}"), status.as_str(), issues)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_add_on_makes_has_the_owner_tag_and_the_tenants() {
        let cluster = Cluster::example(json!({"tags": {"CostCenter": "4711"}}));
        let expected = json!({"CostCenter": "4711", "groundwork:cluster": cluster.id});
        let plugin = configuration(Addon::VpcCni, &cluster).expect("a configuration");
        assert_eq!(plugin["env"]["ADDITIONAL_ENI_TAGS"], expected.to_string());
        assert_eq!(configuration(Addon::AwsEbsCsiDriver, &cluster), Some(json!({"controller": {"extraVolumeTags": expected}})));
    }

    #[test]
    fn an_add_on_that_waits_for_nodes_is_half_made_and_not_broken() {
        let cluster = Cluster::example(json!({}));
        let failed = |status: &str| Seen::Broken(broken("The add-on coredns", status, []));
        for (status, expected) in [
            (AddonStatus::Active, Seen::Ready),
            (AddonStatus::Creating, Seen::Busy),
            (AddonStatus::Updating, Seen::Busy),
            (AddonStatus::Deleting, Seen::Busy),
            (AddonStatus::Degraded, Seen::but_for([Difference::between("has_its_pods", false, true, How::InPlace)])),
            (AddonStatus::CreateFailed, failed("CREATE_FAILED")),
            (AddonStatus::UpdateFailed, failed("UPDATE_FAILED")),
            (AddonStatus::DeleteFailed, Seen::DeleteFailed(broken("The add-on coredns", "DELETE_FAILED", []))),
        ] {
            let addon = Found::builder().status(status.clone()).build();
            assert_eq!(Addon::Coredns.judge(&cluster, &addon), expected, "{status}");
        }
    }
}
