//! STS: our own role in a cluster, whose sessions are good for nothing but its API server.

use super::iam::HANDS;
use super::*;

pub const GRANTS: &[Grant] = &[Grant {
    sid: "BeOurselves",
    resources: &[HANDS],
    conditions: ALWAYS,
    why: "Only our own roles in clusters, which may do nothing in AWS.",
    actions: &[action("sts:AssumeRole", FURNISH, "Get what the API server knows us by.")],
}];
