//! The permissions boundary of the roles that Groundwork makes and gives policies of AWS: of what the roles' AWS-managed policies allow, only what reaches
//! clusters of ours.
//!
//! It grants nothing by itself. IAM cannot restrict whom a new role trusts, so the protection is in the boundary and not in the trust: no
//! role made by Groundwork can reach anything that is not a cluster's.

use super::document::{Document, Statement};
use crate::names::KEY_TAG_VALUE;
use wire::names::{Names, PLACEHOLDERS};

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
const PULL: &[&str] = &["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"];
/// Also through a cache of another registry.
const PULL_OWN: &[&str] = &["ecr:BatchGetImage", "ecr:BatchImportUpstreamImage", "ecr:GetDownloadUrlForLayer"];
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

/// The CloudWatch agent's and Fluent Bit's. Metrics are in the log, from which CloudWatch takes them.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Container-Insights-reference-performance-logs-EKS.html>
const LOG: &[&str] = &["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"];

const INTERFACE: &str = "arn:${partition}:ec2:*:${account}:network-interface/*";
const VOLUME: &str = "arn:${partition}:ec2:*:${account}:volume/*";
/// Snapshots have no account in their ARN.
const SNAPSHOT: &str = "arn:${partition}:ec2:*::snapshot/*";
const INSTANCE: &str = "arn:${partition}:ec2:*:${account}:instance/*";
const SUBNET: &str = "arn:${partition}:ec2:*:${account}:subnet/*";
const GROUP: &str = "arn:${partition}:ec2:*:${account}:security-group/*";
/// The accounts in which AWS has the images of EKS's add-ons and of what a node needs to start, one for most regions and one for each other
/// region; a new region has to be added. The last two are GovCloud's.
/// <https://docs.aws.amazon.com/eks/latest/userguide/add-ons-images.html>
const REGISTRIES: [&str; 20] = [
    "602401143452",
    "066635153087",
    "121268973566",
    "151610086707",
    "296578399912",
    "333609536671",
    "455263428931",
    "491585149902",
    "533267051163",
    "558608220178",
    "590381155156",
    "730335286997",
    "759879836304",
    "761377655185",
    "800184023465",
    "877085696533",
    "900612956339",
    "900889452093",
    "013241004608",
    "151742754352",
];
/// Every Bottlerocket node pulls this one; it is Bottlerocket's, whose accounts no page lists.
/// <https://github.com/bottlerocket-os/bottlerocket-control-container>
const BOTTLEROCKET: &str = "arn:*:ecr:*:*:repository/bottlerocket-control";
const CLUSTER: &str = "arn:${partition}:eks:*:${account}:cluster/groundwork-*-????????????";

/// What EKS's grant and AmazonEKSClusterPolicy let the control plane's role do; no policy of any role has more of KMS.
/// <https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonEKSClusterPolicy.html>
const ENCRYPT: &[&str] = &["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt"];
const KEYS: &str = "arn:*:kms:*:${account}:key/*";

/// Of the role's own cluster.
const NODE_LOGS: &str =
    "arn:${partition}:logs:*:${account}:log-group:/aws/containerinsights/groundwork-*-${aws:PrincipalTag/groundwork:cluster}/*";

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
    let allowed = ("StringEquals", "aws:ResourceTag/groundwork:encryption", [KEY_TAG_VALUE].as_slice());
    Document::new(vec![
        Statement::allow("LookAtNetwork", LOOK, &["*"], &[], names),
        pull_amazons_images(names),
        Statement::allow("OwnThings", OURS, &[INTERFACE, VOLUME, SNAPSHOT, INSTANCE, SUBNET], &[tagged], names),
        // Each only on what it makes, not on what that is made from, because AWS asks about both with the tag of the request.
        Statement::allow("NewInterface", &["ec2:CreateNetworkInterface"], &[INTERFACE], &[tagging], names),
        Statement::allow("NewVolume", &["ec2:CreateVolume"], &[VOLUME], &[tagging], names),
        Statement::allow("NewSnapshot", &["ec2:CreateSnapshot"], &[SNAPSHOT], &[tagging], names),
        Statement::allow("TagWhatIsNew", &["ec2:CreateTags"], &[INTERFACE, VOLUME, SNAPSHOT], &[tagging, creating], names),
        Statement::allow("ClustersGroup", INTO_GROUPS, &[GROUP], &[cluster_group], names),
        Statement::allow("ItsCluster", CLUSTERS, &[CLUSTER], &[], names),
        Statement::allow("ItsNodesLogs", LOG, &[NODE_LOGS], &[], names),
        Statement::allow("AllowedKeys", ENCRYPT, &[KEYS], &[allowed], names),
    ])
}

/// Of the role's own partition, whose name the policy has no room for. Not the account's own: whoever takes over the customer's role could make such a role and read all of them.
fn pull_amazons_images(names: &Names) -> Statement {
    let registries = REGISTRIES.map(|account| format!("arn:*:ecr:*:{account}:repository/*"));
    let from: Vec<&str> = registries.iter().map(String::as_str).chain([BOTTLEROCKET]).collect();
    Statement::allow("PullAmazonsImages", PULL, &from, &[], names)
}

/// What the quick-start adds to it if the customer names repositories; `resources` are their ARNs.
pub fn pull_own_images(resources: &[&str]) -> Statement {
    Statement::allow("PullOwnImages", PULL_OWN, resources, &[], &PLACEHOLDERS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_boundary_has_room_for_twenty_repositories_of_the_customer() {
        let names = Names { partition: "aws-us-gov", account: "222222222222", role: &"r".repeat(32) };
        let mut boundary = policy(&names);
        let repository = format!("arn:aws-us-gov:ecr:us-gov-west-1:222222222222:repository/{}", "n".repeat(16));
        boundary.statement.push(pull_own_images(&[repository.as_str(); 20]));
        assert!(boundary.compact().len() <= 6144, "{}", boundary.compact().len());
    }
}
