//! The rows, one file per AWS service.

mod ec2;
mod eks;
mod elb;
pub(super) mod iam;
mod kms;
mod logs;
mod s3;
mod sts;

use super::{Action, Condition, Grant};
use wire::stage::Stage;

pub const ALL: &[&[Grant]] = &[ec2::GRANTS, eks::GRANTS, iam::GRANTS, kms::GRANTS, logs::GRANTS, elb::GRANTS, s3::GRANTS, sts::GRANTS];

pub(super) const ASSUME_ROLE: &[Stage] = &[Stage::AssumeRole];
pub(super) const BUCKETS: &[Stage] = &[Stage::CreateBuckets];
const EKS: &[Stage] = &[Stage::CreateEks];
pub(super) const NODES: &[Stage] = &[Stage::CreateNodegroups];
const FURNISH: &[Stage] = &[Stage::Furnish];
pub(super) const DOWN: &[Stage] = &[Stage::Teardown];
/// create-nodegroups is among them for the bucket of flow logs, if the journal has lost it.
const BUCKETS_NODES_DOWN: &[Stage] = &[Stage::CreateBuckets, Stage::CreateNodegroups, Stage::Teardown];
const EKS_DOWN: &[Stage] = &[Stage::CreateEks, Stage::Teardown];
const EKS_NODES: &[Stage] = &[Stage::CreateEks, Stage::CreateNodegroups];
/// The stages that look at what a cluster consists of. create-nodegroups is among them for what the journal has lost.
const EKS_NODES_DOWN: &[Stage] = &[Stage::CreateEks, Stage::CreateNodegroups, Stage::Teardown];
pub(super) const NODES_DOWN: &[Stage] = &[Stage::CreateNodegroups, Stage::Teardown];
const NODES_FURNISH: &[Stage] = &[Stage::CreateNodegroups, Stage::Furnish];
const NODES_FURNISH_DOWN: &[Stage] = &[Stage::CreateNodegroups, Stage::Furnish, Stage::Teardown];
/// Where a cluster is looked at, and with furnish where its API server is asked.
const EKS_NODES_FURNISH_CHECKS_DOWN: &[Stage] =
    &[Stage::AssumeRole, Stage::CreateEks, Stage::CreateNodegroups, Stage::Furnish, Stage::Teardown];
const FURNISH_DOWN: &[Stage] = &[Stage::Furnish, Stage::Teardown];
const EKS_FURNISH: &[Stage] = &[Stage::CreateEks, Stage::Furnish];
const EKS_NODES_FURNISH_DOWN: &[Stage] = &[Stage::CreateEks, Stage::CreateNodegroups, Stage::Furnish, Stage::Teardown];
/// With assume-role, where a harmless call shows whether the organization forbids the service.
const EKS_NODES_CHECKS_DOWN: &[Stage] = &[Stage::AssumeRole, Stage::CreateEks, Stage::CreateNodegroups, Stage::Teardown];
const EKS_CHECKS_DOWN: &[Stage] = &[Stage::AssumeRole, Stage::CreateEks, Stage::Teardown];
const NODES_CHECKS_DOWN: &[Stage] = &[Stage::AssumeRole, Stage::CreateNodegroups, Stage::Teardown];
const CHECKS_DOWN: &[Stage] = &[Stage::AssumeRole, Stage::Teardown];

const ANY: &[&str] = &["*"];
pub(super) const ALWAYS: &[Condition] = &[];
/// The create call itself puts our owner tag on the thing.
const MADE_OURS: &[Condition] = &[("StringLike", "aws:RequestTag/groundwork:cluster", &["?*"])];
/// The thing carries our owner tag.
const OURS: &[Condition] = &[("StringLike", "aws:ResourceTag/groundwork:cluster", &["?*"])];

pub(super) const fn action(name: &'static str, stages: &'static [Stage], purpose: &'static str) -> Action {
    Action { name, stages, purpose, source: None }
}

/// AWS asks for it in addition to a call of ours, and no recorded call can show it.
pub(super) const fn asked_for(name: &'static str, stages: &'static [Stage], purpose: &'static str, source: &'static str) -> Action {
    Action { name, stages, purpose, source: Some(source) }
}
