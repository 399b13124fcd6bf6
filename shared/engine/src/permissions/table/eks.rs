//! EKS: clusters with our names, `groundwork-<name>-<id>`, and what is in them.

use super::*;

// `*` is the partition, as in ec2.rs.
const CLUSTER: &str = "arn:*:eks:*:${account}:cluster/groundwork-*-????????????";
const NODE_GROUP: &str = "arn:*:eks:*:${account}:nodegroup/groundwork-*-????????????/*";
const ADDON: &str = "arn:*:eks:*:${account}:addon/groundwork-*-????????????/*";
const ACCESS_ENTRY: &str = "arn:*:eks:*:${account}:access-entry/groundwork-*-????????????/*";
const ADMINISTRATORS_POLICY: &str = "arn:*:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy";
const USERS_POLICY: &str = "arn:*:eks::aws:cluster-access-policy/AmazonEKSEditPolicy";
const POD_IDENTITY: &str = "arn:*:eks:*:${account}:podidentityassociation/groundwork-*-????????????/*";

/// Whoever has taken over the operator's account has these.
const ITSELF: &str = "arn:${partition}:iam::${account}:role/${role}";
const MADE_ROLES: &str = "arn:${partition}:iam::${account}:role/groundwork/*";

const NAMED: &str = "Only clusters with our name.";
const TAGGED: &str = "Only clusters with our name and what is in them, and only with our owner tag.";

pub const GRANTS: &[Grant] = &[
    Grant {
        sid: "Look",
        resources: ANY,
        conditions: ALWAYS,
        why: "DescribeClusterVersions has no resource-level permissions.",
        actions: &[action("eks:DescribeClusterVersions", ASSUME_ROLE, "See whether EKS has the version of Kubernetes, and until when.")],
    },
    Grant {
        sid: "MakeCluster",
        resources: ANY,
        conditions: MADE_OURS,
        why: "CreateCluster has no resource-level permissions; only with our owner tag in the call itself.",
        actions: &[action("eks:CreateCluster", EKS, "Make the control plane.")],
    },
    Grant {
        sid: "MakeByName",
        resources: &[CLUSTER],
        conditions: MADE_OURS,
        why: TAGGED,
        actions: &[
            action("eks:CreateAddon", EKS_NODES, "Install an add-on."),
            action("eks:CreateNodegroup", NODES, "Make the node groups."),
            action("eks:CreatePodIdentityAssociation", NODES_FURNISH, "Give pods their roles."),
        ],
    },
    Grant {
        sid: "LetIn",
        resources: &[CLUSTER],
        conditions: &[
            ("StringLike", "aws:RequestTag/groundwork:cluster", &["?*"]),
            ("ArnLike", "eks:principalArn", &["arn:${partition}:iam::${account}:*"]),
            ("ArnNotLike", "eks:principalArn", &[ITSELF, MADE_ROLES]),
            ("StringEquals", "eks:accessEntryType", &["STANDARD"]),
        ],
        why: "Only principals of this account but our own roles, only into clusters with our name, and only with our owner tag.",
        actions: &[action("eks:CreateAccessEntry", NODES, "Let in whom the tenant names.")],
    },
    Grant {
        sid: "LetUsIn",
        resources: &[CLUSTER],
        conditions: &[
            ("StringLike", "aws:RequestTag/groundwork:cluster", &["?*"]),
            ("ArnLike", "eks:principalArn", &[iam::HANDS]),
            ("StringEquals", "eks:accessEntryType", &["STANDARD"]),
        ],
        why: "Only our own role of the cluster, which may do nothing in AWS, and only with our owner tag.",
        actions: &[action("eks:CreateAccessEntry", FURNISH, "Come in, for as long as the cluster is furnished.")],
    },
    Grant {
        sid: "MakeByName",
        resources: &[CLUSTER],
        conditions: MADE_OURS,
        why: TAGGED,
        actions: &[action("eks:TagResource", EKS, "Put the owner tags on in the create call.")],
    },
    Grant {
        sid: "MakeByName",
        resources: &[ADDON],
        conditions: MADE_OURS,
        why: TAGGED,
        actions: &[action("eks:TagResource", EKS_NODES, "Put the owner tags on in the create call.")],
    },
    Grant {
        sid: "MakeByName",
        resources: &[NODE_GROUP],
        conditions: MADE_OURS,
        why: TAGGED,
        actions: &[action("eks:TagResource", NODES, "Put the owner tags on in the create call.")],
    },
    Grant {
        sid: "MakeByName",
        resources: &[ACCESS_ENTRY, POD_IDENTITY],
        conditions: MADE_OURS,
        why: TAGGED,
        actions: &[action("eks:TagResource", NODES_FURNISH, "Put the owner tags on in the create call.")],
    },
    Grant {
        sid: "InOurClusters",
        resources: &[CLUSTER],
        conditions: ALWAYS,
        why: NAMED,
        actions: &[
            action(
                "eks:DescribeCluster",
                EKS_NODES_FURNISH_CHECKS_DOWN,
                "See when the control plane is up or gone, that it is ours, and whom its public endpoint lets in.",
            ),
            action("eks:UpdateClusterConfig", FURNISH, "Let the operator's address in at the public endpoint, and out again."),
            action("eks:DeleteCluster", EKS_DOWN, "Remove the control plane; on a retry, one that failed."),
            action("eks:ListNodegroups", DOWN, "List in the inventory every node group that is left."),
            action("eks:ListPodIdentityAssociations", NODES_FURNISH_DOWN, "Find the association of a service account."),
        ],
    },
    Grant {
        sid: "InOurClusters",
        resources: &[NODE_GROUP],
        conditions: ALWAYS,
        why: NAMED,
        actions: &[
            action("eks:DescribeNodegroup", NODES_DOWN, "See when a node group is up or gone, and that it is ours."),
            action("eks:DeleteNodegroup", NODES_DOWN, "Remove a node group; on a retry, one that failed."),
        ],
    },
    Grant {
        sid: "InOurClusters",
        resources: &[ADDON],
        conditions: ALWAYS,
        why: NAMED,
        actions: &[
            action("eks:DescribeAddon", EKS_NODES_DOWN, "See when an add-on is up or gone, and that it is ours."),
            action("eks:DeleteAddon", EKS_NODES_DOWN, "Remove an add-on; on a retry, one that failed."),
        ],
    },
    Grant {
        sid: "InOurClusters",
        resources: &[ACCESS_ENTRY],
        conditions: ALWAYS,
        why: NAMED,
        actions: &[
            action("eks:DescribeAccessEntry", NODES_FURNISH_DOWN, "Find the entry of somebody who is let in, and see that it is ours."),
            action("eks:ListAssociatedAccessPolicies", NODES_FURNISH_DOWN, "See whether the entry has its policy."),
            action("eks:DeleteAccessEntry", FURNISH_DOWN, "Remove the entry; our own once the cluster is furnished."),
        ],
    },
    Grant {
        sid: "GiveRight",
        resources: &[ACCESS_ENTRY],
        conditions: &[("ArnLike", "eks:policyArn", &[ADMINISTRATORS_POLICY, USERS_POLICY])],
        why: "Only entries of clusters with our name, and only these two policies.",
        actions: &[action("eks:AssociateAccessPolicy", NODES_FURNISH, "Make the entry an administrator's or a user's.")],
    },
    Grant {
        sid: "InOurClusters",
        resources: &[POD_IDENTITY],
        conditions: ALWAYS,
        why: NAMED,
        actions: &[
            action("eks:DescribePodIdentityAssociation", NODES_FURNISH_DOWN, "See that the association is ours."),
            action("eks:DeletePodIdentityAssociation", DOWN, "Remove the association."),
        ],
    },
];
