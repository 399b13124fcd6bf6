//! IAM: the roles of clusters, nodes and add-ons, all under the path `/groundwork/` and within the boundary of the quick-start.

use super::*;

// `*` is the partition, as in ec2.rs.
const ROLES: &str = "arn:*:iam::${account}:role/groundwork/groundwork-????????????-*";
const ROLES_NOT_THERE: &str = "arn:*:iam::${account}:role/groundwork-????????????-*";
const CLUSTER_ROLES: &str = "arn:${partition}:iam::${account}:role/groundwork/groundwork-????????????-cluster";
const NODE_ROLES: &str = "arn:${partition}:iam::${account}:role/groundwork/groundwork-????????????-node";
const CSI_ROLES: &str = "arn:${partition}:iam::${account}:role/groundwork/groundwork-????????????-ebs-csi";
const AUTOSCALER_ROLES: &str = "arn:${partition}:iam::${account}:role/groundwork/groundwork-????????????-autoscaler";
const WORKLOAD_ROLES: &str = "arn:${partition}:iam::${account}:role/groundwork/groundwork-????????????-workload";
/// Our own, which is known to Kubernetes alone.
pub(super) const HANDS: &str = "arn:${partition}:iam::${account}:role/groundwork/groundwork-????????????-hand";
const AGENT_ROLES: &str = "arn:${partition}:iam::${account}:role/groundwork/groundwork-????????????-cloudwatch-agent";
/// Of [`super::super::pods`].
const PODS_POLICIES: &[&str] =
    &["arn:*:iam::${account}:policy/groundwork/${role}-autoscaler", "arn:*:iam::${account}:policy/groundwork/${role}-workload"];
const ITSELF: &str = "arn:${partition}:iam::${account}:role/${role}";
const BOUNDARY: &str = "arn:${partition}:iam::${account}:policy/groundwork/${role}-boundary";
const FOR_EKS: &str = "arn:${partition}:iam::${account}:role/aws-service-role/eks.amazonaws.com/AWSServiceRoleForAmazonEKS";
pub(in crate::permissions) const FOR_NODE_GROUPS: &str =
    "arn:${partition}:iam::${account}:role/aws-service-role/eks-nodegroup.amazonaws.com/AWSServiceRoleForAmazonEKSNodegroup";

pub(in crate::permissions) const FOR_SPOT: &str =
    "arn:${partition}:iam::${account}:role/aws-service-role/spot.amazonaws.com/AWSServiceRoleForEC2Spot";

const UNDER_OUR_PATH: &str = "Only roles under our path.";
pub(in crate::permissions) const SERVICE_LINKED: &str = "https://docs.aws.amazon.com/eks/latest/userguide/using-service-linked-roles.html";
const POD_IDENTITY: &str = "https://docs.aws.amazon.com/eks/latest/userguide/pod-id-association.html";

/// The name of a service-linked role has its service's, so none goes with the other's.
const FOR_NODES: &[Condition] = &[("StringEquals", "iam:AWSServiceName", &["eks-nodegroup.amazonaws.com", "spot.amazonaws.com"])];

pub const GRANTS: &[Grant] = &[
    LOOK_AT_ITSELF,
    Grant {
        sid: "Look",
        resources: ANY,
        conditions: ALWAYS,
        why: "ListRoles has no resource-level permissions.",
        actions: &[action(
            "iam:ListRoles",
            NODES_CHECKS_DOWN,
            "See in the inventory that no role is left, and which AWS keeps; and whether it has one for spot.",
        )],
    },
    Grant {
        sid: "MakeRoles",
        resources: &[ROLES],
        conditions: &[("StringLike", "aws:RequestTag/groundwork:cluster", &["?*"]), ("ArnEquals", "iam:PermissionsBoundary", &[BOUNDARY])],
        why: "Only under our path, with our owner tag and within the boundary, which Groundwork cannot change.",
        actions: &[action(
            "iam:CreateRole",
            EKS,
            "Make the roles of the control plane, the nodes, the EBS CSI driver and the CloudWatch agent.",
        )],
    },
    Grant {
        sid: "MakePodsRoles",
        resources: &[AUTOSCALER_ROLES, WORKLOAD_ROLES, HANDS],
        conditions: &[("StringLike", "aws:RequestTag/groundwork:cluster", &["?*"]), ("ArnLike", "iam:PermissionsBoundary", PODS_POLICIES)],
        why: "Only our own role in a cluster and those of the autoscaler and of researchers' pods, with our owner tag and within the policies for pods.",
        actions: &[action(
            "iam:CreateRole",
            FURNISH,
            "Make the roles of the autoscaler and of researchers' pods, and our own for Kubernetes alone.",
        )],
    },
    Grant {
        sid: "MakeByName",
        resources: &[ROLES],
        conditions: MADE_OURS,
        why: "Only under our path, and only our owner tag.",
        actions: &[action("iam:TagRole", EKS_FURNISH, "Put the owner tags on in the create call.")],
    },
    Grant {
        sid: "GivePolicies",
        resources: &[ROLES],
        conditions: &[
            ("ArnEquals", "iam:PermissionsBoundary", &[BOUNDARY]),
            (
                "ArnEquals",
                "iam:PolicyARN",
                &[
                    "arn:*:iam::aws:policy/AmazonEKSClusterPolicy",
                    "arn:*:iam::aws:policy/AmazonEKSWorkerNodePolicy",
                    "arn:*:iam::aws:policy/AmazonEKS_CNI_Policy",
                    "arn:*:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly",
                    "arn:*:iam::aws:policy/service-role/AmazonEBSCSIDriverPolicy",
                    "arn:*:iam::aws:policy/CloudWatchAgentServerPolicy",
                ],
            ),
        ],
        why: "Only roles within the boundary, and only the policies of AWS that control plane, nodes, driver and agent need.",
        actions: &[action("iam:AttachRolePolicy", EKS, "Give the roles what EKS asks for.")],
    },
    Grant {
        sid: "GivePodsPolicies",
        resources: &[AUTOSCALER_ROLES, WORKLOAD_ROLES],
        conditions: &[("ArnLike", "iam:PermissionsBoundary", PODS_POLICIES), ("ArnLike", "iam:PolicyARN", PODS_POLICIES)],
        why: "Only the roles of the autoscaler and of researchers' pods, and only the quick-start's policies for them.",
        actions: &[action("iam:AttachRolePolicy", FURNISH, "Give the pods what they need.")],
    },
    Grant {
        sid: "FindOurRoles",
        resources: &[ROLES, ROLES_NOT_THERE],
        conditions: ALWAYS,
        why: "Only roles with our name. IAM does not know the path of a role that does not exist.",
        actions: &[action(
            "iam:GetRole",
            EKS_NODES_FURNISH_DOWN,
            "Find a role, and see that it is ours; EKS checks the roles that it is given.",
        )],
    },
    Grant {
        sid: "OurRoles",
        resources: &[ROLES],
        conditions: ALWAYS,
        why: UNDER_OUR_PATH,
        actions: &[
            action("iam:ListAttachedRolePolicies", EKS_NODES_FURNISH_DOWN, "See which policies a role has; EKS checks too."),
            action("iam:ListRolePolicies", DOWN, "See which inline policies others gave a role."),
            action(
                "iam:ListInstanceProfilesForRole",
                DOWN,
                "See which instance profile still has a role, and would keep it from being removed.",
            ),
            action("iam:DetachRolePolicy", DOWN, "Detach a role's policies, so that it can be removed."),
            action("iam:DeleteRolePolicy", DOWN, "The same for inline policies."),
            action("iam:DeleteRole", DOWN, "Remove the roles."),
        ],
    },
    Grant {
        sid: "GiveEksItsRole",
        resources: &[CLUSTER_ROLES],
        conditions: &[("StringEquals", "iam:PassedToService", &["eks.amazonaws.com"])],
        why: "Only control planes' roles, only to EKS.",
        actions: &[action("iam:PassRole", EKS, "Give the control plane its role.")],
    },
    Grant {
        sid: "GiveNodesTheirRole",
        resources: &[NODE_ROLES],
        conditions: &[("StringEquals", "iam:PassedToService", &["eks.amazonaws.com"])],
        why: "Only nodes' roles, only to EKS, whose own role hands them to the instances.",
        actions: &[action("iam:PassRole", NODES, "Give the nodes their role.")],
    },
    Grant {
        sid: "GivePodsTheirRole",
        resources: &[CSI_ROLES, AGENT_ROLES],
        conditions: &[("StringEquals", "iam:PassedToService", &["pods.eks.amazonaws.com"])],
        why: "Only the roles of the EBS CSI driver and the CloudWatch agent, only to EKS Pod Identity.",
        actions: &[asked_for("iam:PassRole", NODES, "Give the EBS CSI controller and the CloudWatch agent their roles.", POD_IDENTITY)],
    },
    Grant {
        sid: "GivePodsTheirRole",
        resources: &[AUTOSCALER_ROLES, WORKLOAD_ROLES],
        conditions: &[("StringEquals", "iam:PassedToService", &["pods.eks.amazonaws.com"])],
        why: "Only the roles of the autoscaler and of researchers' pods, only to EKS Pod Identity.",
        actions: &[asked_for("iam:PassRole", FURNISH, "Give the autoscaler and researchers' pods their roles.", POD_IDENTITY)],
    },
    Grant {
        sid: "LetEksMakeItsRole",
        resources: &[FOR_EKS],
        conditions: &[("StringEquals", "iam:AWSServiceName", &["eks.amazonaws.com"])],
        why: "Only EKS's own service-linked role.",
        actions: &[asked_for("iam:CreateServiceLinkedRole", EKS, "An account's first cluster makes it.", SERVICE_LINKED)],
    },
    Grant {
        sid: "MakeServiceLinkedRoles",
        resources: &[FOR_NODE_GROUPS],
        conditions: FOR_NODES,
        why: "Only EKS node groups' own service-linked role.",
        actions: &[asked_for("iam:CreateServiceLinkedRole", NODES, "An account's first node group makes it.", SERVICE_LINKED)],
    },
    Grant {
        sid: "MakeServiceLinkedRoles",
        resources: &[FOR_SPOT],
        conditions: FOR_NODES,
        why: "Only EC2 Spot's own service-linked role.",
        actions: &[action("iam:CreateServiceLinkedRole", NODES, "An account's first spot instances need it.")],
    },
    Grant {
        sid: "FindOurRoles",
        resources: &[FOR_NODE_GROUPS],
        conditions: ALWAYS,
        why: "Only EKS node groups' own service-linked role.",
        actions: &[asked_for("iam:GetRole", NODES, "EKS checks whether the account has it.", SERVICE_LINKED)],
    },
];

pub(in crate::permissions) const LOOK_AT_ITSELF: Grant = Grant {
    sid: "LookAtItself",
    resources: &[ITSELF],
    conditions: ALWAYS,
    why: "Only the role that the customer made for us.",
    actions: &[
        action("iam:GetRole", ASSUME_ROLE, "Read whom the role trusts: a wildcard is refused."),
        action("iam:SimulatePrincipalPolicy", ASSUME_ROLE, "Ask IAM which permissions are missing, before anything is made."),
    ],
};
