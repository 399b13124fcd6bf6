//! What a cluster is: all its resources, a pure function of its spec. Teardown is the same list walked the other way.

use crate::drive::Plan;
use crate::journal::{Entry, State};
use crate::resource::{Cluster, Key, Resource, Stage};
use crate::resources::access_entry::AccessEntry;
use crate::resources::addon::Addon;
use crate::resources::bucket::Bucket;
use crate::resources::cluster::ControlPlane;
use crate::resources::elastic_ip::ElasticIp;
use crate::resources::existing_bucket::ExistingBucket;
use crate::resources::existing_cluster::ExistingCluster;
use crate::resources::internet_gateway::InternetGateway;
use crate::resources::launch_template::LaunchTemplate;
use crate::resources::leftovers::Leftovers;
use crate::resources::log_group::LogGroup;
use crate::resources::nat_gateway::NatGateway;
use crate::resources::node_group::{NodeGroup, Place};
use crate::resources::pod_identity::PodIdentity;
use crate::resources::role::Role;
use crate::resources::route_table::RouteTable;
use crate::resources::s3_endpoint::S3Endpoint;
use crate::resources::subnet::Subnet;
use crate::resources::vpc::Vpc;
use crate::spec::{InstanceType, Mode};
use std::collections::{BTreeMap, BTreeSet};

/// The node group that runs what the cluster itself needs.
pub const SYSTEM: &str = "system";

/// Every resource of the cluster.
pub fn plan(cluster: &Cluster) -> Plan {
    let mut plan = Plan::new();
    match cluster.spec.mode {
        Mode::Managed => {
            buckets(&mut plan);
            network(&mut plan, cluster.zones.len());
            control_plane(&mut plan, cluster);
            nodes(&mut plan, cluster);
        }
        Mode::SelfManaged => customers(&mut plan, cluster),
    }
    plan
}

/// The part of the plan that one stage brings about, with what it needs of earlier stages and the journal does not know as ready: a lost
/// entry is written anew.
pub fn of_stage(cluster: &Cluster, stage: Stage, journal: &BTreeMap<Key, Entry>) -> Plan {
    let plan = plan(cluster);
    let is_ready = |key: &Key| journal.get(key).is_some_and(|entry| entry.state == State::Ready);
    let mut open: Vec<Key> = plan.iter().filter(|resource| resource.stage() == stage).map(|resource| resource.key()).collect();
    let mut wanted = BTreeSet::new();
    while let Some(key) = open.pop() {
        if let Some(resource) = plan.iter().find(|resource| resource.key() == key) {
            open.extend(resource.needs().into_iter().filter(|need| !is_ready(need) && !wanted.contains(need)));
        }
        wanted.insert(key);
    }
    plan.into_iter().filter(|resource| wanted.contains(&resource.key())).collect()
}

/// Everything that teardown must see gone: the plan, and node groups of an older spec that only the journal knows; not the
/// buckets if the tenant keeps them, and nothing that the customer made.
pub fn teardown(cluster: &Cluster, journaled: impl Iterator<Item = Key>) -> Plan {
    let mut whole = cluster.clone();
    for key in journaled {
        if let Some(name) = key.0.strip_prefix("node-group/").or(key.0.strip_prefix("launch-template/"))
            && name != SYSTEM
            && whole.spec.instance_types.iter().all(|wanted| wanted.name != name)
        {
            whole.spec.instance_types.push(InstanceType { name: name.to_owned(), overprovisioned_ondemand_count: 0, max_count: 1 });
        }
    }
    let kept = |resource: &dyn Resource| match resource.stage() {
        Stage::CreateBuckets => cluster.spec.keeps_buckets(),
        Stage::CreateEks => cluster.spec.mode == Mode::SelfManaged,
        _ => false,
    };
    plan(&whole).into_iter().filter(|resource| !kept(resource.as_ref())).collect()
}

/// What the customer made, and our node groups in it.
fn customers(plan: &mut Plan, cluster: &Cluster) {
    for name in &cluster.spec.buckets {
        plan.push(Box::new(ExistingBucket { name: name.clone() }));
    }
    plan.push(Box::new(ExistingCluster));
    for wanted in &cluster.spec.instance_types {
        plan.push(Box::new(NodeGroup::of(wanted, Place::Theirs)));
    }
}

fn buckets(plan: &mut Plan) {
    for purpose in ["artifacts", "checkpoints", "logs"] {
        plan.push(Box::new(Bucket { purpose }));
    }
}

fn network(plan: &mut Plan, zones: usize) {
    plan.push(Box::new(Vpc));
    plan.push(Box::new(InternetGateway));
    for index in 0..zones {
        plan.push(Box::new(Subnet { public: true, index }));
        plan.push(Box::new(Subnet { public: false, index }));
    }
    plan.push(Box::new(ElasticIp));
    plan.push(Box::new(NatGateway));
    plan.push(Box::new(RouteTable { public: true, zones }));
    plan.push(Box::new(RouteTable { public: false, zones }));
    plan.push(Box::new(S3Endpoint));
    plan.push(Box::new(Leftovers { zones }));
}

fn control_plane(plan: &mut Plan, cluster: &Cluster) {
    for role in [Role::Cluster, Role::Node, Role::EbsCsi] {
        plan.push(Box::new(role));
    }
    plan.push(Box::new(LogGroup));
    plan.push(Box::new(ControlPlane { zones: cluster.zones.len() }));
    if cluster.spec.admin_principal_arn.is_some() {
        plan.push(Box::new(AccessEntry));
    }
    plan.push(Box::new(PodIdentity));
    for name in ["vpc-cni", "kube-proxy", "eks-pod-identity-agent"] {
        plan.push(Box::new(Addon { name }));
    }
}

fn nodes(plan: &mut Plan, cluster: &Cluster) {
    let zones = cluster.zones.len();
    let wanted = cluster.spec.instance_types.iter().map(|wanted| NodeGroup::of(wanted, Place::Ours { zones }));
    for group in std::iter::once(NodeGroup::system(zones)).chain(wanted) {
        plan.push(Box::new(LaunchTemplate { group: group.group.clone() }));
        plan.push(Box::new(group));
    }
    for name in ["coredns", "aws-ebs-csi-driver"] {
        plan.push(Box::new(Addon { name }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{self, BucketsAfter, Deletion};

    fn cluster(name: &str) -> Cluster {
        of(&serde_json::json!({
            "name": name, "role_arn": "arn:aws:iam::222222222222:role/groundwork", "region": "us-west-2",
            "instance_types": [{"name": "g4dn.xlarge"}, {"name": "m6i.large"}],
            "admin_principal_arn": "arn:aws:iam::222222222222:role/admin"
        }))
    }

    fn self_managed() -> Cluster {
        of(&serde_json::json!({
            "name": "research", "role_arn": "arn:aws:iam::222222222222:role/groundwork", "region": "us-west-2", "mode": "self_managed",
            "eks_cluster_name": "theirs", "buckets": ["their-data", "their-logs"],
            "node_role_arn": "arn:aws:iam::222222222222:role/nodes", "instance_types": [{"name": "m6i.large"}]
        }))
    }

    fn of(body: &serde_json::Value) -> Cluster {
        let spec = spec::parse(body).expect("valid");
        Cluster {
            id: crate::names::new_cluster_id(),
            name: spec.name.clone(),
            tenant: "demo".into(),
            account: "222222222222".into(),
            zones: vec!["us-west-2a".into(), "us-west-2b".into(), "us-west-2c".into()],
            spec,
        }
    }

    fn keys(plan: &Plan) -> Vec<String> {
        plan.iter().map(|resource| resource.key().0).collect()
    }

    #[test]
    fn a_self_managed_cluster_is_what_the_customer_made_and_node_groups_and_only_those_are_taken_away() {
        let cluster = self_managed();
        assert_eq!(keys(&plan(&cluster)), ["bucket/their-data", "bucket/their-logs", "cluster", "node-group/m6i.large"]);
        let journaled = ["bucket/their-data", "cluster", "node-group/p3.2xlarge"].map(Key::from);
        assert_eq!(keys(&teardown(&cluster, journaled.into_iter())), ["node-group/m6i.large", "node-group/p3.2xlarge"]);
    }

    #[test]
    fn every_need_is_a_resource_of_the_same_or_an_earlier_stage_and_there_is_no_circle() {
        for plan in [cluster("research"), self_managed()].map(|cluster| plan(&cluster)) {
            let mut done = BTreeSet::new();
            while done.len() < plan.len() {
                let before = done.len();
                for resource in &plan {
                    if resource.needs().iter().all(|key| done.contains(key)) {
                        done.insert(resource.key());
                    }
                }
                assert!(done.len() > before, "nobody can act any more: {:?} of {} are done", done, plan.len());
            }
            for resource in &plan {
                for other in plan.iter().filter(|other| resource.needs().contains(&other.key())) {
                    assert!(other.stage() <= resource.stage(), "{} needs {}", resource.key(), other.key());
                }
            }
        }
    }

    #[test]
    fn the_control_plane_waits_for_subnets_and_its_role_but_not_for_the_nat_gateway() {
        let plan = plan(&cluster("research"));
        let needs_of = |key: &Key| plan.iter().find(|resource| resource.key() == *key).map(|resource| resource.needs()).unwrap_or_default();
        let mut all = BTreeSet::new();
        let mut open = vec![Key::from("cluster")];
        while let Some(key) = open.pop() {
            open.extend(needs_of(&key).into_iter().filter(|need| all.insert(need.clone())));
        }
        assert!(all.contains(&Key::from("subnet/private-0")) && all.contains(&Key::from("role/cluster")));
        assert!(!all.contains(&Key::from("nat-gateway")) && !all.contains(&Key::from("route-table/private")));
    }

    #[test]
    fn a_stage_goes_back_to_what_the_journal_has_lost_of_its_needs() {
        let cluster = cluster("research");
        let ready = |key: Key| (key, Entry::new(State::Ready, 1));
        let mut journal: BTreeMap<Key, Entry> = plan(&cluster).iter().map(|resource| ready(resource.key())).collect();
        let keys = |journal: &BTreeMap<Key, Entry>| {
            of_stage(&cluster, Stage::CreateNodegroups, journal).iter().map(|one| one.key()).collect::<BTreeSet<Key>>()
        };
        let whole = keys(&journal);
        assert!(whole.contains(&Key::from("addon/coredns")) && !whole.contains(&Key::from("nat-gateway")));
        for lost in ["nat-gateway", "bucket/logs"] {
            journal.remove(&Key::from(lost));
        }
        assert_eq!(keys(&journal).difference(&whole).collect::<Vec<_>>(), [&Key::from("nat-gateway")]);
    }

    #[test]
    fn teardown_sees_node_groups_that_only_the_journal_knows_and_leaves_retained_buckets() {
        let mut cluster = cluster("research");
        cluster.spec.deletion = Some(Deletion { buckets: BucketsAfter::Retain });
        let plan = teardown(&cluster, [Key::from("node-group/p3.2xlarge")].into_iter());
        let keys: BTreeSet<Key> = plan.iter().map(|resource| resource.key()).collect();
        assert!(keys.contains(&Key::from("node-group/p3.2xlarge")) && keys.contains(&Key::from("launch-template/p3.2xlarge")));
        assert!(keys.iter().all(|key| !key.0.starts_with("bucket/")));
    }

    #[test]
    fn the_longest_name_stays_within_the_limits_of_aws() {
        let cluster = cluster(&"a".repeat(63));
        assert!(cluster.eks_name().len() <= 100);
        for purpose in ["checkpoints", "cluster", "ebs-csi"] {
            assert!(cluster.scoped(purpose).len() <= 63, "{purpose}");
        }
        for resource in plan(&cluster) {
            assert!(cluster.token(&resource.key()).len() <= 64, "{}", resource.key());
        }
    }
}
