//! A resource's key: its place in the plan, in the journal and in its tags.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use strum::{Display, EnumString, IntoStaticStr, VariantArray};

/// One resource of a cluster. Its text (`vpc`, `subnet/private-0`, `node-group/g4dn.xlarge`) is stored, put into tags and shown.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(from = "String", into = "String")]
#[schemars(with = "String")]
pub enum Key {
    /// The customer's subnets that the cluster is in.
    Network,
    Vpc,
    InternetGateway,
    /// A subnet of one side, counted from 0: one for each availability zone.
    Subnet(Side, usize),
    /// The address of a NAT gateway.
    ElasticIp(usize),
    /// A way out of the private subnets, by the zone that it is in, counted from 0.
    NatGateway(usize),
    /// Of the public subnets together; of the private ones, one for each way out.
    RouteTable(Side, usize),
    S3Endpoint,
    /// The record of the VPC's traffic.
    FlowLog,
    /// What Kubernetes left in the network.
    Leftovers,
    /// What claims and nodes left on EBS.
    Disks,
    Role(Role),
    /// The log group of the control plane.
    LogGroup,
    /// A log group of what the nodes and their pods say.
    NodeLog(NodeLog),
    /// The EKS control plane.
    Cluster,
    /// One whom the tenant lets in, by what follows the account in the ARN: `role/admin`.
    AccessEntry(String),
    /// The role of pods of ours.
    PodIdentity(Role),
    Addon(Addon),
    LaunchTemplate(Group),
    NodeGroup(Group),
    /// One of our buckets by its purpose, or a customer's by its name.
    Bucket(String),
    /// The operator's address among the ranges of the control plane's public endpoint.
    Door,
    /// What is inside every cluster: a storage class, a place to work, the autoscaler.
    Furniture,
    /// Written by another version of Groundwork, and unknown to this one.
    Unknown(String),
}

/// Which way a part of the network faces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Display, EnumString)]
#[strum(serialize_all = "kebab-case")]
pub enum Side {
    Public,
    Private,
}

/// An IAM role, by who uses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Display, EnumString, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Role {
    Cluster,
    Node,
    EbsCsi,
    CloudwatchAgent,
    /// Of the pod that asks for nodes and gives them back.
    Autoscaler,
    /// Of the pods that researchers run.
    Workload,
    /// Our own, for Kubernetes alone: it may do nothing in AWS.
    Hand,
}

/// A log group of CloudWatch's Container Insights, by its name for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Display, EnumString, VariantArray)]
#[strum(serialize_all = "kebab-case")]
pub enum NodeLog {
    Application,
    Dataplane,
    Host,
    Performance,
}

/// An EKS add-on, by EKS's name for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Display, EnumString, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Addon {
    VpcCni,
    KubeProxy,
    EksPodIdentityAgent,
    Coredns,
    AwsEbsCsiDriver,
    AwsMountpointS3CsiDriver,
    MetricsServer,
    EksNodeMonitoringAgent,
    AmazonCloudwatchObservability,
}

/// A node group.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// The one that runs what the cluster itself needs.
    System,
    /// On demand.
    InstanceType(String),
    /// Of the same instance type, with alternatives perhaps.
    Spot(String),
}

const SYSTEM: &str = "system";
const SPOT: &str = "spot/";

impl Key {
    /// The keys of all subnets of one side, in a cluster with so many availability zones.
    pub fn subnets(side: Side, zones: usize) -> impl Iterator<Item = Key> {
        (0..zones).map(move |index| Key::Subnet(side, index))
    }

    /// True if AWS charges for it as long as it is there. Exhaustive, so that a new resource does not compile until somebody has decided.
    pub fn costs_money(&self) -> bool {
        match self {
            // An address that is not in use costs, too; what Kubernetes left are load balancers.
            Key::Cluster | Key::NodeGroup(_) | Key::NatGateway(_) | Key::ElasticIp(_) | Key::Leftovers | Key::Disks => true,
            Key::Bucket(_) | Key::LogGroup | Key::NodeLog(_) | Key::FlowLog => true,
            Key::Network | Key::Vpc | Key::InternetGateway | Key::Subnet(..) | Key::RouteTable(..) | Key::S3Endpoint | Key::Role(_) => {
                false
            }
            Key::AccessEntry(_) | Key::PodIdentity(_) | Key::Addon(_) | Key::LaunchTemplate(_) | Key::Door | Key::Furniture => false,
            // Better a warning too many.
            Key::Unknown(_) => true,
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Key::Network => f.write_str("network"),
            Key::Vpc => f.write_str("vpc"),
            Key::InternetGateway => f.write_str("internet-gateway"),
            Key::Subnet(side, index) => write!(f, "subnet/{side}-{index}"),
            // The first has the text that it had when it was the only one.
            Key::ElasticIp(0) => f.write_str("elastic-ip"),
            Key::ElasticIp(index) => write!(f, "elastic-ip/{index}"),
            Key::NatGateway(0) => f.write_str("nat-gateway"),
            Key::NatGateway(index) => write!(f, "nat-gateway/{index}"),
            Key::RouteTable(side, 0) => write!(f, "route-table/{side}"),
            Key::RouteTable(side, index) => write!(f, "route-table/{side}-{index}"),
            Key::S3Endpoint => f.write_str("s3-endpoint"),
            Key::FlowLog => f.write_str("flow-log"),
            Key::Leftovers => f.write_str("leftovers"),
            Key::Disks => f.write_str("disks"),
            Key::Role(role) => write!(f, "role/{role}"),
            Key::LogGroup => f.write_str("log-group"),
            Key::NodeLog(log) => write!(f, "log-group/{log}"),
            Key::Cluster => f.write_str("cluster"),
            Key::AccessEntry(principal) => write!(f, "access-entry/{principal}"),
            Key::PodIdentity(role) => write!(f, "pod-identity/{role}"),
            Key::Addon(addon) => write!(f, "addon/{addon}"),
            Key::LaunchTemplate(group) => write!(f, "launch-template/{group}"),
            Key::NodeGroup(group) => write!(f, "node-group/{group}"),
            Key::Bucket(bucket) => write!(f, "bucket/{bucket}"),
            Key::Door => f.write_str("door"),
            Key::Furniture => f.write_str("furniture"),
            Key::Unknown(text) => f.write_str(text),
        }
    }
}

impl From<&str> for Key {
    fn from(text: &str) -> Self {
        // A text that would be written differently is another key.
        let known = known(text).filter(|key| key.to_string() == text);
        known.unwrap_or_else(|| Key::Unknown(text.to_owned()))
    }
}

fn known(text: &str) -> Option<Key> {
    let (kind, name) = text.split_once('/').unwrap_or((text, ""));
    Some(match kind {
        "network" => Key::Network,
        "vpc" => Key::Vpc,
        "internet-gateway" => Key::InternetGateway,
        "subnet" => {
            let (side, index) = name.split_once('-')?;
            Key::Subnet(side.parse().ok()?, index.parse().ok()?)
        }
        "elastic-ip" => Key::ElasticIp(index(name)?),
        "nat-gateway" => Key::NatGateway(index(name)?),
        "route-table" => {
            let (side, name) = name.split_once('-').unwrap_or((name, ""));
            Key::RouteTable(side.parse().ok()?, index(name)?)
        }
        "s3-endpoint" => Key::S3Endpoint,
        "flow-log" => Key::FlowLog,
        "leftovers" => Key::Leftovers,
        "disks" => Key::Disks,
        "role" => Key::Role(name.parse().ok()?),
        "log-group" if name.is_empty() => Key::LogGroup,
        "log-group" => Key::NodeLog(name.parse().ok()?),
        "cluster" => Key::Cluster,
        "access-entry" => Key::AccessEntry(name.into()),
        "pod-identity" => Key::PodIdentity(name.parse().ok()?),
        "addon" => Key::Addon(name.parse().ok()?),
        "launch-template" => Key::LaunchTemplate(name.into()),
        "node-group" => Key::NodeGroup(name.into()),
        "bucket" => Key::Bucket(name.into()),
        "door" => Key::Door,
        "furniture" => Key::Furniture,
        _ => return None,
    })
}

/// The first is not numbered.
fn index(name: &str) -> Option<usize> {
    if name.is_empty() { Some(0) } else { name.parse().ok() }
}

impl From<String> for Key {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl From<Key> for String {
    fn from(key: Key) -> Self {
        key.to_string()
    }
}

impl From<&str> for Group {
    fn from(name: &str) -> Self {
        match name.strip_prefix(SPOT) {
            Some(name) => Group::Spot(name.to_owned()),
            None if name == SYSTEM => Group::System,
            None => Group::InstanceType(name.to_owned()),
        }
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Group::System => f.write_str(SYSTEM),
            Group::InstanceType(name) => f.write_str(name),
            Group::Spot(name) => write!(f, "{SPOT}{name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_read_from_the_text_that_earlier_versions_wrote() {
        for text in [
            "network",
            "vpc",
            "internet-gateway",
            "subnet/public-0",
            "subnet/private-2",
            "elastic-ip",
            "elastic-ip/1",
            "nat-gateway",
            "nat-gateway/2",
            "route-table/public",
            "route-table/private",
            "route-table/private-1",
            "s3-endpoint",
            "flow-log",
            "leftovers",
            "disks",
            "role/cluster",
            "role/node",
            "role/ebs-csi",
            "role/cloudwatch-agent",
            "log-group",
            "log-group/application",
            "log-group/dataplane",
            "log-group/host",
            "log-group/performance",
            "cluster",
            "access-entry/admin",
            "access-entry/role/team/ada",
            "pod-identity/ebs-csi",
            "pod-identity/cloudwatch-agent",
            "addon/vpc-cni",
            "addon/kube-proxy",
            "addon/eks-pod-identity-agent",
            "addon/coredns",
            "addon/aws-ebs-csi-driver",
            "addon/aws-mountpoint-s3-csi-driver",
            "addon/metrics-server",
            "addon/eks-node-monitoring-agent",
            "addon/amazon-cloudwatch-observability",
            "launch-template/system",
            "launch-template/g4dn.xlarge",
            "node-group/system",
            "node-group/g4dn.xlarge",
            "launch-template/spot/g4dn.xlarge",
            "node-group/spot/g4dn.xlarge",
            "role/hand",
            "door",
            "furniture",
            "bucket/artifacts",
            "bucket/their.data",
        ] {
            let key = Key::from(text);
            assert!(!matches!(key, Key::Unknown(_)), "{text}");
            assert_eq!(key.to_string(), text);
        }
    }

    #[test]
    fn a_key_of_another_version_keeps_its_text() {
        let other = [
            "fargate/profile",
            "subnet/public-007",
            "subnet/north-1",
            "nat-gateway/0",
            "route-table/private-",
            "vpc/second",
            "addon/new",
            "",
        ];
        for text in other {
            let key = Key::from(text);
            assert_eq!((&key, key.to_string().as_str()), (&Key::Unknown(text.into()), text));
        }
    }

    #[test]
    fn a_key_is_its_text_in_json_too() {
        assert_eq!(serde_json::json!(Key::NodeGroup(Group::System)), "node-group/system");
        assert_eq!(Key::from("node-group/spot/g5.xlarge"), Key::NodeGroup(Group::Spot("g5.xlarge".into())));
        let read: Key = serde_json::from_str("\"route-table/public\"").expect("a key");
        assert_eq!(read, Key::RouteTable(Side::Public, 0));
    }
}
