//! AWS's known failures: a test for each, named by its number, through the real driver. `make failure-rows` writes docs/failures.md from
//! them.
//!
//! The first line of a test's comment says what goes wrong, after letters that say what Groundwork does: R tries again, W waits, A adopts,
//! F parks with a reason and a hint, C cleans up first, P prevents it.

#![expect(clippy::expect_used, reason = "a test stops at the impossible")]

mod account;
mod control_plane;
mod flow_logs;
mod hints;
mod inside;
mod keys;
mod network;
mod node_groups;
mod scene;
mod spot;
mod storage;
mod their_network;

/// The rows that the design makes impossible, and how. Their tests show it in the code or in a template.
const CANNOT_HAPPEN: &[(&str, &str)] = &[
    ("6", "The control plane's role has AmazonEKSClusterPolicy, with which Kubernetes makes that role for its first load balancer."),
    ("12", "Add-ons get their roles by Pod Identity, so Groundwork makes no OIDC provider."),
    ("20", "Of a control plane Groundwork updates only whom its endpoint lets in."),
    ("22", "Groundwork changes no versions: a cluster keeps the one that EKS gave it."),
    ("23", "Groundwork changes no versions, so node groups have the control plane's."),
    ("24", "Nodes are drained by an update of their group, and Groundwork updates none."),
    ("34", "Nodes are only in private subnets, where they need no public address; EKS asks for one only in a public subnet."),
    ("40", "The launch template has no instance type, and the node group names the template only by its id."),
    ("52", "Groundwork's functions are in no VPC of a customer's."),
];

#[test]
fn the_reason_why_a_row_cannot_happen_is_a_sentence() {
    for (number, why) in CANNOT_HAPPEN {
        assert!(why.ends_with('.'), "row {number}");
    }
}
