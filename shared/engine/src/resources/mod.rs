//! The resources, one file each.

mod access_entry;
mod addon;
mod bucket;
pub(crate) mod cluster;
pub mod contents;
pub(crate) mod delivery;
pub mod disks;
mod door;
pub(crate) mod elastic_ip;
mod existing_bucket;
mod existing_cluster;
pub(crate) mod existing_network;
mod expiry;
mod flow_log;
mod furniture;
pub mod health;
pub(crate) mod internet_gateway;
pub(crate) mod launch_template;
pub mod leftovers;
mod log_group;
mod nat_gateway;
mod node_group;
pub(crate) mod owned;
mod pod_identity;
mod role;
mod route_table;
pub(crate) mod s3_endpoint;
mod spot;
mod subnet;
pub(crate) mod vpc;

use crate::cluster::Cluster;
use crate::resource::{Made, Resource};
use wire::key::Key;
use wire::spec::Ground;

/// The resource that a key names; none for what only another version of Groundwork knows.
pub fn of(key: &Key, cluster: &Cluster) -> Option<Resource> {
    let zones = cluster.zones.len();
    let in_theirs = cluster.is_in_their_network();
    Some(match key {
        Key::Network => Resource::LookedAt(Box::new(existing_network::ExistingNetwork)),
        Key::Vpc => made(vpc::Vpc),
        Key::InternetGateway => made(internet_gateway::InternetGateway),
        Key::Subnet(side, index) => made(subnet::Subnet { side: *side, index: *index }),
        Key::ElasticIp(index) => made(elastic_ip::ElasticIp { index: *index }),
        Key::NatGateway(index) => made(nat_gateway::NatGateway { index: *index }),
        Key::RouteTable(side, index) => made(route_table::RouteTable::new(*side, *index, cluster)),
        Key::S3Endpoint => made(s3_endpoint::S3Endpoint { ways_out: cluster.ways_out() }),
        Key::FlowLog => made(flow_log::FlowLog),
        Key::Leftovers => Resource::Removed(Box::new(leftovers::Leftovers { zones, in_theirs })),
        Key::Disks => Resource::Removed(Box::new(disks::Disks)),
        Key::Role(role) => made(*role),
        Key::LogGroup => made(log_group::LogGroup { log: None }),
        Key::NodeLog(log) => made(log_group::LogGroup { log: Some(*log) }),
        Key::Cluster => control_plane(cluster),
        Key::AccessEntry(principal) => made(access_entry::AccessEntry::of(principal, cluster)),
        Key::PodIdentity(role) => made(pod_identity::PodIdentity::of(*role)?),
        Key::Addon(addon) => made(*addon),
        Key::LaunchTemplate(group) => made(launch_template::LaunchTemplate { group: group.clone() }),
        Key::NodeGroup(group) => made(node_group::NodeGroup::new(group, cluster)),
        Key::Bucket(name) => bucket(name, cluster),
        Key::Door => made(door::Door),
        Key::Furniture => made(furniture::Furniture::of(cluster)),
        Key::Unknown(_) => return None,
    })
}

fn control_plane(cluster: &Cluster) -> Resource {
    match cluster.spec.ground {
        Ground::Managed(_) => made(cluster::ControlPlane { zones: cluster.zones.len(), in_theirs: cluster.is_in_their_network() }),
        Ground::SelfManaged(_) => Resource::LookedAt(Box::new(existing_cluster::ExistingCluster)),
    }
}

/// Ours are named by purpose, the customer's by their own names.
fn bucket(name: &str, cluster: &Cluster) -> Resource {
    match cluster.spec.ground {
        Ground::Managed(_) => made(bucket::Bucket { purpose: name.to_owned() }),
        Ground::SelfManaged(_) => Resource::LookedAt(Box::new(existing_bucket::ExistingBucket { name: name.to_owned() })),
    }
}

fn made(resource: impl Made + 'static) -> Resource {
    Resource::Made(Box::new(resource))
}
