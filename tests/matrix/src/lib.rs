//! Groundwork's requests, stages, sweep and driver against an AWS in this process, with a clock that the tests set.
//!
//! [`account`] is the customer's account, [`desk`] the operator's records, [`executions`] plays Step Functions, and [`life`] is a cluster
//! from its request to its end.

#![expect(clippy::expect_used, reason = "a test tool stops at the impossible")]

pub mod account;
mod aws;
pub mod cases;
pub mod desk;
mod executions;
pub mod judge;
pub mod kms;
mod kubernetes;
pub mod lasting;
pub mod life;
mod log;
pub mod neighbour;
mod process;
pub mod theirs;
