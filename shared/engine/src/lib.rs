//! Groundwork lays a cluster in somebody else's AWS account and takes it away again.
//!
//! Start with [`resource`], the law of one thing that we own; then [`plan`], what a cluster is; then [`drive`], which brings the plan
//! about and takes it away.

pub mod drive;
pub mod errors;
pub mod executions;
pub mod instances;
pub mod inventory;
pub mod journal;
pub mod names;
pub mod permissions;
pub mod plan;
pub mod preflight;
pub mod problem;
pub mod records;
pub mod requests;
pub mod resource;
pub mod resources;
pub mod session;
pub mod settings;
pub mod spec;
pub mod stage;
pub mod sweep;
pub mod view;
