//! What a cluster is: the keys of all its resources, a pure function of its spec; and what a walk makes of that and of the journal.

use crate::cluster::Cluster;
use crate::drive::Plan;
use crate::resource::Resource;
use crate::resources;
use std::collections::{BTreeMap, BTreeSet};
use wire::journal::{Entry, State};
use wire::key::{Addon, Group, Key, Role, Side};
use wire::spec::{Ground, SelfManaged};
use wire::stage::Stage;

type Journal = BTreeMap<Key, Entry>;

/// Every resource that the spec wants.
pub fn wanted(cluster: &Cluster) -> Vec<Key> {
    match &cluster.spec.ground {
        Ground::Managed(_) => [buckets(), network(cluster.zones.len()), control_plane(cluster), nodes(cluster)].concat(),
        Ground::SelfManaged(theirs) => customers(cluster, theirs),
    }
}

/// The stages that make something.
pub fn makers(cluster: &Cluster) -> BTreeSet<Stage> {
    let made = wanted(cluster).into_iter().map(|key| resources::of(&key, cluster)).filter(|one| matches!(one, Resource::Made(_)));
    made.map(|one| one.planned().stage()).collect()
}

/// What one stage makes, with what it needs of earlier stages and the journal does not know as ready: a lost entry is written anew.
/// The last of them removes what the spec no longer wants: by then nothing that is wanted can depend on it.
pub fn of_stage(cluster: &Cluster, stage: Stage, journal: &Journal) -> Plan {
    let all: BTreeMap<Key, Resource> = wanted(cluster).into_iter().map(|key| (key.clone(), resources::of(&key, cluster))).collect();
    let is_ready = |key: &Key| journal.get(key).is_some_and(|entry| entry.state == State::Ready);
    let mut open: Vec<Key> = all.iter().filter(|(_, one)| one.planned().stage() == stage).map(|(key, _)| key.clone()).collect();
    let mut needed = BTreeSet::new();
    while let Some(key) = open.pop() {
        if let Some(resource) = all.get(&key) {
            open.extend(resource.planned().needs().into_iter().filter(|need| !is_ready(need) && !needed.contains(need)));
        }
        needed.insert(key);
    }
    let unwanted = if stage == Stage::CreateNodegroups { no_longer_wanted(cluster, journal) } else { vec![] };
    Plan { wanted: all.into_iter().filter(|(key, _)| needed.contains(key)).map(|(_, one)| one).collect(), unwanted }
}

/// Everything that teardown must see gone: what the spec wants, and what only the journal knows; not the buckets if the tenant keeps
/// them, and nothing that the customer made.
pub fn teardown(cluster: &Cluster, journal: &Journal) -> Plan {
    // Once more also what a run before has seen gone, if this version can.
    let gone_for_good = |key: &Key, entry: &Entry| entry.state == State::Gone && matches!(key, Key::Unknown(_));
    let journaled = journal.iter().filter(|(key, entry)| !gone_for_good(key, entry)).map(|(key, _)| key.clone());
    let all: BTreeSet<Key> = wanted(cluster).into_iter().chain(journaled.flat_map(|key| with_its_own(key, cluster))).collect();
    let goes = |resource: &Resource| match resource {
        Resource::Made(made) => !(made.holds_data() && cluster.spec.keeps_buckets()),
        Resource::LookedAt(_) => false,
        Resource::Removed(_) => true,
    };
    Plan { wanted: vec![], unwanted: all.iter().map(|key| resources::of(key, cluster)).filter(goes).collect() }
}

/// What the journal has and the spec does not want. What a newer version made is left to it: only a teardown cannot do without.
fn no_longer_wanted(cluster: &Cluster, journal: &Journal) -> Vec<Resource> {
    let wanted: BTreeSet<Key> = wanted(cluster).into_iter().collect();
    let there = journal.iter().filter(|(_, entry)| entry.state != State::Gone).map(|(key, _)| key.clone());
    let surplus: BTreeSet<Key> = there.flat_map(|key| with_its_own(key, cluster)).filter(|key| !wanted.contains(key)).collect();
    let resources = surplus.iter().filter(|key| !matches!(key, Key::Unknown(_))).map(|key| resources::of(key, cluster));
    resources.filter(|resource| matches!(resource, Resource::Made(made) if !made.holds_data())).collect()
}

/// A node group and its launch template, of which one may be lost from the journal. In a customer's cluster groups have none.
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
    cluster.spec.instance_types.iter().map(|wanted| Group::InstanceType(wanted.name.clone()))
}

fn buckets() -> Vec<Key> {
    ["artifacts", "checkpoints", "logs"].map(|purpose| Key::Bucket(purpose.into())).into()
}

fn network(zones: usize) -> Vec<Key> {
    let mut network = vec![Key::Vpc, Key::InternetGateway];
    for index in 0..zones {
        network.extend([Side::Public, Side::Private].map(|side| Key::Subnet(side, index)));
    }
    network.extend([Key::ElasticIp, Key::NatGateway]);
    network.extend([Side::Public, Side::Private].map(Key::RouteTable));
    network.extend([Key::S3Endpoint, Key::Leftovers]);
    network
}

fn control_plane(cluster: &Cluster) -> Vec<Key> {
    let mut all: Vec<Key> = [Role::Cluster, Role::Node, Role::EbsCsi].map(Key::Role).into();
    all.extend([Key::LogGroup, Key::Cluster]);
    if cluster.administrator().is_some() {
        all.push(Key::AccessEntry);
    }
    all.push(Key::PodIdentity);
    all.extend([Addon::VpcCni, Addon::KubeProxy, Addon::EksPodIdentityAgent].map(Key::Addon));
    all
}

fn nodes(cluster: &Cluster) -> Vec<Key> {
    let groups = std::iter::once(Group::System).chain(groups(cluster));
    let mut all: Vec<Key> = groups.flat_map(|group| [Key::LaunchTemplate(group.clone()), Key::NodeGroup(group)]).collect();
    all.extend([Addon::Coredns, Addon::AwsEbsCsiDriver].map(Key::Addon));
    all
}

#[cfg(test)]
mod tests {
    use super::*;
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

    fn entries<'a>(state: State, keys: impl IntoIterator<Item = &'a str>) -> Journal {
        keys.into_iter().map(|key| (key.into(), Entry::new(state, 1, Timestamp::UNIX_EPOCH))).collect()
    }

    fn keys(resources: &[Resource]) -> Vec<String> {
        resources.iter().map(|resource| resource.key().to_string()).collect()
    }

    fn resources_of(cluster: &Cluster) -> Vec<Resource> {
        wanted(cluster).iter().map(|key| resources::of(key, cluster)).collect()
    }

    #[test]
    fn every_key_leads_to_the_resource_that_it_is_the_key_of() {
        for cluster in [cluster(json!({})), Cluster::self_managed(json!({}))] {
            for key in wanted(&cluster).into_iter().chain([Key::Unknown("fargate/a".into())]) {
                assert_eq!(resources::of(&key, &cluster).key(), key);
            }
        }
    }

    #[test]
    fn of_a_self_managed_cluster_only_node_groups_are_taken_away() {
        let cluster = Cluster::self_managed(json!({}));
        assert_eq!(keys(&resources_of(&cluster)), ["bucket/their-data", "bucket/their-logs", "cluster", "node-group/m6i.large"]);
        let plan = teardown(&cluster, &entries(State::Ready, ["bucket/their-data", "cluster", "node-group/p3.2xlarge"]));
        assert_eq!(keys(&plan.unwanted), ["node-group/m6i.large", "node-group/p3.2xlarge"]);
    }

    #[test]
    fn every_need_is_a_resource_of_the_same_or_an_earlier_stage_and_there_is_no_circle() {
        for plan in [cluster(json!({})), Cluster::self_managed(json!({}))].map(|cluster| resources_of(&cluster)) {
            let mut done = BTreeSet::new();
            while done.len() < plan.len() {
                let before = done.len();
                for resource in &plan {
                    if resource.planned().needs().iter().all(|key| done.contains(key)) {
                        done.insert(resource.key());
                    }
                }
                assert!(done.len() > before, "nobody can act any more: {:?} of {} are done", done, plan.len());
            }
            for resource in plan.iter().map(Resource::planned) {
                for other in plan.iter().map(Resource::planned).filter(|other| resource.needs().contains(&other.key())) {
                    assert!(other.stage() <= resource.stage(), "{} needs {}", resource.key(), other.key());
                }
            }
        }
    }

    #[test]
    fn the_control_plane_waits_for_subnets_and_its_role_but_not_for_the_nat_gateway() {
        let plan = resources_of(&cluster(json!({})));
        let needs_of = |key: &Key| plan.iter().find(|one| one.key() == *key).map(|one| one.planned().needs()).unwrap_or_default();
        let mut all = BTreeSet::new();
        let mut open = vec![Key::Cluster];
        while let Some(key) = open.pop() {
            open.extend(needs_of(&key).into_iter().filter(|need| all.insert(need.clone())));
        }
        assert!(all.contains(&Key::Subnet(Side::Private, 0)) && all.contains(&Key::Role(Role::Cluster)));
        assert!(!all.contains(&Key::NatGateway) && !all.contains(&Key::RouteTable(Side::Private)));
    }

    #[test]
    fn a_stage_goes_back_to_what_the_journal_has_lost_of_its_needs() {
        let cluster = cluster(json!({}));
        let mut journal =
            entries(State::Ready, wanted(&cluster).iter().map(ToString::to_string).collect::<Vec<_>>().iter().map(String::as_str));
        let keys = |journal: &Journal| {
            let plan = of_stage(&cluster, Stage::CreateNodegroups, journal);
            plan.wanted.iter().map(Resource::key).collect::<BTreeSet<Key>>()
        };
        let whole = keys(&journal);
        assert!(whole.contains(&Key::Addon(Addon::Coredns)) && !whole.contains(&Key::NatGateway));
        for lost in ["nat-gateway", "bucket/logs"] {
            journal.remove(&Key::from(lost));
        }
        assert_eq!(keys(&journal).difference(&whole).collect::<Vec<_>>(), [&Key::NatGateway]);
    }

    #[test]
    fn what_an_edit_drops_goes_in_the_last_stage_and_nothing_with_data_in_it() {
        let cluster = cluster(json!({}));
        let dropped = ["node-group/p3.2xlarge", "launch-template/p3.2xlarge", "bucket/scratch", "fargate/a", "vpc"];
        for (stage, state, expected, reason) in [
            (Stage::CreateEks, State::Ready, vec![], "node groups still use their templates"),
            (Stage::CreateNodegroups, State::Ready, vec!["launch-template/p3.2xlarge", "node-group/p3.2xlarge"], "the last stage"),
            (Stage::CreateNodegroups, State::Gone, vec![], "they are gone already"),
        ] {
            let plan = of_stage(&cluster, stage, &entries(state, dropped));
            assert_eq!(keys(&plan.unwanted), expected, "{reason}");
        }
    }

    #[test]
    fn teardown_sees_what_only_the_journal_knows_and_leaves_retained_buckets() {
        let cluster = cluster(json!({"deletion": {"buckets": "retain"}}));
        let plan = teardown(&cluster, &entries(State::Ready, ["node-group/p3.2xlarge", "fargate/a"]));
        let keys: BTreeSet<String> = keys(&plan.unwanted).into_iter().collect();
        for key in ["node-group/p3.2xlarge", "launch-template/p3.2xlarge", "fargate/a", "leftovers"] {
            assert!(keys.contains(key), "{key}");
        }
        assert!(plan.wanted.is_empty() && keys.iter().all(|key| !key.starts_with("bucket/")));
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
