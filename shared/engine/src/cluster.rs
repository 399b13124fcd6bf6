//! One of our clusters, as its resources see it.

use crate::names;
use crate::offering::{self, Offering, SYSTEM_TYPES};
use std::collections::BTreeMap;
use wire::cidr::Cidr;
use wire::key::{Group, Key, NodeLog, Role};
use wire::spec::{Data, Ground, Guest, InstanceType, PerformanceProfile, Spec};

/// What a cluster's resources are derived from; the same for all of them.
#[derive(Clone, Debug)]
pub struct Cluster {
    pub id: String,
    pub name: String,
    pub tenant: String,
    /// The customer's account, twelve digits.
    pub account: String,
    /// Names of the availability zones, chosen once: two or three, or those of the customer's subnets.
    pub zones: Vec<String>,
    /// None in a customer's own cluster, and if an earlier version chose the zones: then each counts as offering everything.
    pub offering: Option<Offering>,
    /// What happens to the data if it is deleted now.
    pub data: Data,
    /// The operator's address, from which the API server is reached.
    pub door: Option<Cidr>,
    pub spec: Spec,
}

impl Cluster {
    pub fn scoped(&self, purpose: &str) -> String {
        wire::names::scoped(&self.id, purpose)
    }

    /// The cluster's name in EKS, whoever made it.
    pub fn eks_name(&self) -> String {
        match &self.spec.ground {
            Ground::Managed(_) => names::eks_cluster(&self.name, &self.id),
            Ground::SelfManaged(theirs) => theirs.eks_cluster_name.clone(),
        }
    }

    /// The IAM roles and users that a managed cluster lets in.
    pub fn guests(&self) -> impl Iterator<Item = Guest<'_>> {
        self.spec.managed().into_iter().flat_map(|ours| ours.access.guests())
    }

    /// What follows the account in the ARN of our own role in it.
    pub fn hand(&self) -> String {
        format!("role{}{}", names::ROLE_PATH, self.scoped(Role::Hand.into()))
    }

    /// True if the spec's ranges leave the operator's address out, so that it has to be among them for a while.
    pub fn needs_door(&self) -> bool {
        let within = |range: &String| range.parse().is_ok_and(|range: Cidr| self.door.is_some_and(|door| range.contains(door)));
        self.door.is_some() && !self.spec.public_cidrs().unwrap_or_default().iter().any(within)
    }

    pub fn instance_type<'a>(&'a self, group: &'a Group) -> &'a str {
        match group {
            Group::System => self.offering.as_ref().map_or(SYSTEM_TYPES[0], |offering| &offering.system),
            Group::InstanceType(name) | Group::Spot(name) => name,
        }
    }

    /// The types that its nodes can have, the first first.
    pub fn types<'a>(&'a self, group: &'a Group) -> Vec<&'a str> {
        self.wanted(group).map_or_else(|| vec![self.instance_type(group)], |wanted| wanted.types().collect())
    }

    /// The types of its node groups, the system's not counted.
    pub fn instance_types(&self) -> &[InstanceType] {
        offering::wanted(&self.spec, self.offering.as_ref())
    }

    /// What the tenant wants a node group to be. None for the system's, and for one that only the journal knows.
    pub fn wanted(&self, group: &Group) -> Option<&InstanceType> {
        self.instance_types().iter().find(|wanted| wanted.group() == *group)
    }

    /// Which of its zones offer all of the instance types, from 0.
    pub fn zones_with(&self, types: &[&str]) -> Vec<usize> {
        let known = |name: &str| self.offering.as_ref().and_then(|offering| offering.zones.get(name));
        let offers = |zone: &String| types.iter().all(|name| known(name).is_none_or(|zones| zones.contains(zone)));
        (0..self.zones.len()).filter(|index| offers(&self.zones[*index])).collect()
    }

    /// Which NAT gateway leads out of the private subnet of a zone, from 0.
    pub fn way_out(&self, zone: usize) -> usize {
        match self.spec.performance_profile() {
            PerformanceProfile::CostSaving => 0,
            PerformanceProfile::Standard => zone,
        }
    }

    /// How many NAT gateways there are.
    pub fn ways_out(&self) -> usize {
        match self.spec.performance_profile() {
            PerformanceProfile::CostSaving => 1,
            PerformanceProfile::Standard => self.zones.len(),
        }
    }

    /// True if a managed cluster is in subnets of the customer's, of which nothing is ours.
    pub fn is_in_their_network(&self) -> bool {
        !self.spec.customers_subnets().is_empty()
    }

    pub fn log_group(&self) -> String {
        names::log_group(&self.name, &self.id)
    }

    pub fn node_log(&self, log: NodeLog) -> String {
        format!("{}{log}", self.node_logs())
    }

    /// How the names of all these log groups begin.
    pub fn node_logs(&self) -> String {
        names::node_logs(&self.name, &self.id)
    }

    /// True if our buckets stay in a deletion, whether there is something in them or not.
    pub fn retains_buckets(&self) -> bool {
        self.data == Data::Keep && self.spec.retains_buckets()
    }

    /// The tenant's tags and the owner tags, as every create call gives them.
    pub fn tags(&self, key: &Key) -> BTreeMap<String, String> {
        let ours = [
            (names::RESOURCE_TAG.into(), names::tag_value(&key.to_string())),
            ("Name".into(), names::tag_value(&self.scoped(&key.to_string().replace('/', "-")))),
        ];
        self.tags_of_all().into_iter().chain(ours).collect()
    }

    /// Those that are the same on all that belongs to the cluster, also on what Kubernetes makes.
    pub fn tags_of_all(&self) -> BTreeMap<String, String> {
        let owner = (names::OWNER_TAG.into(), self.id.clone());
        self.spec.tags.0.clone().into_iter().chain([owner]).collect()
    }

    /// A token that is the same for every create of the same resource of the same cluster: `ClientToken` and the like.
    pub fn token(&self, key: &Key) -> String {
        format!("{}-{}", self.id, key.to_string().replace(['/', '.'], "-"))
    }
}

#[cfg(test)]
impl Cluster {
    /// The cluster `research` with the id `abcdefghijkl` in three zones, with the spec's fields that the test is about.
    pub fn example(fields: serde_json::Value) -> Self {
        let mut body = serde_json::json!({
            "name": "research", "role_arn": "arn:aws:iam::222222222222:role/groundwork", "region": "us-west-2",
            "instance_types": [{"name": "m6i.large"}]
        });
        for (field, value) in fields.as_object().into_iter().flatten() {
            body[field] = value.clone();
        }
        let spec = wire::spec::parse(&body).expect("a valid spec");
        Self {
            id: "abcdefghijkl".into(),
            name: spec.name.clone(),
            tenant: "demo".into(),
            account: spec.account().to_owned(),
            zones: ["a", "b", "c"].map(|zone| format!("us-west-2{zone}")).into(),
            offering: None,
            data: spec.data(),
            door: None,
            spec,
        }
    }

    /// The same, in the customer's own cluster `theirs`.
    pub fn self_managed(fields: serde_json::Value) -> Self {
        let mut all = serde_json::json!({
            "mode": "self_managed", "eks_cluster_name": "theirs", "buckets": ["their-data", "their-logs"],
            "node_role_arn": "arn:aws:iam::222222222222:role/nodes"
        });
        for (field, value) in fields.as_object().into_iter().flatten() {
            all[field] = value.clone();
        }
        Self { zones: vec![], ..Self::example(all) }
    }
}
