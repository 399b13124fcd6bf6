//! A managed node group: one per instance type and, in a cluster of ours, the small one that the system's own pods run on.

use super::health::{Issue, broken};
use super::owned::{check_ours, outputs, tag_map};
use super::subnet;
use crate::errors::{Called, Class, Error, Result, Unless};
use crate::instances;
use crate::resource::{Cluster, Context, Key, Observed, Outputs, Pace, Resource, Stage};
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
    pub place: Place,
}

/// Whose cluster the nodes join.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Ours, with private subnets in so many availability zones.
    Ours { zones: usize },
    /// The customer's, with a node role of theirs. No launch template, so that nothing of EC2 has to be granted: EKS's own asks for
    /// IMDSv2, too.
    Theirs,
}

impl NodeGroup {
    pub fn system(zones: usize) -> Self {
        Self { group: "system".into(), instance_type: SYSTEM_TYPE.into(), least: 1, desired: 1, most: 3, place: Place::Ours { zones } }
    }

    pub fn of(wanted: &InstanceType, place: Place) -> Self {
        Self {
            group: wanted.name.clone(),
            instance_type: wanted.name.clone(),
            least: 0,
            desired: wanted.overprovisioned_ondemand_count,
            most: wanted.max_count,
            place,
        }
    }

    /// EKS allows no dots.
    fn label(&self) -> String {
        self.group.replace('.', "-")
    }

    /// In a cluster of theirs the id tells it from the customer's own groups.
    fn name(&self, cluster: &Cluster) -> String {
        match self.place {
            Place::Ours { .. } => self.label(),
            Place::Theirs => cluster.scoped(&self.label()),
        }
    }

    fn launch_template_key(&self) -> Key {
        format!("launch-template/{}", self.group).into()
    }

    fn launch_template(&self, cx: &Context) -> Result<Option<LaunchTemplateSpecification>> {
        if self.place == Place::Theirs {
            return Ok(None);
        }
        let output = |name| cx.output(self.launch_template_key(), name);
        Ok(Some(LaunchTemplateSpecification::builder().id(output("id")?).version(output("version")?).build()))
    }

    fn role(&self, cx: &Context) -> Result<String> {
        match &cx.cluster.spec.node_role_arn {
            Some(theirs) => Ok(theirs.clone()),
            None => cx.output("role/node", "arn"),
        }
    }

    fn subnets(&self, cx: &Context) -> Result<Vec<String>> {
        let theirs = &cx.cluster.spec.subnet_ids;
        match self.place {
            Place::Ours { zones } => subnet::keys(false, zones).map(|subnet| cx.output(subnet, "id")).collect(),
            Place::Theirs if !theirs.is_empty() => Ok(theirs.clone()),
            Place::Theirs => Ok(cx.output("cluster", "subnets")?.split(',').map(str::to_owned).collect()),
        }
    }

    async fn find(&self, cx: &Context) -> Result<Option<aws_sdk_eks::types::Nodegroup>> {
        let name = self.name(&cx.cluster);
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
        let mut labels = HashMap::from([(GROUP_LABEL.to_owned(), self.label())]);
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
        let Place::Ours { zones } = self.place else { return vec!["cluster".into()] };
        let mut needs: Vec<Key> =
            ["cluster", "role/node", "route-table/private", "nat-gateway", "addon/vpc-cni", "addon/kube-proxy"].map(Key::from).into();
        needs.push(self.launch_template_key());
        needs.extend(subnet::keys(false, zones));
        needs
    }

    fn pace(&self) -> Pace {
        Pace::seconds(60, 10)
    }

    async fn observe(&self, cx: &Context) -> Result<Observed> {
        let seen = self.find(cx).await?.as_ref().map_or(Observed::Absent, state);
        Ok(if self.place == Place::Theirs { in_their_network(seen) } else { seen })
    }

    /// Without a token of ours: its name makes it one of a kind in the cluster, and a group that failed and was deleted must not be
    /// answered with the first one's record when a retry makes it again.
    async fn create(&self, cx: &Context) -> Result<()> {
        let image = instances::image(&self.instance_type).map_err(|reason| {
            Error::customer("InstanceTypeWithoutImage", reason, "Delete the cluster and ask for one with another instance type.")
        })?;
        cx.aws
            .eks
            .create_nodegroup()
            .cluster_name(cx.cluster.eks_name())
            .nodegroup_name(self.name(&cx.cluster))
            .node_role(self.role(cx)?)
            .set_subnets(Some(self.subnets(cx)?))
            .instance_types(&self.instance_type)
            .ami_type(image.ami)
            .capacity_type(CapacityTypes::OnDemand)
            .scaling_config(self.scaling())
            .set_launch_template(self.launch_template(cx)?)
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
            .nodegroup_name(self.name(&cx.cluster))
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

/// Nodes that cannot join over a network of the customer's are for the customer to look at, and no alarm of ours.
fn in_their_network(seen: Observed) -> Observed {
    match seen {
        Observed::Broken(error) if error.code == "NodeCreationFailure" => Observed::Broken(Error { class: Class::Customer, ..error }),
        seen => seen,
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
        for (group, expected) in [(NodeGroup::of(&wanted, Place::Ours { zones: 2 }), (0, 2, 10)), (NodeGroup::system(2), (1, 1, 3))] {
            let scaling = group.scaling();
            let sizes = (scaling.min_size(), scaling.desired_size(), scaling.max_size());
            assert_eq!(sizes, (Some(expected.0), Some(expected.1), Some(expected.2)), "{}", group.group);
        }
    }

    #[test]
    fn what_keeps_nodes_from_joining_is_for_whoever_made_the_network() {
        let failed = |code: NodegroupIssueCode| {
            let health = NodegroupHealth::builder().issues(GroupIssue::builder().code(code).build()).build();
            state(&Nodegroup::builder().status(NodegroupStatus::CreateFailed).health(health).build())
        };
        for (seen, class) in [
            (failed(NodegroupIssueCode::NodeCreationFailure), Class::Permanent),
            (in_their_network(failed(NodegroupIssueCode::NodeCreationFailure)), Class::Customer),
            (in_their_network(failed("Strange".into())), Class::Permanent),
        ] {
            let Observed::Broken(error) = seen else { panic!("must be broken") };
            assert_eq!(error.class, class, "{}", error.code);
        }
    }
}
