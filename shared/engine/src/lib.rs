//! Groundwork creates a cluster in somebody else's AWS account and removes it again.
//!
//! Start with [`resource`], the law of one thing that we own; then [`plan`], what a cluster consists of; then [`drive`], which creates
//! and removes what is in a plan.

pub mod api_server;
pub mod aws;
mod clock;
pub mod cluster;
pub mod context;
pub mod desk;
pub mod doors;
pub mod drive;
pub mod errors;
pub mod executions;
pub mod gate;
pub mod inventory;
pub mod journal;
pub mod lambda;
pub mod names;
pub mod offering;
pub mod permissions;
pub mod plan;
pub mod preflight;
pub mod records;
pub mod requests;
pub mod resource;
pub mod resources;
pub mod session;
pub mod settings;
pub mod stage;
pub mod stages;
pub mod survey;
pub mod sweep;
pub mod view;
pub mod warnings;
