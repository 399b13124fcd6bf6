//! What is in every cluster: a storage class, a place to work with the buckets in it, and the autoscaler. Observed and applied through a Kubernetes client;
//! nothing here knows AWS, nor whose credentials the client has.
//!
//! An object of the same name that is not ours is never changed: it is named and left out, and so is what would go into its namespace.

mod apply;
mod autoscaler;
mod connect;
mod credentials;
mod difference;
mod error;
mod facts;
mod look;
#[cfg(any(test, feature = "memory"))]
pub mod memory;
mod mounts;
mod object;
mod place;
mod storage;
#[cfg(test)]
mod tests;

pub use apply::{Applied, Done, apply};
pub use connect::connect;
pub use error::{Cause, Error, Result};
pub use facts::{Facts, Scales, Server};
pub use look::{Seen, State, look};
pub use object::{CLUSTER_LABEL, Object};

/// Who we are for Kubernetes: the owner of the fields that we set.
pub const MANAGER: &str = "groundwork";

/// All objects, in an order in which each can be made.
pub fn objects(facts: &Facts, server: &Server) -> Vec<Object> {
    let scales_nothing = facts.scales == Scales::Only(vec![]);
    let autoscaler = if scales_nothing { vec![] } else { autoscaler::objects(facts, server) };
    [storage::objects(server), place::objects(), mounts::objects(facts), autoscaler]
        .concat()
        .into_iter()
        .map(|object| object.of(&facts.cluster))
        .collect()
}
