//! The failures that AWS is known for: a test for each, named by its number, through the real driver. `make failure-rows` writes them
//! down in docs/failures.md.
//!
//! The first line of a test's comment says what goes wrong, after the letters of what becomes of it: R it is tried again, W waited for,
//! A adopted, F parked with a reason and a hint, C cleaned up first, P prevented.

#![expect(clippy::expect_used, reason = "a test stops at what cannot be")]

mod account;
mod control_plane;
mod network;
mod node_groups;
mod scene;
mod storage;

/// Numbers of what the design makes impossible, and how. The tests of these numbers show it of the code or of a template.
const CANNOT_HAPPEN: &[(&str, &str)] = &[
    ("6", "The control plane's role has AmazonEKSClusterPolicy, with which Kubernetes makes that role for its first load balancer."),
    ("12", "Add-ons get their roles by Pod Identity, so Groundwork makes no OIDC provider."),
    ("20", "Groundwork makes a control plane as it shall be and never updates it."),
    ("22", "Groundwork changes no versions: a cluster keeps the one that EKS gave it."),
    ("23", "Groundwork changes no versions, so node groups have the control plane's."),
    ("24", "Nodes are drained by an update of their group, and Groundwork updates none."),
    ("25", "Groundwork makes no keys and uses none of the customer's: what it encrypts, it encrypts with AWS's own."),
    ("34", "Nodes are in private subnets only, and the public ones give addresses to whatever else starts in them."),
    ("40", "The launch template names no instance type, and the node group names the template by its id alone."),
    ("52", "Groundwork's functions are in no VPC."),
];

#[test]
fn why_something_cannot_happen_is_said_in_a_sentence() {
    for (number, why) in CANNOT_HAPPEN {
        assert!(why.ends_with('.'), "row {number}");
    }
}
