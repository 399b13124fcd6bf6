//! The API's answers, as its users read them. They serialize to what earlier versions answered, field for field.
//!
//! The log is [`crate::event::Page`], and refusals are [`crate::problem::Problem`].

mod cluster;
mod onboarding;
mod outputs;
mod resource;
mod trouble;
mod warning;

pub use cluster::{Cluster, Clusters, Endpoint, Summary};
pub use onboarding::{Onboarding, Principal};
pub use outputs::ClusterOutputs;
pub use resource::{Planned, Resource, ResourceState, Seen};
pub use trouble::Trouble;
pub use warning::Warning;
