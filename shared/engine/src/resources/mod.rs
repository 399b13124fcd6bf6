//! The resources, one file each.

pub mod access_entry;
pub mod addon;
pub mod bucket;
pub mod cluster;
pub mod elastic_ip;
pub mod existing_bucket;
pub mod existing_cluster;
mod health;
pub mod internet_gateway;
pub mod launch_template;
pub mod leftovers;
pub mod log_group;
pub mod nat_gateway;
pub mod node_group;
pub(crate) mod owned;
pub mod pod_identity;
pub mod role;
pub mod route_table;
pub mod s3_endpoint;
pub mod subnet;
pub mod vpc;
