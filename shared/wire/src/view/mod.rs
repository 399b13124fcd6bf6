//! The answers of the API, as its users read them. They serialize to what the versions before answered, field for field.
//!
//! The log is in [`crate::event::Page`], and refusals in [`crate::problem::Problem`].

mod cluster;
mod onboarding;
mod outputs;
mod resource;

pub use cluster::{Cluster, Clusters, Endpoint, Summary};
pub use onboarding::{Onboarding, Principal};
pub use outputs::ClusterOutputs;
pub use resource::{Planned, Resource, ResourceState, Seen};
