//! What pods may do in the customer's account for which no policy of AWS fits. Groundwork can write no policies, so the quick-start brings
//! these. Each is also the boundary of the roles that get it.

use super::Condition;
use super::document::{Document, Statement};
use crate::names::KEY_TAG_VALUE;
use wire::names::Names;

pub struct Policy {
    pub name: &'static str,
    pub description: &'static str,
    pub allowed: &'static [Allowed],
}

pub struct Allowed {
    sid: &'static str,
    pub actions: &'static [&'static str],
    pub resources: &'static [&'static str],
    pub conditions: &'static [Condition],
}

/// A cluster's owner tag is also on its roles, so each pod reaches what is of its own cluster.
const ITS_SCALING_GROUPS: &[Condition] =
    &[("StringLike", "aws:ResourceTag/eks:cluster-name", &["groundwork-*-${aws:PrincipalTag/groundwork:cluster}"])];
const ITS_NODE_GROUPS: &str = "arn:*:eks:*:${account}:nodegroup/groundwork-*-${aws:PrincipalTag/groundwork:cluster}/*";
const ITS_BUCKETS: &str = "arn:*:s3:::groundwork-${aws:PrincipalTag/groundwork:cluster}-*";
const ITS_OBJECTS: &str = "arn:*:s3:::groundwork-${aws:PrincipalTag/groundwork:cluster}-*/*";
/// Nobody else's bucket, whatever its name.
const OF_THE_ACCOUNT: &[Condition] = &[("StringEquals", "s3:ResourceAccount", &["${account}"])];
const KEYS: &str = "arn:*:kms:*:${account}:key/*";
const KEY_TAG: &str = "aws:ResourceTag/groundwork:encryption";

/// What the Cluster Autoscaler asks for with managed node groups.
/// <https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/cloudprovider/aws/README.md>, "Full Cluster Autoscaler Features Policy"
pub const AUTOSCALER: Policy = Policy {
    name: "autoscaler",
    description: "What the autoscaler of a cluster may do.",
    allowed: &[
        LOOK_AT_NODES,
        Allowed { sid: "ItsNodeGroups", actions: &["eks:DescribeNodegroup"], resources: &[ITS_NODE_GROUPS], conditions: &[] },
        Allowed { sid: "ScaleItsNodeGroups", actions: SCALE, resources: &[SCALING_GROUPS], conditions: ITS_SCALING_GROUPS },
    ],
};

const LOOK_AT_NODES: Allowed = Allowed {
    sid: "LookAtNodes",
    actions: &[
        "autoscaling:DescribeAutoScalingGroups",
        "autoscaling:DescribeAutoScalingInstances",
        "autoscaling:DescribeLaunchConfigurations",
        "autoscaling:DescribeScalingActivities",
        "autoscaling:DescribeTags",
        "ec2:DescribeImages",
        "ec2:DescribeInstanceTypes",
        "ec2:DescribeLaunchTemplateVersions",
        "ec2:GetInstanceTypesFromInstanceRequirements",
    ],
    resources: &["*"],
    conditions: &[],
};

const SCALE: &[&str] = &["autoscaling:SetDesiredCapacity", "autoscaling:TerminateInstanceInAutoScalingGroup"];
/// EKS makes these groups, and gives them no tag of ours.
const SCALING_GROUPS: &str = "arn:*:autoscaling:*:${account}:autoScalingGroup:*:autoScalingGroupName/eks-*";

/// What a researcher's pod may do: everything with the data in the cluster's own buckets, and nothing with the buckets themselves.
pub const WORKLOAD: Policy = Policy {
    name: "workload",
    description: "What the pods of researchers may do.",
    allowed: &[
        Allowed { sid: "ItsBuckets", actions: LIST, resources: &[ITS_BUCKETS], conditions: OF_THE_ACCOUNT },
        Allowed { sid: "ItsObjects", actions: READ_AND_WRITE, resources: &[ITS_OBJECTS], conditions: OF_THE_ACCOUNT },
        Allowed {
            sid: "KeysOfBuckets",
            actions: &["kms:Decrypt", "kms:GenerateDataKey"],
            resources: &[KEYS],
            conditions: &[("StringEquals", KEY_TAG, &[KEY_TAG_VALUE]), ("StringLike", "kms:ViaService", &["s3.*.amazonaws.com"])],
        },
    ],
};

const LIST: &[&str] = &["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"];
const READ_AND_WRITE: &[&str] =
    &["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:PutObject"];

pub const POLICIES: [&Policy; 2] = [&AUTOSCALER, &WORKLOAD];

/// The same in a cluster that the customer made: the autoscaler scales our groups in it and no other, and pods reach the buckets that the
/// customer names. Terraform fills the names in; keys of those buckets are the customer's to grant.
pub const THEIRS: [&Policy; 2] = [
    &Policy {
        allowed: &[
            LOOK_AT_NODES,
            Allowed {
                sid: "OurNodeGroups",
                actions: &["eks:DescribeNodegroup"],
                resources: &["arn:${partition}:eks:${region}:${account}:nodegroup/${cluster}/groundwork-????????????-*/*"],
                conditions: &[],
            },
            Allowed {
                sid: "ScaleOurNodeGroups",
                actions: SCALE,
                resources: &[SCALING_GROUPS],
                conditions: &[
                    ("StringEquals", "aws:ResourceTag/eks:cluster-name", &["${cluster}"]),
                    ("StringLike", "aws:ResourceTag/eks:nodegroup-name", &["groundwork-????????????-*"]),
                ],
            },
        ],
        ..AUTOSCALER
    },
    &Policy {
        allowed: &[
            Allowed { sid: "Buckets", actions: LIST, resources: &["${buckets}"], conditions: OF_THE_ACCOUNT },
            Allowed { sid: "Objects", actions: READ_AND_WRITE, resources: &["${objects}"], conditions: OF_THE_ACCOUNT },
        ],
        ..WORKLOAD
    },
];

impl Policy {
    /// The quick-start gives it this name.
    pub fn arn(&self, names: &Names) -> String {
        names.fill(&format!("arn:${{partition}}:iam::${{account}}:policy/groundwork/${{role}}-{}", self.name))
    }

    pub fn document(&self, names: &Names) -> Document {
        let statement = |one: &Allowed| Statement::allow(one.sid, one.actions, one.resources, one.conditions, names);
        Document::new(self.allowed.iter().map(statement).collect())
    }
}
