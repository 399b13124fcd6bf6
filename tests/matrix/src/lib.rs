//! Groundwork's driver and stages against an AWS in this process, with a clock that the tests turn.
//!
//! [`account`] is the customer's account, [`journal`] the record of what was done, [`life`] a cluster from its request to its end.

#![expect(clippy::expect_used, reason = "a test tool stops at what cannot be")]

pub mod account;
mod aws;
pub mod cases;
pub mod journal;
pub mod judge;
pub mod life;
pub mod neighbour;
pub mod theirs;
