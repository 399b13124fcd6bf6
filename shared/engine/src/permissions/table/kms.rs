//! KMS: the keys with which customers have their clusters encrypted. Nothing else of a key than what is here.

use super::*;

/// `*` is the role's own partition, which no session can leave: the policy of create-eks has no room for its name.
const KEYS: &str = "arn:*:kms:*:${account}:key/*";
const CREATE_CLUSTER: &str = "https://docs.aws.amazon.com/eks/latest/userguide/enable-kms.html";

pub const GRANTS: &[Grant] = &[
    Grant {
        sid: "LookAtKeys",
        resources: &[KEYS],
        conditions: ALWAYS,
        why: "Only keys of this account, and nothing that they encrypt.",
        actions: &[
            action("kms:DescribeKey", ASSUME_ROLE, "See whether the key of a spec is symmetric and enabled."),
            asked_for("kms:DescribeKey", EKS, "EKS looks at the key of a control plane.", CREATE_CLUSTER),
            action("kms:GetKeyPolicy", ASSUME_ROLE, "See whether the key's policy lets in those who have to use it."),
            action("kms:ListResourceTags", ASSUME_ROLE, "See whether the key has the tag that lets clusters use it."),
        ],
    },
    Grant {
        sid: "UseKeys",
        resources: &[KEYS],
        conditions: &[("StringEquals", "aws:ResourceTag/groundwork:encryption", &["allowed"])],
        why: "Only keys with the customer's tag, which Groundwork cannot give. CreateCluster does not support kms:GrantIsForAWSResource.",
        actions: &[asked_for("kms:CreateGrant", EKS, "EKS lets the control plane's role encrypt and decrypt.", CREATE_CLUSTER)],
    },
];
