//! A local cloud: AWS's timing, strictness and faults around a local AWS that has none of them.
//!
//! Start with [`cloud`], the path of one call; then [`rules`], a file for each kind of rule.

#![expect(clippy::expect_used, reason = "a test tool stops at the impossible")]

pub mod account;
pub mod answer;
pub mod authorization;
pub mod call;
pub mod cloud;
pub mod control_plane;
pub mod faults;
pub mod instance_types;
pub mod network;
pub mod quotas;
pub mod report;
pub mod rules;
pub mod timing;
pub mod usage;
pub mod world;
mod xml;
