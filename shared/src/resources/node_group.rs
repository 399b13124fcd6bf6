//! A managed node group: one per instance type, and the small one that the system's own pods run on.

use super::health::{Issue, broken};
use super::owned::{check_ours, outputs, tag_map};
use super::subnet;
use crate::errors::{Called, Error, Result, Unless};
use crate::instances;
use crate::resource::{Context, Key, Observed, Outputs, Pace, Resource, Stage};
use crate::spec::InstanceType;
use async_trait::async_trait;
use aws_sdk_eks::types::{CapacityTypes, LaunchTemplateSpecification, NodegroupScalingConfig, NodegroupStatus, Taint, TaintEffect};
use std::collections::HashMap;

/// Enough for coredns and the CSI controllers; the rest runs where the tenant asked for nodes.
const SYSTEM_TYPE: &str = "t3.medium";
const GROUP_LABEL: &str = "groundwork.dev/node-group";

pub struct NodeGroup {
    /// `system`, or the instance type that it is for.
    pub group: String,
    pub instance_type: String,
    pub least: u32,
    pub desired: u32,
    pub most: u32,
    /// How many availability zones the private subnets are in.
    pub zones: usize,
}

impl NodeGroup {
    pub fn system(zones: usize) -> Self {
        Self { group: "system".into(), instance_type: SYSTEM_TYPE.into(), least: 1, desired: 1, most: 3, zones }
    }

    pub fn of(wanted: &InstanceType, zones: usize) -> Self {
        Self {
            group: wanted.name.clone(),
            instance_type: wanted.name.clone(),
            least: 0,
            desired: wanted.overprovisioned_ondemand_count,
            most: wanted.max_count,
            zones,
        }
    }

    /// EKS allows no dots.
    fn name(&self) -> String {
        self.group.replace('.', "-")
    }

    fn launch_template(&self) -> Key {
        format!("launch-template/{}", self.group).into()
    }

    fn subnets(&self) -> impl Iterator<Item = Key> {
        subnet::keys(false, self.zones)
    }

    async fn find(&self, cx: &Context) -> Result<Option<aws_sdk_eks::types::Nodegroup>> {
        let name = self.name();
        let answer = cx
            .aws
            .eks
            .describe_nodegroup()
            .cluster_name(cx.cluster.eks_name())
            .nodegroup_name(&name)
            .send()
            .await
            .called("eks:DescribeNodegroup")
            .unless(&["ResourceNotFoundException"])?;
        let Some(group) = answer.and_then(|answer| answer.nodegroup) else {
            return Ok(None);
        };
        check_ours(&cx.cluster, &format!("The node group {name}"), group.tags().into_iter().flatten())?;
        Ok(Some(group))
    }

    fn scaling(&self) -> NodegroupScalingConfig {
        let count = |nodes: u32| i32::try_from(nodes).unwrap_or(i32::MAX);
        NodegroupScalingConfig::builder().min_size(count(self.least)).desired_size(count(self.desired)).max_size(count(self.most)).build()
    }

    fn labels(&self, gpu: bool) -> HashMap<String, String> {
        let mut labels = HashMap::from([(GROUP_LABEL.to_owned(), self.name())]);
        if gpu {
            labels.insert("nvidia.com/gpu.present".into(), "true".into());
        }
        labels
    }
}

#[async_trait]
impl Resource for NodeGroup {
    fn key(&self) -> Key {
        format!("node-group/{}", self.group).into()
    }

    fn stage(&self) -> Stage {
        Stage::CreateNodegroups
    }

    /// A node joins only with a way out to ECR and EKS, and with the network plugin there; going down, it keeps both to its end.
    fn needs(&self) -> Vec<Key> {
        let mut needs: Vec<Key> =
            ["cluster", "role/node", "route-table/private", "nat-gateway", "addon/vpc-cni", "addon/kube-proxy"].map(Key::from).into();
        needs.push(self.launch_template());
        needs.extend(self.subnets());
        needs
    }

    fn pace(&self) -> Pace {
        Pace::seconds(60, 10)
    }

    async fn observe(&self, cx: &Context) -> Result<Observed> {
        Ok(self.find(cx).await?.as_ref().map_or(Observed::Absent, state))
    }

    /// Without a token of ours: its name makes it one of a kind in the cluster, and a group that failed and was deleted must not be
    /// answered with the first one's record when a retry makes it again.
    async fn create(&self, cx: &Context) -> Result<()> {
        let image = instances::image(&self.instance_type).map_err(|reason| {
            Error::customer("InstanceTypeWithoutImage", reason, "Delete the cluster and ask for one with another instance type.")
        })?;
        let subnet_ids: Result<_> = self.subnets().map(|subnet| cx.output(subnet, "id")).collect();
        let template = LaunchTemplateSpecification::builder()
            .id(cx.output(self.launch_template(), "id")?)
            .version(cx.output(self.launch_template(), "version")?)
            .build();
        cx.aws
            .eks
            .create_nodegroup()
            .cluster_name(cx.cluster.eks_name())
            .nodegroup_name(self.name())
            .node_role(cx.output("role/node", "arn")?)
            .set_subnets(Some(subnet_ids?))
            .instance_types(&self.instance_type)
            .ami_type(image.ami)
            .capacity_type(CapacityTypes::OnDemand)
            .scaling_config(self.scaling())
            .launch_template(template)
            .set_labels(Some(self.labels(image.gpu)))
            .set_taints(image.gpu.then(|| vec![gpu_taint()]))
            .set_tags(tag_map(&cx.cluster, &self.key()))
            .send()
            .await
            .called("eks:CreateNodegroup")
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
            .delete_nodegroup()
            .cluster_name(cx.cluster.eks_name())
            .nodegroup_name(self.name())
            .send()
            .await
            .called("eks:DeleteNodegroup")
            .unless(&["ResourceNotFoundException"])?;
        Ok(())
    }
}

/// Keeps pods that ask for no GPU off nodes that cost as much as one.
fn gpu_taint() -> Taint {
    Taint::builder().key("nvidia.com/gpu").value("true").effect(TaintEffect::NoSchedule).build()
}

fn state(group: &aws_sdk_eks::types::Nodegroup) -> Observed {
    match group.status() {
        Some(NodegroupStatus::Active) => Observed::Ready(describe(group)),
        Some(status @ (NodegroupStatus::Degraded | NodegroupStatus::CreateFailed | NodegroupStatus::DeleteFailed)) => {
            let issues = group.health().map(|health| health.issues()).unwrap_or_default();
            let issues = issues.iter().map(|issue| Issue { code: issue.code().map(|code| code.as_str()), message: issue.message() });
            let what = format!("The node group {}", group.nodegroup_name().unwrap_or_default());
            let error = broken(&what, status.as_str(), issues);
            // A degraded group may run the tenant's work on the nodes that it has.
            if *status == NodegroupStatus::Degraded { Observed::Sick(error) } else { Observed::Broken(error) }
        }
        _ => Observed::Pending,
    }
}

fn describe(group: &aws_sdk_eks::types::Nodegroup) -> Outputs {
    let scaling_groups = group.resources().map(|resources| resources.auto_scaling_groups()).unwrap_or_default();
    outputs([
        ("name", group.nodegroup_name()),
        ("arn", group.nodegroup_arn()),
        ("autoscaling_group", scaling_groups.first().and_then(|group| group.name())),
        ("instance_type", group.instance_types().first().map(String::as_str)),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_eks::types::{Issue as GroupIssue, Nodegroup, NodegroupHealth, NodegroupIssueCode};

    #[test]
    fn a_group_that_failed_is_broken_and_a_degraded_one_is_sick_and_says_why() {
        for (status, expected) in [
            (NodegroupStatus::Active, "Ready"),
            (NodegroupStatus::Creating, "Pending"),
            (NodegroupStatus::Updating, "Pending"),
            (NodegroupStatus::Deleting, "Pending"),
            (NodegroupStatus::Degraded, "Sick"),
            (NodegroupStatus::CreateFailed, "Broken"),
            (NodegroupStatus::DeleteFailed, "Broken"),
        ] {
            let seen = format!("{:?}", state(&Nodegroup::builder().status(status.clone()).build()));
            assert!(seen.starts_with(expected), "{status}: {seen}");
        }
        let issue =
            GroupIssue::builder().code(NodegroupIssueCode::AsgInstanceLaunchFailures).message("InsufficientInstanceCapacity").build();
        let health = NodegroupHealth::builder().issues(issue).build();
        let group = Nodegroup::builder().nodegroup_name("p4d").status(NodegroupStatus::Degraded).health(health).build();
        let Observed::Sick(error) = state(&group) else { panic!("must be sick") };
        assert_eq!(error.reason, "The node group p4d is DEGRADED; AsgInstanceLaunchFailures: InsufficientInstanceCapacity");
    }

    #[test]
    fn the_tenant_s_groups_start_with_what_is_overprovisioned_and_the_system_s_with_a_node() {
        let wanted = InstanceType { name: "g4dn.xlarge".into(), overprovisioned_ondemand_count: 2, max_count: 10 };
        for (group, name, expected) in [(NodeGroup::of(&wanted, 2), "g4dn-xlarge", (0, 2, 10)), (NodeGroup::system(2), "system", (1, 1, 3))]
        {
            let scaling = group.scaling();
            let sizes = (scaling.min_size(), scaling.desired_size(), scaling.max_size());
            assert_eq!((group.name().as_str(), sizes), (name, (Some(expected.0), Some(expected.1), Some(expected.2))));
        }
    }
}
