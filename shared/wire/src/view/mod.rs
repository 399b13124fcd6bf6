//! The API's answers, as its users read them. They serialize to what earlier versions answered, field for field.
//!
//! The log is [`crate::event::Page`], and refusals are [`crate::problem::Problem`].

mod cluster;
mod connect;
mod furnished;
mod login;
mod onboarding;
mod outputs;
mod progress;
mod resource;
mod role_check;
mod trouble;
mod warning;

pub use cluster::{Cluster, Clusters, Endpoint, Nodes, Summary};
pub use connect::Connect;
pub use furnished::Unfurnished;
pub use login::{LOGIN_PORTS, Login};
pub use onboarding::{Onboarding, Principal};
pub use outputs::ClusterOutputs;
pub use progress::Progress;
pub use resource::{Planned, Resource, ResourceState, Seen};
pub use role_check::{RoleCheck, RoleFault};
pub use trouble::Trouble;
pub use warning::Warning;
