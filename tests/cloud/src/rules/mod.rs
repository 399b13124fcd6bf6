//! The rules in which AWS differs from a local AWS, a file for each kind. README.md says how to add one.

pub mod control_planes;
pub mod deliveries;
pub mod dry_run;
pub mod free_addresses;
pub mod guard_duty;
pub mod joining;
pub mod keys;
pub mod lifecycle;
pub mod offerings;
pub mod order;
pub mod organization;
pub mod public_access;
pub mod public_buckets;
pub mod quotas;
pub mod regions;
pub mod routes;
pub mod service_quotas;
pub mod sessions;
pub mod tokens;
pub mod vcpus;
pub mod versions;
pub mod visibility;

use crate::answer::Answer;
use crate::call::Call;
use crate::world::World;

pub trait Rule: Send {
    /// Answers instead of AWS, or lets the call through.
    fn before(&mut self, _: &Call, _: &mut World) -> Option<Answer> {
        None
    }
    /// Changes AWS's answer, or remembers it.
    fn after(&mut self, _: &Call, _: &mut Answer, _: &mut World) {}
    /// The AWS behind gave no answer. It may or may not have done what was asked.
    fn unanswered(&mut self, _: &Call, _: &mut World) {}
}

/// In the order in which they see a call; they see the answer in reverse.
pub fn all() -> Vec<Box<dyn Rule>> {
    vec![
        Box::new(sessions::Sessions),
        Box::new(regions::Regions),
        Box::new(organization::Organization::default()),
        Box::new(dry_run::DryRun),
        Box::new(service_quotas::ServiceQuotas),
        Box::new(visibility::Visibility::default()),
        Box::new(tokens::Tokens::default()),
        Box::new(guard_duty::GuardDuty),
        Box::new(free_addresses::FreeAddresses),
        Box::new(order::Order),
        Box::new(offerings::Offerings),
        Box::new(public_buckets::PublicBuckets),
        Box::new(deliveries::Deliveries::default()),
        Box::new(public_access::PublicAccess),
        Box::new(versions::Versions),
        Box::new(control_planes::ControlPlanes),
        Box::new(quotas::Quotas),
        Box::new(routes::Routes::default()),
        Box::new(keys::Keys::default()),
        Box::new(joining::Joining),
        Box::new(lifecycle::Lifecycle),
    ]
}
