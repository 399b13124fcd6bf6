//! A managed node group: one per instance type and, in a cluster of ours, the small one that the system's own pods run on.

use super::health::{CAPACITY, Issue, broken};
use super::owned::{check_ours, outputs, tag_map};
use super::{existing_network, launch_template, leftovers, spot};
use crate::cluster::Cluster;
use crate::context::Context;
use crate::errors::table::{GONE_IN_EKS, OFFERING, THERE_IN_EKS};
use crate::errors::{Called, Error, Result, Unless};
use crate::resource::{Difference, How, Made, Pace, Planned, Seen, Usual};
use async_trait::async_trait;
use aws_sdk_eks::types::{
    AmiTypes, CapacityTypes, LaunchTemplateSpecification, NodeRepairConfig, Nodegroup, NodegroupScalingConfig, NodegroupStatus, Taint,
    TaintEffect,
};
use std::collections::{BTreeSet, HashMap};
use wire::error::{Class, Code};
use wire::instances::{self, Image};
use wire::journal::Outputs;
use wire::key::{Addon, Group, Key, Role, Side};
use wire::place::GROUP_LABEL;
use wire::spec::{self, Effect, Ground, PerformanceProfile};
use wire::stage::Stage;

const ROLE: Key = Key::Role(Role::Node);
/// In the customer's own network.
const JOIN: &str = "The nodes started and could not join the cluster. See that no policy, firewall or route keeps them from the cluster, ECR and EC2, \
                    and that the cluster lets in the node role; then retry.";
/// In the customer's own network, but a cluster of ours, which lets its nodes in.
const JOIN_FROM_THEIRS: &str = "The nodes started and could not join the cluster. See that no policy, firewall, network ACL or route keeps network.subnet_ids from \
                                ECR, S3, EC2 and each other, and that the VPC's DHCP options name AmazonProvidedDNS or servers that forward to it; then retry.";
/// In the customer's own subnets.
const SUBNETS_WITHOUT_TYPE: &str = "Delete this cluster and create it with network.subnet_ids that are only in zones that offer the instance type, or with another \
                                    instance type.";
const SPOT_CAPACITY: &str = "AWS has no spot capacity for these instance types in the cluster's zones now; Groundwork tries again by itself. To stop \
                             waiting, delete the cluster and create it with more alternatives, or with capacity on_demand.";
/// Without a launch template, EKS gives nodes 20 GiB, which one image with CUDA fills.
const DISK_GIB: u32 = 100;

/// By the second, the autoscaler knows that GPUs may come later than their node, and does not ask for another node meanwhile.
/// <https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/cloudprovider/aws/README.md>, "GPU Node Groups"
const GPU_LABELS: [(&str, &str); 2] = [("nvidia.com/gpu.present", "true"), ("k8s.amazonaws.com/accelerator", "nvidia")];

/// The autoscaler knows nothing else of the disk of a group without nodes, the same page says, and pods that ask for ephemeral storage would wait for ever.
const DISK_TAG: &str = "k8s.io/cluster-autoscaler/node-template/resources/ephemeral-storage";

/// What a node of a disk offers to pods: the kubelet keeps back what begins an eviction, a tenth, and the system and the images have some.
fn free_gib(disk_gib: u32) -> u32 {
    disk_gib * 4 / 5
}

pub struct NodeGroup {
    group: Group,
    /// Whose cluster the nodes join.
    ground: Ground,
    /// The nodes' subnets are the customer's, in a cluster of ours.
    in_theirs: bool,
    /// Those that its nodes can have: several only of spot.
    types: Vec<String>,
    /// In a cluster of ours, which of its zones offer all of them, from 0: EKS refuses a group with a subnet in another.
    zones: Vec<usize>,
    /// The NAT gateways of these zones.
    ways_out: BTreeSet<usize>,
}

/// How many nodes a group may have, and how many it begins with.
struct Sizes {
    least: u32,
    desired: u32,
    most: u32,
}

/// With two, EKS has them in two zones: its scaling group evens them out.
fn of_system(profile: PerformanceProfile) -> Sizes {
    match profile {
        PerformanceProfile::CostSaving => Sizes { least: 1, desired: 1, most: 3 },
        PerformanceProfile::Standard => Sizes { least: 2, desired: 2, most: 3 },
    }
}

impl NodeGroup {
    pub fn new(group: &Group, cluster: &Cluster) -> Self {
        let types = cluster.types(group);
        let zones = cluster.zones_with(&types);
        let ways_out = zones.iter().map(|zone| cluster.way_out(*zone)).collect();
        let types = types.into_iter().map(str::to_owned).collect();
        let in_theirs = cluster.is_in_their_network();
        Self { group: group.clone(), ground: cluster.spec.ground.clone(), in_theirs, types, zones, ways_out }
    }

    fn private_subnets(&self) -> impl Iterator<Item = Key> {
        self.zones.iter().map(|index| Key::Subnet(Side::Private, *index))
    }

    /// None with a launch template, which has the disks.
    fn disk_gib(&self, cluster: &Cluster) -> Option<i32> {
        match self.ground {
            Ground::Managed(_) => None,
            Ground::SelfManaged(_) => i32::try_from(self.images_gib(cluster)).ok(),
        }
    }

    /// EKS allows no dots.
    fn label(&self) -> String {
        self.group.to_string().replace(['.', '/'], "-")
    }

    fn capacity(&self) -> CapacityTypes {
        match self.group {
            Group::Spot(_) => CapacityTypes::Spot,
            Group::System | Group::InstanceType(_) => CapacityTypes::OnDemand,
        }
    }

    /// All types run the same.
    fn image(&self) -> Result<Image> {
        let first = self.types.first().map(String::as_str).unwrap_or_default();
        instances::image(first).map_err(|reason| Error::of(Code::InstanceTypeWithoutImage, reason))
    }

    /// In a customer's own cluster, the id distinguishes it from the customer's groups.
    fn name(&self, cluster: &Cluster) -> String {
        match self.ground {
            Ground::Managed(_) => self.label(),
            Ground::SelfManaged(_) => cluster.scoped(&self.label()),
        }
    }

    fn launch_template_key(&self) -> Key {
        Key::LaunchTemplate(self.group.clone())
    }

    /// None in a customer's own cluster, so that nothing in EC2 has to be granted. EKS's own template requires IMDSv2 too.
    fn launch_template(&self, cx: &Context) -> Result<Option<LaunchTemplateSpecification>> {
        match self.ground {
            Ground::Managed(_) => {
                let output = |name| cx.output(&self.launch_template_key(), name);
                Ok(Some(LaunchTemplateSpecification::builder().id(output("id")?).version(output("version")?).build()))
            }
            Ground::SelfManaged(_) => Ok(None),
        }
    }

    fn role(&self, cx: &Context) -> Result<String> {
        let missing = || Error::of(Code::IncompleteRequest, "The spec names no role for nodes.");
        match &self.ground {
            Ground::Managed(_) => cx.output(&ROLE, "arn"),
            Ground::SelfManaged(theirs) => theirs.node_role_arn.clone().ok_or_else(missing),
        }
    }

    fn subnets(&self, cx: &Context) -> Result<Vec<String>> {
        match &self.ground {
            Ground::Managed(_) if self.in_theirs => existing_network::ids_in(cx, &self.zones),
            Ground::Managed(_) => self.private_subnets().map(|subnet| cx.output(&subnet, "id")).collect(),
            Ground::SelfManaged(theirs) if !theirs.network.subnet_ids.is_empty() => Ok(theirs.network.subnet_ids.clone()),
            Ground::SelfManaged(_) => Ok(cx.output(&Key::Cluster, "subnets")?.split(',').map(str::to_owned).collect()),
        }
    }

    fn sizes(&self, cluster: &Cluster) -> Result<Sizes> {
        if self.group == Group::System {
            return Ok(of_system(cluster.spec.performance_profile()));
        }
        let missing = || Error::of(Code::MissingInstanceType, format!("The spec has no instance type {}.", self.group));
        let wanted = cluster.wanted(&self.group).ok_or_else(missing)?;
        let kept = wanted.overprovisioned_ondemand_count;
        // With less, the autoscaler would take away what is to be kept.
        Ok(Sizes { least: kept, desired: kept, most: wanted.max_count })
    }

    fn scaling(&self, cluster: &Cluster) -> Result<NodegroupScalingConfig> {
        let sizes = self.sizes(cluster)?;
        let count = |nodes: u32| i32::try_from(nodes).unwrap_or(i32::MAX);
        let scaling = NodegroupScalingConfig::builder().min_size(count(sizes.least)).desired_size(count(sizes.desired));
        Ok(scaling.max_size(count(sizes.most)).build())
    }

    fn has_gpus(&self) -> bool {
        self.image().is_ok_and(Image::gpu)
    }

    fn labels(&self, cluster: &Cluster) -> HashMap<String, String> {
        let theirs = cluster.wanted(&self.group).map(|wanted| wanted.labels.clone()).unwrap_or_default();
        let gpu = self.has_gpus().then_some(GPU_LABELS).into_iter().flatten();
        let ours = gpu.map(|(key, value)| (key.to_owned(), value.to_owned()));
        theirs.into_iter().chain([(GROUP_LABEL.to_owned(), self.label())]).chain(ours).collect()
    }

    /// With what no autoscaler can see of a group without nodes.
    fn tags(&self, cluster: &Cluster) -> HashMap<String, String> {
        let of_disk = (DISK_TAG.to_owned(), format!("{}Gi", free_gib(self.images_gib(cluster))));
        tag_map(cluster, &self.key()).into_iter().flatten().chain([of_disk]).collect()
    }

    /// The disk that has images, containers and their files.
    fn images_gib(&self, cluster: &Cluster) -> u32 {
        match self.ground {
            Ground::Managed(_) => launch_template::images_gib(&self.group, cluster),
            Ground::SelfManaged(_) => cluster.wanted(&self.group).and_then(|wanted| wanted.disk_gib).unwrap_or(DISK_GIB),
        }
    }

    fn taints(&self, cluster: &Cluster) -> Vec<Taint> {
        let theirs = cluster.wanted(&self.group).into_iter().flat_map(|wanted| wanted.taints.iter().map(taint));
        self.has_gpus().then(gpu_taint).into_iter().chain(theirs).collect()
    }

    /// What somebody else has changed. EKS would take others in place, but whoever changed them can change them back; nothing of ours does.
    fn differences(&self, cluster: &Cluster, group: &Nodegroup) -> Vec<Difference> {
        let labels = group.labels().cloned().unwrap_or_default();
        let mut without: Vec<_> = self.labels(cluster).into_iter().filter(|(key, value)| labels.get(key) != Some(value)).collect();
        without.sort();
        let labels = without.into_iter().map(|(key, value)| format!("{key}={value}"));
        // Written out, because a taint without a value may have an empty one in the answer.
        let there: Vec<String> = group.taints().iter().map(written).collect();
        let taints = self.taints(cluster).into_iter().map(|taint| written(&taint)).filter(|wanted| !there.contains(wanted));
        let missing = |field, what: Vec<String>| Difference::between(field, what.join(", "), String::new(), How::Replace);
        // EKS documents that it names no types and no size for a group with a launch template.
        let types = Some(group.instance_types().join(", ")).filter(|types| !types.is_empty());
        let types = types.and_then(|is| Difference::between("instance_type", is, self.types.join(", "), How::Replace));
        let sizes = group.disk_size().zip(self.disk_gib(cluster));
        let disk = sizes.and_then(|(is, wanted)| Difference::between("disk_gib", is, wanted, How::Replace));
        let given = [missing("missing_labels", labels.collect()), missing("missing_taints", taints.collect())];
        [types, disk, unrepaired(cluster, group)].into_iter().chain(given).flatten().collect()
    }

    /// What is wrong with the customer's network is the customer's turn: nobody but them chose the subnets, and no alarm rings.
    fn blame(&self, error: Error) -> Error {
        if error.hint == CAPACITY && self.capacity() == CapacityTypes::Spot {
            return error.with_hint(SPOT_CAPACITY);
        }
        let join = match self.ground {
            Ground::SelfManaged(_) => JOIN,
            Ground::Managed(_) if self.in_theirs => JOIN_FROM_THEIRS,
            Ground::Managed(_) => return error,
        };
        match error.code {
            Code::NodeCreationFailure => Error { class: Class::Customer, ..error }.with_hint(join),
            _ if error.hint == OFFERING => error.with_hint(SUBNETS_WITHOUT_TYPE),
            _ => existing_network::blame(error),
        }
    }
}

/// EKS replaces or reboots a node that its monitoring agent calls sick.
/// <https://docs.aws.amazon.com/eks/latest/userguide/node-health.html>
fn repairs(cluster: &Cluster) -> bool {
    cluster.spec.performance_profile() == PerformanceProfile::Standard
}

/// What was to be repaired and is not. EKS says nothing of a group that was made without.
fn unrepaired(cluster: &Cluster, group: &Nodegroup) -> Option<Difference> {
    let is_enabled = group.node_repair_config()?.enabled()?;
    Difference::between("node_repair", is_enabled, repairs(cluster), How::Never)
}

/// EKS's name for an image.
fn ami(image: Image) -> AmiTypes {
    match image {
        Image::Al2023X86 => AmiTypes::Al2023X8664Standard,
        Image::Al2023Arm => AmiTypes::Al2023Arm64Standard,
        Image::BottlerocketNvidiaX86 => AmiTypes::BottlerocketX8664Nvidia,
        Image::BottlerocketNvidiaArm => AmiTypes::BottlerocketArm64Nvidia,
    }
}

/// Keeps pods that need no GPU off the expensive nodes.
fn gpu_taint() -> Taint {
    Taint::builder().key("nvidia.com/gpu").value("true").effect(TaintEffect::NoSchedule).build()
}

fn taint(wanted: &spec::Taint) -> Taint {
    let effect = match wanted.effect {
        Effect::NoSchedule => TaintEffect::NoSchedule,
        Effect::PreferNoSchedule => TaintEffect::PreferNoSchedule,
        Effect::NoExecute => TaintEffect::NoExecute,
    };
    let value = Some(wanted.value.clone()).filter(|value| !value.is_empty());
    Taint::builder().key(&wanted.key).set_value(value).effect(effect).build()
}

/// As kubectl writes it, with EKS's word for the effect.
fn written(taint: &Taint) -> String {
    let effect = taint.effect().map(TaintEffect::as_str).unwrap_or_default();
    format!("{}={}:{effect}", taint.key().unwrap_or_default(), taint.value().unwrap_or_default())
}

impl Planned for NodeGroup {
    fn key(&self) -> Key {
        Key::NodeGroup(self.group.clone())
    }

    fn stage(&self) -> Stage {
        Stage::CreateNodegroups
    }

    /// A node joins only with a way out to ECR and EKS and with the network plugin. Going down, it keeps both until it is gone.
    fn needs(&self) -> Vec<Key> {
        if let Ground::SelfManaged(_) = self.ground {
            return vec![Key::Cluster];
        }
        let ways_out = self.ways_out.iter().flat_map(|index| [Key::RouteTable(Side::Private, *index), Key::NatGateway(*index)]);
        let network: Vec<Key> = if self.in_theirs { vec![Key::Network] } else { ways_out.chain(self.private_subnets()).collect() };
        let plugins = [Addon::VpcCni, Addon::KubeProxy].map(Key::Addon);
        let own = [Key::Cluster, ROLE, self.launch_template_key()];
        own.into_iter().chain(plugins).chain(network).collect()
    }

    /// Else the autoscaler asks for nodes for the pods of those that go.
    fn goes_after(&self) -> Vec<Key> {
        vec![Key::Role(Role::Autoscaler)]
    }

    fn pace(&self) -> Pace {
        Pace::seconds(60, 10)
    }

    fn usual(&self) -> Usual {
        Usual { made: 120, removed: 300 }
    }
}

#[async_trait]
impl Made for NodeGroup {
    type Thing = Nodegroup;

    async fn find(&self, cx: &Context) -> Result<Option<Nodegroup>> {
        let name = self.name(&cx.cluster);
        let call = cx.aws.eks.describe_nodegroup().cluster_name(cx.cluster.eks_name()).nodegroup_name(&name);
        let answer = call.send().await.called("eks:DescribeNodegroup").unless(GONE_IN_EKS)?;
        let Some(group) = answer.and_then(|answer| answer.nodegroup) else {
            return Ok(None);
        };
        check_ours(&cx.cluster, &format!("The node group {name}"), group.tags().into_iter().flatten())?;
        Ok(Some(group))
    }

    fn judge(&self, cluster: &Cluster, group: &Nodegroup) -> Seen {
        match group.status() {
            Some(NodegroupStatus::Active) => Seen::but_for(self.differences(cluster, group).into_iter().map(Some)),
            // It may run the tenant's work on the nodes that it has.
            Some(status @ NodegroupStatus::Degraded) => Seen::Sick(self.blame(given_up(group, status))),
            Some(status @ NodegroupStatus::CreateFailed) => Seen::given_up(self.blame(given_up(group, status))),
            Some(status @ NodegroupStatus::DeleteFailed) => Seen::DeleteFailed(self.blame(given_up(group, status))),
            _ => Seen::Busy,
        }
    }

    fn outputs(&self, _: &Cluster, group: &Nodegroup) -> Outputs {
        let scaling_groups = group.resources().map(|resources| resources.auto_scaling_groups()).unwrap_or_default();
        outputs([
            ("name", group.nodegroup_name()),
            ("arn", group.nodegroup_arn()),
            ("autoscaling_group", scaling_groups.first().and_then(|group| group.name())),
            ("instance_type", group.instance_types().first().map(String::as_str)),
        ])
    }

    /// Without a token of ours: its name is unique in the cluster, and a retry after a failed group must not be answered with the first
    /// one's record.
    async fn create(&self, cx: &Context) -> Result<()> {
        let image = self.image()?;
        if self.capacity() == CapacityTypes::Spot {
            spot::has_its_role(cx).await?;
        }
        let call = cx.aws.eks.create_nodegroup().cluster_name(cx.cluster.eks_name()).nodegroup_name(self.name(&cx.cluster));
        let call = call.node_role(self.role(cx)?).set_subnets(Some(self.subnets(cx)?)).set_launch_template(self.launch_template(cx)?);
        let call = call.set_disk_size(self.disk_gib(&cx.cluster));
        let call = call.set_instance_types(Some(self.types.clone())).ami_type(ami(image)).capacity_type(self.capacity());
        let call = call.scaling_config(self.scaling(&cx.cluster)?).set_labels(Some(self.labels(&cx.cluster)));
        let taints = Some(self.taints(&cx.cluster)).filter(|taints| !taints.is_empty());
        let call = call.set_taints(taints).set_tags(Some(self.tags(&cx.cluster)));
        let call = call.set_node_repair_config(repairs(&cx.cluster).then(|| NodeRepairConfig::builder().enabled(true).build()));
        // Behind each, EKS makes things in IAM, and fails the group for good if IAM wants fewer calls.
        let made = cx.in_turn(call.send()).await.called("eks:CreateNodegroup").done_if(THERE_IN_EKS);
        made.map_err(|error| self.blame(error))
    }

    async fn delete(&self, cx: &Context, group: &Nodegroup) -> Result<()> {
        // Otherwise interfaces go only after the cluster, for which the group would have to go first.
        if group.status() == Some(&NodegroupStatus::DeleteFailed) && matches!(self.ground, Ground::Managed(_)) {
            leftovers::let_go(cx).await?;
        }
        let call = cx.aws.eks.delete_nodegroup().cluster_name(cx.cluster.eks_name()).nodegroup_name(self.name(&cx.cluster));
        call.send().await.called("eks:DeleteNodegroup").done_if(GONE_IN_EKS)
    }
}

fn given_up(group: &Nodegroup, status: &NodegroupStatus) -> Error {
    let issues = group.health().map(|health| health.issues()).unwrap_or_default();
    let issues = issues.iter().map(|issue| Issue { code: issue.code().map(|code| code.as_str()), message: issue.message() });
    broken(&format!("The node group {}", group.nodegroup_name().unwrap_or_default()), status.as_str(), issues)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::errors::from_answer;
    use crate::offering::Offering;
    use aws_sdk_eks::types::{Issue as GroupIssue, NodegroupHealth, NodegroupIssueCode};
    use serde_json::json;

    fn ours(group: &str) -> (NodeGroup, Cluster) {
        let cluster = Cluster::example(json!({
            "instance_types": [{"name": "g4dn.xlarge", "overprovisioned_ondemand_count": 2, "max_count": 10}]
        }));
        (NodeGroup::new(&group.into(), &cluster), cluster)
    }

    #[test]
    fn a_failed_group_is_broken_and_a_degraded_one_is_sick() {
        let (resource, cluster) = ours("g4dn.xlarge");
        let error = |status: &str| broken("The node group g4dn-xlarge", status, []);
        for (status, expected) in [
            (NodegroupStatus::Active, Seen::Ready),
            (NodegroupStatus::Creating, Seen::Busy),
            (NodegroupStatus::Updating, Seen::Busy),
            (NodegroupStatus::Deleting, Seen::Busy),
            (NodegroupStatus::Degraded, Seen::Sick(error("DEGRADED"))),
            (NodegroupStatus::CreateFailed, Seen::Broken(error("CREATE_FAILED"))),
            (NodegroupStatus::DeleteFailed, Seen::DeleteFailed(error("DELETE_FAILED"))),
        ] {
            let group = made(&resource, &cluster).status(status.clone());
            assert_eq!(resource.judge(&cluster, &group.build()), expected, "{status}");
        }
        let issue =
            GroupIssue::builder().code(NodegroupIssueCode::AsgInstanceLaunchFailures).message("InsufficientInstanceCapacity").build();
        let health = NodegroupHealth::builder().issues(issue).build();
        let group = Nodegroup::builder().nodegroup_name("p4d").status(NodegroupStatus::Degraded).health(health).build();
        let Seen::Sick(error) = resource.judge(&cluster, &group) else { panic!("must be sick") };
        assert_eq!(error.reason, "The node group p4d is DEGRADED; AsgInstanceLaunchFailures: InsufficientInstanceCapacity");
    }

    /// As it was made.
    fn made(resource: &NodeGroup, cluster: &Cluster) -> aws_sdk_eks::types::builders::NodegroupBuilder {
        let group = Nodegroup::builder().nodegroup_name("g4dn-xlarge").instance_types("g4dn.xlarge").status(NodegroupStatus::Active);
        group.set_labels(Some(resource.labels(cluster))).set_taints(Some(resource.taints(cluster)))
    }

    #[test]
    fn labels_and_taints_are_the_tenants_beside_ours() {
        let cluster = Cluster::example(json!({"instance_types": [
            {"name": "g4dn.xlarge", "labels": {"team": "vision"}, "taints": [{"key": "team", "value": "vision", "effect": "NoExecute"}]},
            {"name": "m6i.large"}
        ]}));
        let of = |group: &str| NodeGroup::new(&group.into(), &cluster);
        let gpus = of("g4dn.xlarge");
        let labels = [
            (GROUP_LABEL, "g4dn-xlarge"),
            ("nvidia.com/gpu.present", "true"),
            ("k8s.amazonaws.com/accelerator", "nvidia"),
            ("team", "vision"),
        ];
        assert_eq!(gpus.labels(&cluster), labels.map(|(key, value)| (key.to_owned(), value.to_owned())).into());
        let taints: Vec<String> = gpus.taints(&cluster).iter().map(written).collect();
        assert_eq!(taints, ["nvidia.com/gpu=true:NO_SCHEDULE", "team=vision:NO_EXECUTE"]);
        for group in ["m6i.large", "system"] {
            assert_eq!((of(group).labels(&cluster).len(), of(group).taints(&cluster)), (1, vec![]), "{group}");
        }
        assert_eq!(gpus.judge(&cluster, &made(&gpus, &cluster).build()), Seen::Ready);
        let changed = made(&gpus, &cluster).labels("team", "audio").set_taints(None).build();
        let missing = |field, what: &str| Difference::between(field, what.to_owned(), String::new(), How::Replace);
        let taints = "nvidia.com/gpu=true:NO_SCHEDULE, team=vision:NO_EXECUTE";
        let expected = Seen::but_for([missing("missing_labels", "team=vision"), missing("missing_taints", taints)]);
        assert_eq!(gpus.judge(&cluster, &changed), expected);
    }

    #[test]
    fn another_instance_type_needs_another_group() {
        let (resource, cluster) = ours("g4dn.xlarge");
        let group = made(&resource, &cluster).set_instance_types(Some(vec!["m6i.large".into()])).build();
        let expected = Difference::between("instance_type", "m6i.large".to_owned(), "g4dn.xlarge".into(), How::Replace);
        assert_eq!(resource.judge(&cluster, &group), Seen::but_for([expected]));
    }

    #[test]
    fn sick_nodes_are_repaired_in_the_standard_profile() {
        let cost_saving = Cluster::example(json!({}));
        let standard = Cluster::example(json!({"performance_profile": "standard"}));
        let group = |enabled: Option<bool>| {
            let repair = enabled.map(|enabled| NodeRepairConfig::builder().enabled(enabled).build());
            Nodegroup::builder().status(NodegroupStatus::Active).set_node_repair_config(repair).build()
        };
        let off = Difference::between("node_repair", false, true, How::Never);
        for (cluster, enabled, expected, reason) in [
            (&standard, Some(true), None, "as it was made"),
            (&standard, Some(false), off, "somebody turned it off"),
            (&cost_saving, Some(false), None, "as it was made"),
            (&cost_saving, None, None, "EKS says nothing"),
        ] {
            assert_eq!(unrepaired(cluster, &group(enabled)), expected, "{reason}");
        }
    }

    #[test]
    fn groups_keep_the_overprovisioned_nodes_and_the_systems_one() {
        for (group, expected) in [("g4dn.xlarge", (2, 2, 10)), ("system", (1, 1, 3))] {
            let (resource, cluster) = ours(group);
            let scaling = resource.scaling(&cluster).expect("it is in the spec");
            let sizes = (scaling.min_size(), scaling.desired_size(), scaling.max_size());
            assert_eq!(sizes, (Some(expected.0), Some(expected.1), Some(expected.2)), "{group}");
        }
        let (dropped, cluster) = ours("p3.2xlarge");
        assert_eq!(dropped.scaling(&cluster).expect_err("only the journal knows it").code, Code::MissingInstanceType);
    }

    #[test]
    fn the_autoscaler_is_told_of_the_disk_of_a_group_without_nodes() {
        let theirs = Cluster::self_managed(json!({"instance_types": [{"name": "m6i.large", "disk_gib": 50}]}));
        let ours = Cluster::example(json!({"instance_types": [{"name": "g4dn.xlarge"}, {"name": "m6i.large"}]}));
        for (cluster, group, expected) in [(&ours, "g4dn.xlarge", "80Gi"), (&ours, "m6i.large", "64Gi"), (&theirs, "m6i.large", "40Gi")] {
            let tags = NodeGroup::new(&group.into(), cluster).tags(cluster);
            assert_eq!(tags.get(DISK_TAG).map(String::as_str), Some(expected), "{group}");
            assert_eq!(tags.get("groundwork:cluster"), Some(&cluster.id), "{group}");
        }
    }

    #[test]
    fn a_group_is_only_in_zones_that_offer_its_type() {
        let (_, mut cluster) = ours("g4dn.xlarge");
        let zones = [("g4dn.xlarge", &["us-west-2a", "us-west-2c"][..]), ("t3a.medium", &["us-west-2b"])];
        let zones = zones.map(|(name, zones)| (name.to_owned(), zones.iter().map(|zone| (*zone).to_owned()).collect()));
        let all = Cluster { offering: None, ..cluster.clone() };
        cluster.offering = Some(Offering { system: "t3a.medium".into(), zones: zones.into(), ..Offering::default() });
        for (cluster, group, expected, instance_type) in [
            (&cluster, "g4dn.xlarge", &[0, 2][..], "g4dn.xlarge"),
            (&cluster, "system", &[1], "t3a.medium"),
            (&cluster, "p3.2xlarge", &[0, 1, 2], "p3.2xlarge"),
            (&all, "g4dn.xlarge", &[0, 1, 2], "g4dn.xlarge"),
            (&all, "system", &[0, 1, 2], "t3.medium"),
        ] {
            let resource = NodeGroup::new(&group.into(), cluster);
            let needed = resource.needs();
            let private = (0..3).filter(|index| needed.contains(&Key::Subnet(Side::Private, *index)));
            assert_eq!((private.collect::<Vec<_>>().as_slice(), resource.types.join(" ").as_str()), (expected, instance_type), "{group}");
        }
    }

    #[test]
    fn a_group_of_spot_has_its_alternatives_and_is_where_all_are_offered() {
        let types =
            json!([{"name": "g4dn.xlarge"}, {"name": "g4dn.xlarge", "capacity": "spot", "alternatives": ["g5.xlarge"], "max_count": 3}]);
        let mut cluster = Cluster::example(json!({"instance_types": types}));
        let zones = [("g4dn.xlarge", &["us-west-2a", "us-west-2c"][..]), ("g5.xlarge", &["us-west-2b", "us-west-2c"])];
        let zones = zones.map(|(name, zones)| (name.to_owned(), zones.iter().map(|zone| (*zone).to_owned()).collect()));
        cluster.offering = Some(Offering { system: "t3.medium".into(), zones: zones.into(), ..Offering::default() });
        for (group, name, types, zones, most, capacity) in [
            ("g4dn.xlarge", "g4dn-xlarge", &["g4dn.xlarge"][..], &[0, 2][..], 10, CapacityTypes::OnDemand),
            ("spot/g4dn.xlarge", "spot-g4dn-xlarge", &["g4dn.xlarge", "g5.xlarge"], &[2], 3, CapacityTypes::Spot),
        ] {
            let resource = NodeGroup::new(&group.into(), &cluster);
            assert_eq!(
                (resource.name(&cluster).as_str(), &resource.types[..], &resource.zones[..]),
                (name, &types.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()[..], zones)
            );
            assert_eq!((resource.scaling(&cluster).expect("it is in the spec").max_size(), resource.capacity()), (Some(most), capacity));
        }
    }

    #[test]
    fn each_architecture_has_its_image() {
        for (name, expected) in [
            ("m6i.large", "AL2023_x86_64_STANDARD"),
            ("m7g.large", "AL2023_ARM_64_STANDARD"),
            ("g5.xlarge", "BOTTLEROCKET_x86_64_NVIDIA"),
            ("g5g.xlarge", "BOTTLEROCKET_ARM_64_NVIDIA"),
        ] {
            let cluster = Cluster::example(json!({"instance_types": [{"name": name, "capacity": "spot"}]}));
            let image = NodeGroup::new(&Group::Spot(name.into()), &cluster).image().expect("an image");
            assert_eq!(ami(image).as_str(), expected, "{name}");
        }
    }

    #[test]
    fn the_disk_has_a_size_where_no_launch_template_has_it() {
        let (in_ours, cluster) = ours("g4dn.xlarge");
        assert_eq!(in_ours.disk_gib(&cluster), None);
        let theirs = Cluster::self_managed(json!({"instance_types": [{"name": "g4dn.xlarge"}, {"name": "g5.xlarge", "disk_gib": 500}]}));
        for (group, expected) in [("g4dn.xlarge", 100), ("g5.xlarge", 500)] {
            let resource = NodeGroup::new(&group.into(), &theirs);
            assert_eq!(resource.disk_gib(&theirs), Some(expected));
            let found = Nodegroup::builder().status(NodegroupStatus::Active).disk_size(20).set_labels(Some(resource.labels(&theirs)));
            let found = found.set_taints(Some(resource.taints(&theirs))).build();
            let differs = Difference::between("disk_gib", 20, expected, How::Replace);
            assert_eq!(resource.judge(&theirs, &found), Seen::but_for([differs]));
        }
    }

    #[test]
    fn a_type_that_the_zones_lack_is_for_whoever_chose_the_subnets() {
        let message = "Your requested instance type (p3.2xlarge) is not supported in your requested Availability Zone (us-west-2d).";
        let error = || from_answer("eks:CreateNodegroup", Some(400), "InvalidRequestException".into(), message);
        assert_eq!(ours("g4dn.xlarge").0.blame(error()).hint, OFFERING);
        let theirs = NodeGroup::new(&"p3.2xlarge".into(), &Cluster::self_managed(json!({})));
        assert_eq!(theirs.blame(error()).hint, SUBNETS_WITHOUT_TYPE);
    }

    #[test]
    fn nodes_that_do_not_join_are_for_whoever_made_the_network() {
        let failed = |code: NodegroupIssueCode| {
            let health = NodegroupHealth::builder().issues(GroupIssue::builder().code(code).build()).build();
            Nodegroup::builder().status(NodegroupStatus::CreateFailed).health(health).build()
        };
        let (in_ours, cluster) = ours("g4dn.xlarge");
        let theirs = Cluster::self_managed(json!({}));
        let in_theirs = NodeGroup::new(&"m6i.large".into(), &theirs);
        for (seen, class) in [
            (in_ours.judge(&cluster, &failed(NodegroupIssueCode::NodeCreationFailure)), Class::Permanent),
            (in_theirs.judge(&theirs, &failed(NodegroupIssueCode::NodeCreationFailure)), Class::Customer),
            (in_theirs.judge(&theirs, &failed("Strange".into())), Class::Permanent),
        ] {
            let Seen::Broken(error) = seen else { panic!("must be broken") };
            assert_eq!(error.class, class, "{}", error.code);
        }
    }
}
