//! CloudWatch Logs: the log groups of control planes, nodes and pods.

use super::*;

const GROUPS: &str = "arn:${partition}:logs:*:${account}:log-group:/aws/*/groundwork-*-????????????/*";

pub const GRANTS: &[Grant] = &[
    Grant {
        sid: "Look",
        resources: ANY,
        conditions: ALWAYS,
        why: "DescribeLogGroups has no resource-level permissions.",
        actions: &[action("logs:DescribeLogGroups", EKS_NODES_CHECKS_DOWN, "Find a cluster's log groups by their names.")],
    },
    Grant {
        sid: "Deliver",
        resources: ANY,
        conditions: ALWAYS,
        why: "These have no resource-level permissions. Where a delivery may write, the bucket says.",
        actions: &[
            action("logs:CreateLogDelivery", NODES, "EC2 asks whether whoever makes a flow log may have it delivered."),
            action("logs:DeleteLogDelivery", DOWN, "The same question, when the flow log goes."),
        ],
    },
    Grant {
        sid: "MakeByName",
        resources: &[GROUPS],
        conditions: MADE_OURS,
        why: "Only log groups of EKS and Container Insights of clusters with our name, with our owner tag.",
        actions: &[
            action("logs:CreateLogGroup", EKS, "Make a log group before EKS or an agent does, tagged and with an expiry."),
            action("logs:TagResource", EKS, "Put the owner tags on."),
        ],
    },
    Grant {
        sid: "OurLogGroups",
        resources: &[GROUPS],
        conditions: ALWAYS,
        why: "Only log groups of EKS and Container Insights of clusters with our name.",
        actions: &[
            action("logs:ListTagsForResource", EKS_NODES_DOWN, "See that the log group is ours."),
            action("logs:PutRetentionPolicy", EKS, "Keep the logs as long as the spec says."),
            action(
                "logs:DeleteLogGroup",
                DOWN,
                "Remove a log group if no control plane was there to write to it, or the tenant said that the data goes.",
            ),
        ],
    },
];
