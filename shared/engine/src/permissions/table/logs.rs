//! CloudWatch Logs: the control planes' log groups.

use super::*;

const GROUPS: &str = "arn:${partition}:logs:*:${account}:log-group:/aws/eks/groundwork-*-????????????/*";

pub const GRANTS: &[Grant] = &[
    Grant {
        sid: "Look",
        resources: ANY,
        conditions: ALWAYS,
        why: "DescribeLogGroups has no resource-level permissions.",
        actions: &[action("logs:DescribeLogGroups", EKS_NODES_CHECKS_DOWN, "Find the control plane's log group by its name.")],
    },
    Grant {
        sid: "MakeByName",
        resources: &[GROUPS],
        conditions: MADE_OURS,
        why: "Only EKS's log groups of clusters with our name, with our owner tag.",
        actions: &[
            action("logs:CreateLogGroup", EKS, "Make the control plane's log group before EKS does, tagged and with an expiry."),
            action("logs:TagResource", EKS, "Put the owner tags on."),
        ],
    },
    Grant {
        sid: "OurLogGroups",
        resources: &[GROUPS],
        conditions: ALWAYS,
        why: "Only EKS's log groups of clusters with our name.",
        actions: &[
            action("logs:ListTagsForResource", EKS_NODES_DOWN, "See that the log group is ours."),
            action("logs:PutRetentionPolicy", EKS, "Keep the control plane's logs as long as the spec says."),
            action(
                "logs:DeleteLogGroup",
                DOWN,
                "Remove the log group if no control plane wrote to it, or the tenant said that the data goes.",
            ),
        ],
    },
];
