//! Elastic Load Balancing: load balancers that the AWS Load Balancer Controller made and left.

use super::*;

const CURRENT: [&str; 2] = [
    "arn:${partition}:elasticloadbalancing:*:${account}:loadbalancer/app/*",
    "arn:${partition}:elasticloadbalancing:*:${account}:loadbalancer/net/*",
];
const TARGETS: &str = "arn:${partition}:elasticloadbalancing:*:${account}:targetgroup/*";

pub const GRANTS: &[Grant] = &[
    Grant {
        sid: "Look",
        resources: ANY,
        conditions: ALWAYS,
        why: "Elastic Load Balancing's Describe actions have no resource-level permissions.",
        actions: &[
            action("elasticloadbalancing:DescribeLoadBalancers", CHECKS_DOWN, "Find load balancers in our VPC."),
            action("elasticloadbalancing:DescribeTargetGroups", DOWN, "Find target groups in our VPC."),
            action("elasticloadbalancing:DescribeTags", DOWN, "See which of them are this cluster's."),
        ],
    },
    Grant {
        sid: "BalancersOfControllers",
        resources: &[CURRENT[0], CURRENT[1]],
        conditions: &[("StringLike", "aws:ResourceTag/elbv2.k8s.aws/cluster", &["groundwork-*-????????????"])],
        why: "Only what the AWS Load Balancer Controller made in a cluster of ours.",
        actions: &[action("elasticloadbalancing:DeleteLoadBalancer", DOWN, "Remove load balancers of Services and Ingresses.")],
    },
    Grant {
        sid: "TargetsOfControllers",
        resources: &[TARGETS],
        conditions: &[("StringLike", "aws:ResourceTag/elbv2.k8s.aws/cluster", &["groundwork-*-????????????"])],
        why: "Only what the AWS Load Balancer Controller made in a cluster of ours.",
        actions: &[action("elasticloadbalancing:DeleteTargetGroup", DOWN, "Remove their target groups.")],
    },
];
