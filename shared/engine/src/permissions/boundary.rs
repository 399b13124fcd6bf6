//! The permissions boundary of every role that Groundwork makes: of what the roles' AWS-managed policies allow, only what reaches
//! clusters of ours.
//!
//! It grants nothing by itself. IAM cannot restrict whom a new role trusts, so the protection is in the boundary and not in the trust: no
//! role made by Groundwork can reach anything that is not a cluster's.

use super::document::{Document, Statement};
use wire::names::Names;

/// What those policies look at: none of it shows data, and EC2's Describe actions have no resource-level permissions.
const LOOK: &[&str] = &[
    "ec2:DescribeAccountAttributes",
    "ec2:DescribeAddresses",
    "ec2:DescribeAvailabilityZones",
    "ec2:DescribeDhcpOptions",
    "ec2:DescribeInstanceTopology",
    "ec2:DescribeInstanceTypes",
    "ec2:DescribeInstances",
    "ec2:DescribeInternetGateways",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeRouteTables",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSnapshots",
    "ec2:DescribeSubnets",
    "ec2:DescribeTags",
    "ec2:DescribeVolumeStatus",
    "ec2:DescribeVolumes",
    "ec2:DescribeVolumesModifications",
    "ec2:DescribeVpcs",
    "ecr:GetAuthorizationToken",
];
const IMAGES: &[&str] = &["ecr:BatchGetImage", "ecr:BatchImportUpstreamImage", "ecr:GetDownloadUrlForLayer"];
/// The network plugin's and the EBS CSI driver's actions, on what carries our owner tag, which launch template and add-ons give.
const OURS: &[&str] = &[
    "ec2:AssignPrivateIpAddresses",
    "ec2:AttachNetworkInterface",
    "ec2:AttachVolume",
    "ec2:CreateNetworkInterface",
    "ec2:CreateSnapshot",
    "ec2:CreateTags",
    "ec2:CreateVolume",
    "ec2:DeleteNetworkInterface",
    "ec2:DeleteSnapshot",
    "ec2:DeleteVolume",
    "ec2:DetachNetworkInterface",
    "ec2:DetachVolume",
    "ec2:EnableFastSnapshotRestores",
    "ec2:ModifyNetworkInterfaceAttribute",
    "ec2:ModifyVolume",
    "ec2:UnassignPrivateIpAddresses",
];
/// Nodes' interfaces are in the cluster's own security group.
const INTO_GROUPS: &[&str] = &["ec2:CreateNetworkInterface", "ec2:ModifyNetworkInterfaceAttribute"];
const CLUSTERS: &[&str] = &["eks-auth:AssumeRoleForPodIdentity", "eks:DescribeCluster"];

const INTERFACE: &str = "arn:${partition}:ec2:*:${account}:network-interface/*";
const VOLUME: &str = "arn:${partition}:ec2:*:${account}:volume/*";
/// Snapshots have no account in their ARN.
const SNAPSHOT: &str = "arn:${partition}:ec2:*::snapshot/*";
const INSTANCE: &str = "arn:${partition}:ec2:*:${account}:instance/*";
const SUBNET: &str = "arn:${partition}:ec2:*:${account}:subnet/*";
const GROUP: &str = "arn:${partition}:ec2:*:${account}:security-group/*";
const REPOSITORIES: &str = "arn:${partition}:ecr:*:*:repository/*";
const CLUSTER: &str = "arn:${partition}:eks:*:${account}:cluster/groundwork-*-????????????";

/// The role's own cluster, so that one cluster's roles do not reach another's things.
const OWNER: &[&str] = &["${aws:PrincipalTag/groundwork:cluster}"];

/// The quick-start gives it this name.
pub fn arn(names: &Names) -> String {
    names.fill("arn:${partition}:iam::${account}:policy/groundwork/${role}-boundary")
}

pub fn policy(names: &Names) -> Document {
    let tagged = ("StringEquals", "aws:ResourceTag/groundwork:cluster", OWNER);
    let tagging = ("StringEquals", "aws:RequestTag/groundwork:cluster", OWNER);
    let creating = ("StringLike", "ec2:CreateAction", ["Create*"].as_slice());
    let cluster_group = ("StringLike", "aws:ResourceTag/aws:eks:cluster-name", ["groundwork-*-????????????"].as_slice());
    Document::new(vec![
        Statement::allow("LookAtNetwork", LOOK, &["*"], &[], names),
        Statement::allow("PullImages", IMAGES, &[REPOSITORIES], &[], names),
        Statement::allow("OwnThings", OURS, &[INTERFACE, VOLUME, SNAPSHOT, INSTANCE, SUBNET], &[tagged], names),
        // Each only on what it makes, not on what that is made from, because AWS asks about both with the tag of the request.
        Statement::allow("NewInterface", &["ec2:CreateNetworkInterface"], &[INTERFACE], &[tagging], names),
        Statement::allow("NewVolume", &["ec2:CreateVolume"], &[VOLUME], &[tagging], names),
        Statement::allow("NewSnapshot", &["ec2:CreateSnapshot"], &[SNAPSHOT], &[tagging], names),
        Statement::allow("TagWhatIsNew", &["ec2:CreateTags"], &[INTERFACE, VOLUME, SNAPSHOT], &[tagging, creating], names),
        Statement::allow("ClustersGroup", INTO_GROUPS, &[GROUP], &[cluster_group], names),
        Statement::allow("ItsCluster", CLUSTERS, &[CLUSTER], &[], names),
    ])
}
