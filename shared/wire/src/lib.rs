//! What crosses the wire between Groundwork and its users, and what of it is stored. Nothing here knows AWS.

pub mod api;
pub mod body;
pub mod change;
pub mod cidr;
pub mod error;
pub mod event;
pub mod instances;
pub mod inventory;
pub mod journal;
pub mod key;
pub mod names;
pub mod place;
pub mod problem;
pub mod spec;
pub mod stage;
pub mod status;
pub mod stored;
pub mod trouble;
pub mod view;
