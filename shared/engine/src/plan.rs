//! What a cluster is: the keys of all its resources, a pure function of its spec; and what a walk makes of that and of the journal.

use crate::cluster::Cluster;
use crate::drive::Plan;
use crate::errors::{Error, Result};
use crate::resource::Resource;
use crate::resources::of;
use std::collections::{BTreeMap, BTreeSet};
use strum::VariantArray;
use wire::error::Code;
use wire::journal::{Entry, State};
use wire::key::{Addon, Group, Key, NodeLog, Role, Side};
use wire::spec::{Data, Ground, InstanceType, PerformanceProfile, SelfManaged};
use wire::stage::Stage;

type Journal = BTreeMap<Key, Entry>;

/// Every resource that the spec wants.
pub fn wanted(cluster: &Cluster) -> Vec<Key> {
    match &cluster.spec.ground {
        Ground::Managed(_) => [buckets(cluster), network(cluster), control_plane(cluster), nodes(cluster), furniture(cluster)].concat(),
        Ground::SelfManaged(theirs) => customers(cluster, theirs),
    }
}

/// Also removes what the spec no longer wants: by then nothing depends on it.
const REMOVES: Stage = Stage::CreateNodegroups;

/// The stages after which something of ours may be in the account.
pub fn makers(cluster: &Cluster) -> BTreeSet<Stage> {
    let all = wanted(cluster).into_iter().filter_map(|key| of(&key, cluster));
    let made = all.filter(|one| matches!(one, Resource::Made(_)));
    made.map(|one| one.planned().stage()).chain([REMOVES]).collect()
}

/// What one stage makes, with what it needs of earlier stages and the journal does not know as ready: a lost entry is written anew.
/// What is `stuck` was given up by another stage of this run, which alone may try it again.
pub fn of_stage(cluster: &Cluster, stage: Stage, journal: &Journal, stuck: BTreeSet<Key>) -> Plan {
    let all: BTreeMap<Key, Resource> = wanted(cluster).iter().filter_map(|key| of(key, cluster)).map(|one| (one.key(), one)).collect();
    let is_ready = |key: &Key| journal.get(key).is_some_and(|entry| entry.state == State::Ready);
    let mut open: Vec<Key> = all.iter().filter(|(_, one)| one.planned().stage() == stage).map(|(key, _)| key.clone()).collect();
    let mut needed = BTreeSet::new();
    while let Some(key) = open.pop() {
        if let Some(resource) = all.get(&key) {
            let missing = resource.planned().needs().into_iter().filter(|need| !is_ready(need) && !stuck.contains(need));
            open.extend(missing.filter(|need| !needed.contains(need)));
        }
        needed.insert(key);
    }
    let unwanted = if stage == REMOVES { no_longer_wanted(cluster, journal) } else { vec![] };
    Plan { wanted: all.into_iter().filter(|(key, _)| needed.contains(key)).map(|(_, one)| one).collect(), unwanted, stuck }
}

/// Everything that teardown must see gone: what the spec wants, and what only the journal knows; nothing that the customer made. Of what
/// holds data, only that is in it of which the walk has to see whether something is in it.
///
/// # Errors
/// `Permanent` if a newer version, rolled back since, made something that this one cannot remove: better nothing goes than a part.
pub fn teardown(cluster: &Cluster, journal: &Journal) -> Result<Plan> {
    if let Some((Key::Unknown(text), _)) = journal.iter().find(|(key, entry)| is_unknown(key) && entry.state != State::Gone) {
        return Err(unknown(text));
    }
    let wanted = wanted(cluster);
    // EKS deletes the entry of somebody whom the spec no longer names, together with the cluster.
    let known = journal.keys().filter(|key| !is_unknown(key) && (!matches!(key, Key::AccessEntry(_)) || wanted.contains(key)));
    let journaled: Vec<Key> = known.flat_map(|key| with_its_own(key.clone(), cluster)).collect();
    let all: BTreeSet<Key> = wanted.into_iter().chain(journaled).collect();
    let goes = all.iter().filter_map(|key| of(key, cluster)).filter(|one| goes(one, cluster, journal));
    Ok(Plan { unwanted: goes.collect(), ..Plan::default() })
}

/// Whether pods cannot run for want of something stuck, so that what is inside would be waited for in vain.
pub fn keeps_pods_from_running(cluster: &Cluster, stuck: &BTreeSet<Key>) -> bool {
    let mut open = [Addon::Coredns, Addon::AwsEbsCsiDriver].map(Key::Addon).to_vec();
    let mut needed = BTreeSet::new();
    while let Some(key) = open.pop() {
        let needs = of(&key, cluster).map_or_else(Vec::new, |resource| resource.planned().needs());
        open.extend(needs.into_iter().filter(|need| !needed.contains(need)));
        needed.insert(key);
    }
    !needed.is_disjoint(stuck)
}

/// What is made in a cluster through its API server, and what lets us in for that.
pub fn inside(cluster: &Cluster) -> Plan {
    let keys = ways_in(cluster).into_iter().chain([Key::Furniture]);
    Plan { wanted: keys.filter_map(|key| of(&key, cluster)).collect(), ..Plan::default() }
}

/// Nothing of ours stays that lets anybody in; our address only among ranges of the tenant's.
pub fn leaving(cluster: &Cluster) -> Plan {
    let stays = |key: &Key| *key == Key::Door && !cluster.spec.public_cidrs().unwrap_or_default().is_empty();
    let keys = ways_in(cluster).into_iter().filter(|key| !stays(key));
    Plan { unwanted: keys.filter_map(|key| of(&key, cluster)).collect(), ..Plan::default() }
}

pub fn ways_in(cluster: &Cluster) -> Vec<Key> {
    let door = cluster.needs_door().then_some(Key::Door);
    door.into_iter().chain([Key::AccessEntry(cluster.hand())]).collect()
}

/// False for what a deletion leaves where it is.
pub fn goes(resource: &Resource, cluster: &Cluster, journal: &Journal) -> bool {
    match resource {
        // Once there was a control plane, there is something in its log.
        Resource::Made(made) if matches!(made.key(), Key::LogGroup | Key::NodeLog(_)) => {
            cluster.data == Data::Delete || !had_control_plane(journal)
        }
        // They go with the cluster.
        Resource::Made(made) if matches!(made.key(), Key::Door | Key::Furniture) => false,
        Resource::Made(made) => !(matches!(made.key(), Key::Bucket(_)) && cluster.retains_buckets()),
        Resource::LookedAt(_) => false,
        Resource::Removed(_) => true,
    }
}

/// By its own entry, or if that is lost by those of what is made only in it.
pub fn had_control_plane(journal: &Journal) -> bool {
    let in_it = |key: &Key| {
        matches!(key, Key::AccessEntry(_) | Key::PodIdentity(_) | Key::Addon(_) | Key::NodeGroup(_) | Key::Door | Key::Furniture)
    };
    journal.keys().any(|key| *key == Key::Cluster || in_it(key))
}

fn is_unknown(key: &Key) -> bool {
    matches!(key, Key::Unknown(_))
}

fn unknown(text: &str) -> Error {
    let reason = format!("A newer version of Groundwork made {text}, and this one does not know how to remove it.");
    Error::of(Code::UnknownResource, reason)
}

/// Node groups that the journal has and the spec does not want, with their launch templates.
fn no_longer_wanted(cluster: &Cluster, journal: &Journal) -> Vec<Resource> {
    let wanted: BTreeSet<Key> = wanted(cluster).into_iter().collect();
    let there = journal.iter().filter(|(_, entry)| entry.state != State::Gone).map(|(key, _)| key.clone());
    let surplus: BTreeSet<Key> = there.flat_map(|key| with_its_own(key, cluster)).filter(|key| !wanted.contains(key)).collect();
    let groups = surplus.iter().filter(|key| matches!(key, Key::NodeGroup(_) | Key::LaunchTemplate(_)));
    groups.filter_map(|key| of(key, cluster)).collect()
}

/// A node group and its launch template, in case the journal has lost one. In a customer's own cluster groups have no template.
fn with_its_own(key: Key, cluster: &Cluster) -> Vec<Key> {
    match &key {
        Key::NodeGroup(group) | Key::LaunchTemplate(group) if cluster.spec.managed().is_some() => {
            vec![Key::LaunchTemplate(group.clone()), Key::NodeGroup(group.clone())]
        }
        _ => vec![key],
    }
}

/// What the customer made, and our node groups in it.
fn customers(cluster: &Cluster, theirs: &SelfManaged) -> Vec<Key> {
    let buckets = theirs.buckets.iter().map(|name| Key::Bucket(name.clone()));
    buckets.chain([Key::Cluster]).chain(groups(cluster).map(Key::NodeGroup)).collect()
}

fn groups(cluster: &Cluster) -> impl Iterator<Item = Group> {
    cluster.instance_types().iter().map(InstanceType::group)
}

fn buckets(cluster: &Cluster) -> Vec<Key> {
    cluster.spec.buckets().into_iter().map(|bucket| Key::Bucket(bucket.purpose)).collect()
}

/// In a network of the customer's there is nothing to make.
fn network(cluster: &Cluster) -> Vec<Key> {
    if cluster.is_in_their_network() {
        return vec![Key::Network, Key::Leftovers];
    }
    let mut network = vec![Key::Vpc, Key::InternetGateway];
    for index in 0..cluster.zones.len() {
        network.extend([Side::Public, Side::Private].map(|side| Key::Subnet(side, index)));
    }
    network.push(Key::RouteTable(Side::Public, 0));
    for index in 0..cluster.ways_out() {
        network.extend([Key::ElasticIp(index), Key::NatGateway(index), Key::RouteTable(Side::Private, index)]);
    }
    network.extend([Key::S3Endpoint, Key::Leftovers]);
    network
}

fn control_plane(cluster: &Cluster) -> Vec<Key> {
    let mut all: Vec<Key> = [Role::Cluster, Role::Node, Role::EbsCsi].map(Key::Role).into();
    all.extend([Key::LogGroup, Key::Disks, Key::Cluster]);
    all.extend(cluster.guests().map(|guest| Key::AccessEntry(guest.principal.to_owned())));
    all.push(Key::PodIdentity(Role::EbsCsi));
    all.extend([Addon::VpcCni, Addon::KubeProxy, Addon::EksPodIdentityAgent].map(Key::Addon));
    all
}

fn nodes(cluster: &Cluster) -> Vec<Key> {
    let groups = std::iter::once(Group::System).chain(groups(cluster));
    let mut all: Vec<Key> = groups.flat_map(|group| [Key::LaunchTemplate(group.clone()), Key::NodeGroup(group)]).collect();
    all.extend([Addon::Coredns, Addon::AwsEbsCsiDriver].map(Key::Addon));
    match cluster.spec.performance_profile() {
        PerformanceProfile::CostSaving => {}
        PerformanceProfile::Standard => all.extend(std::iter::once(Key::Addon(Addon::AwsMountpointS3CsiDriver)).chain(watching())),
    }
    all.extend(cluster.spec.has_flow_logs().then_some(Key::FlowLog));
    all
}

/// What the pods of the autoscaler and of researchers may do; and as whom we come in.
fn furniture(cluster: &Cluster) -> Vec<Key> {
    let pods = [Role::Autoscaler, Role::Workload].into_iter().flat_map(|role| [Key::Role(role), Key::PodIdentity(role)]);
    pods.chain(cluster.door.map(|_| Key::Role(Role::Hand))).collect()
}

/// What measures and watches the nodes.
fn watching() -> impl Iterator<Item = Key> {
    let addons = [Addon::MetricsServer, Addon::EksNodeMonitoringAgent, Addon::AmazonCloudwatchObservability].map(Key::Addon);
    let agents = [Key::Role(Role::CloudwatchAgent), Key::PodIdentity(Role::CloudwatchAgent)];
    addons.into_iter().chain(agents).chain(NodeLog::VARIANTS.iter().copied().map(Key::NodeLog))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::offering::Offering;
    use jiff::Timestamp;
    use serde_json::json;

    fn cluster(fields: serde_json::Value) -> Cluster {
        let mut all = json!({
            "instance_types": [{"name": "g4dn.xlarge"}, {"name": "m6i.large"}],
            "admin_principal_arn": "arn:aws:iam::222222222222:role/admin"
        });
        all.as_object_mut().expect("fields").extend(fields.as_object().cloned().unwrap_or_default());
        Cluster::example(all)
    }

    /// With what only some clusters have.
    fn rich() -> Cluster {
        cluster(json!({"performance_profile": "standard", "network": {"flow_logs": true}}))
    }

    fn entries<'a>(state: State, keys: impl IntoIterator<Item = &'a str>) -> Journal {
        keys.into_iter().map(|key| (key.into(), Entry::new(state, 1, Timestamp::UNIX_EPOCH))).collect()
    }

    fn keys(resources: &[Resource]) -> Vec<String> {
        resources.iter().map(|resource| resource.key().to_string()).collect()
    }

    fn resources_of(cluster: &Cluster) -> Vec<Resource> {
        wanted(cluster).iter().filter_map(|key| of(key, cluster)).collect()
    }

    #[test]
    fn a_key_of_another_version_leads_nowhere() {
        assert!(of(&"fargate/a".into(), &Cluster::example(json!({}))).is_none());
    }

    #[test]
    fn every_key_leads_to_its_resource() {
        for cluster in [cluster(json!({})), rich(), in_their_network(), Cluster::self_managed(json!({}))] {
            for key in wanted(&cluster).into_iter() {
                assert_eq!(of(&key, &cluster).map(|one| one.key()), Some(key));
            }
        }
    }

    #[test]
    fn what_is_inside_is_not_waited_for_while_what_its_pods_need_is_stuck() {
        for (stuck, keeps) in [
            ("cluster", true),
            ("nat-gateway", true),
            ("addon/vpc-cni", true),
            ("node-group/system", true),
            ("addon/aws-ebs-csi-driver", true),
            ("node-group/m6i.large", false),
            ("addon/metrics-server", false),
            ("bucket/logs", false),
        ] {
            assert_eq!(keeps_pods_from_running(&rich(), &[stuck.into()].into()), keeps, "{stuck}");
        }
    }

    #[test]
    fn only_the_standard_profile_mounts_buckets_and_measures_and_watches_the_nodes() {
        let watching = [
            "addon/aws-mountpoint-s3-csi-driver",
            "addon/metrics-server",
            "addon/eks-node-monitoring-agent",
            "addon/amazon-cloudwatch-observability",
            "log-group/application",
        ];
        for (profile, expected) in [("cost_saving", false), ("standard", true)] {
            let all = keys(&resources_of(&cluster(json!({"performance_profile": profile}))));
            assert!(watching.iter().all(|addon| all.iter().any(|key| key == addon) == expected), "{profile}: {all:?}");
        }
    }

    #[test]
    fn a_self_managed_cluster_loses_only_its_node_groups() {
        let cluster = Cluster::self_managed(json!({}));
        assert_eq!(keys(&resources_of(&cluster)), ["bucket/their-data", "bucket/their-logs", "cluster", "node-group/m6i.large"]);
        let plan = teardown(&cluster, &entries(State::Ready, ["bucket/their-data", "cluster", "node-group/p3.2xlarge"])).expect("a plan");
        assert_eq!(keys(&plan.unwanted), ["node-group/m6i.large", "node-group/p3.2xlarge"]);
    }

    fn in_their_network() -> Cluster {
        cluster(json!({"network": {"subnet_ids": ["subnet-0000000a", "subnet-0000000b"]}}))
    }

    #[test]
    fn in_the_customers_network_nothing_is_made_and_nothing_of_it_goes() {
        let cluster = in_their_network();
        let network = |key: &Key| {
            matches!(
                key,
                Key::Vpc
                    | Key::InternetGateway
                    | Key::Subnet(..)
                    | Key::ElasticIp(_)
                    | Key::NatGateway(_)
                    | Key::RouteTable(..)
                    | Key::S3Endpoint
            )
        };
        assert!(!wanted(&cluster).iter().any(network));
        for key in [Key::Cluster, Key::NodeGroup(Group::System)] {
            let needs = of(&key, &cluster).map(|one| one.planned().needs()).unwrap_or_default();
            assert!(needs.contains(&Key::Network) && !needs.iter().any(network), "{key}: {needs:?}");
        }
        let plan = teardown(&cluster, &entries(State::Ready, ["network", "cluster"])).expect("a plan");
        assert!(!keys(&plan.unwanted).contains(&"network".to_owned()) && keys(&plan.unwanted).contains(&"leftovers".to_owned()));
    }

    #[test]
    fn needs_are_in_the_same_or_an_earlier_stage_and_have_no_cycle() {
        for plan in [cluster(json!({})), rich(), in_their_network(), Cluster::self_managed(json!({}))].map(|cluster| resources_of(&cluster))
        {
            let mut done = BTreeSet::new();
            while done.len() < plan.len() {
                let before = done.len();
                for resource in &plan {
                    if resource.planned().needs().iter().all(|key| done.contains(key)) {
                        done.insert(resource.key());
                    }
                }
                assert!(done.len() > before, "nothing can act any more: {:?} of {} are done", done, plan.len());
            }
            for resource in plan.iter().map(Resource::planned) {
                for other in plan.iter().map(Resource::planned).filter(|other| resource.needs().contains(&other.key())) {
                    assert!(other.stage() <= resource.stage(), "{} needs {}", resource.key(), other.key());
                }
            }
        }
    }

    #[test]
    fn there_is_a_bucket_for_each_purpose() {
        for (fields, expected) in [
            (json!({}), &["bucket/artifacts", "bucket/checkpoints", "bucket/logs"][..]),
            (json!({"buckets": [{"purpose": "datasets"}]}), &["bucket/datasets"]),
            (json!({"buckets": []}), &[]),
        ] {
            let found: Vec<String> = keys(&resources_of(&cluster(fields.clone())));
            assert_eq!(found.iter().filter(|key| key.starts_with("bucket/")).collect::<Vec<_>>(), expected, "{fields}");
        }
    }

    #[test]
    fn the_control_plane_does_not_wait_for_the_nat_gateway() {
        let plan = resources_of(&cluster(json!({})));
        let needs_of = |key: &Key| plan.iter().find(|one| one.key() == *key).map(|one| one.planned().needs()).unwrap_or_default();
        let mut all = BTreeSet::new();
        let mut open = vec![Key::Cluster];
        while let Some(key) = open.pop() {
            open.extend(needs_of(&key).into_iter().filter(|need| all.insert(need.clone())));
        }
        assert!(all.contains(&Key::Subnet(Side::Private, 0)) && all.contains(&Key::Role(Role::Cluster)));
        assert!(!all.contains(&Key::NatGateway(0)) && !all.contains(&Key::RouteTable(Side::Private, 0)));
    }

    #[test]
    fn the_standard_profile_has_a_way_out_in_each_zone_and_nodes_need_those_of_their_zones() {
        let zones = [("g4dn.xlarge".into(), vec!["us-west-2c".into()])].into();
        let offering = Offering { system: "t3.medium".into(), zones, ..Offering::default() };
        let ways_out = |fields, group: Group| {
            let cluster = Cluster { offering: Some(offering.clone()), ..cluster(fields) };
            let needs = of(&Key::NodeGroup(group), &cluster).map(|one| one.planned().needs()).unwrap_or_default();
            let gateways =
                |keys: Vec<Key>| keys.iter().filter(|key| matches!(key, Key::NatGateway(_))).map(ToString::to_string).collect::<Vec<_>>();
            (gateways(wanted(&cluster)), gateways(needs))
        };
        let all = ["nat-gateway", "nat-gateway/1", "nat-gateway/2"];
        let gpu = || Group::InstanceType("g4dn.xlarge".into());
        for (profile, group, made, needed) in [
            ("cost_saving", Group::System, &all[..1], &all[..1]),
            ("cost_saving", gpu(), &all[..1], &all[..1]),
            ("standard", Group::System, &all[..], &all[..]),
            ("standard", gpu(), &all[..], &all[2..]),
        ] {
            let found = ways_out(json!({"performance_profile": profile}), group.clone());
            assert_eq!(found.0, made, "{profile}");
            assert_eq!(found.1, needed, "{profile} {group}");
        }
    }

    #[test]
    fn a_stage_looks_again_at_needs_that_the_journal_has_lost() {
        let cluster = cluster(json!({}));
        let mut journal =
            entries(State::Ready, wanted(&cluster).iter().map(ToString::to_string).collect::<Vec<_>>().iter().map(String::as_str));
        let keys = |journal: &Journal| {
            let plan = of_stage(&cluster, Stage::CreateNodegroups, journal, BTreeSet::new());
            plan.wanted.iter().map(Resource::key).collect::<BTreeSet<Key>>()
        };
        let whole = keys(&journal);
        assert!(whole.contains(&Key::Addon(Addon::Coredns)) && !whole.contains(&Key::NatGateway(0)));
        for lost in ["nat-gateway", "bucket/logs"] {
            journal.remove(&Key::from(lost));
        }
        assert_eq!(keys(&journal).difference(&whole).collect::<Vec<_>>(), [&Key::NatGateway(0)]);
    }

    #[test]
    fn what_an_edit_drops_is_removed_once_nothing_depends_on_it_but_nothing_that_holds_data() {
        let cluster = cluster(json!({}));
        let dropped = ["node-group/p3.2xlarge", "launch-template/p3.2xlarge", "bucket/scratch", "fargate/a", "vpc"];
        for (stage, state, expected, reason) in [
            (Stage::CreateEks, State::Ready, vec![], "node groups still use their templates"),
            (
                Stage::CreateNodegroups,
                State::Ready,
                vec!["launch-template/p3.2xlarge", "node-group/p3.2xlarge"],
                "nothing uses them any more",
            ),
            (Stage::CreateNodegroups, State::Gone, vec![], "they are gone already"),
        ] {
            let plan = of_stage(&cluster, stage, &entries(state, dropped), BTreeSet::new());
            assert_eq!(keys(&plan.unwanted), expected, "{reason}");
        }
    }

    #[test]
    fn the_control_planes_log_goes_only_with_the_data_or_if_it_is_empty() {
        for (data, entries_of, goes, reason) in [
            ("keep", ["cluster"].as_slice(), false, "EKS has written to it"),
            ("keep", &["addon/vpc-cni"], false, "the entry of the control plane is lost"),
            ("keep", &["vpc", "role/cluster"], true, "there was no control plane"),
            ("delete", &["cluster"], true, "somebody said so"),
        ] {
            let cluster = cluster(json!({"deletion": {"data": data}}));
            let plan = teardown(&cluster, &entries(State::Ready, entries_of.iter().copied())).expect("a plan");
            assert_eq!(keys(&plan.unwanted).contains(&"log-group".to_owned()), goes, "{reason}");
        }
    }

    #[test]
    fn teardown_includes_what_only_the_journal_knows_but_not_retained_buckets() {
        let cluster = cluster(json!({"deletion": {"buckets": "retain"}}));
        let plan = teardown(&cluster, &entries(State::Ready, ["node-group/p3.2xlarge"])).expect("a plan");
        let keys: BTreeSet<String> = keys(&plan.unwanted).into_iter().collect();
        for key in ["node-group/p3.2xlarge", "launch-template/p3.2xlarge", "access-entry/role/admin", "leftovers"] {
            assert!(keys.contains(key), "{key}");
        }
        assert!(plan.wanted.is_empty() && keys.iter().all(|key| !key.starts_with("bucket/")));
    }

    #[test]
    fn nothing_is_torn_down_while_something_of_a_newer_version_is_there() {
        let cluster = cluster(json!({}));
        let error = teardown(&cluster, &entries(State::Ready, ["fargate/a"])).err().expect("it cannot be removed");
        assert_eq!((error.code, error.hint.contains("newer version")), (Code::UnknownResource, true));
        assert!(teardown(&cluster, &entries(State::Gone, ["fargate/a"])).is_ok(), "the newer version has removed it");
    }

    #[test]
    fn the_entry_of_a_former_administrator_goes_with_the_cluster() {
        let plan = teardown(&Cluster::example(json!({})), &entries(State::Ready, ["access-entry/role/admin"])).expect("a plan");
        assert!(!keys(&plan.unwanted).contains(&"access-entry/role/admin".to_owned()));
    }

    #[test]
    fn the_nodes_stage_may_always_have_something_in_the_account() {
        let theirs = |fields| makers(&Cluster::self_managed(fields)).into_iter().collect::<Vec<_>>();
        assert_eq!(theirs(json!({})), [Stage::CreateNodegroups]);
        assert_eq!(theirs(json!({"instance_types": [], "node_role_arn": null})), [Stage::CreateNodegroups], "an edit drops groups");
        let ours = makers(&cluster(json!({})));
        assert_eq!(ours.into_iter().collect::<Vec<_>>(), [Stage::CreateBuckets, Stage::CreateEks, Stage::CreateNodegroups, Stage::Furnish]);
    }

    #[test]
    fn the_longest_name_stays_within_the_limits_of_aws() {
        let cluster = cluster(json!({"name": "a".repeat(63)}));
        assert!(cluster.eks_name().len() <= 100);
        for purpose in ["checkpoints", "cluster", "ebs-csi"] {
            assert!(cluster.scoped(purpose).len() <= 63, "{purpose}");
        }
        for key in wanted(&cluster) {
            assert!(cluster.token(&key).len() <= 64, "{key}");
        }
    }
}
