//! What claims and nodes left on EBS: volumes and snapshots, which outlive the cluster and cost money. They are in no network, so they
//! hold up nothing. Those of claims hold data, and go only if somebody said so.
//!
//! Removed after the cluster, so that nothing makes or uses them any more.

pub mod snapshots;
pub mod volumes;

use crate::context::Context;
use crate::errors::Result;
use crate::resource::{Leftover, LeftoverKind as Kind, Pace, Planned, Removed};
use async_trait::async_trait;
use aws_sdk_ec2::types::Tag;
use futures::try_join;
use wire::key::Key;
use wire::stage::Stage;

pub struct Disks;

/// The EBS CSI driver puts these on the volumes and snapshots that it makes for claims, and Kubernetes' built-in provisioner the last one
/// on its volumes. A node's disk, whose tags come from the launch template, has none of them.
/// <https://github.com/kubernetes-sigs/aws-ebs-csi-driver/blob/master/docs/tagging.md>
const OF_CLAIMS: [&str; 4] = ["ebs.csi.aws.com/cluster", "CSIVolumeName", "CSIVolumeSnapshotName", "kubernetes.io/created-for/pvc/name"];

/// True if it was made for a claim, by its tags.
pub fn is_of_claim(tags: &[Tag]) -> bool {
    tags.iter().filter_map(Tag::key).any(|key| OF_CLAIMS.contains(&key))
}

impl Planned for Disks {
    fn key(&self) -> Key {
        Key::Disks
    }

    fn stage(&self) -> Stage {
        Stage::CreateEks
    }

    fn pace(&self) -> Pace {
        Pace::seconds(5, 10)
    }
}

#[async_trait]
impl Removed for Disks {
    async fn find(&self, cx: &Context) -> Result<Vec<Leftover>> {
        let (volumes, snapshots) = try_join!(volumes::find(cx), snapshots::find(cx))?;
        Ok(volumes.into_iter().chain(snapshots).collect())
    }

    /// Tries everything before it returns the first error, so that one thing that cannot go does not hold up the others.
    async fn remove(&self, cx: &Context, left: &[Leftover]) -> Result<()> {
        let mut outcome = Ok(());
        for leftover in left.iter().filter(|leftover| !leftover.busy) {
            let removed = match leftover.kind {
                Kind::Snapshot => snapshots::remove(cx, &leftover.id).await,
                _ => volumes::remove(cx, &leftover.id).await,
            };
            outcome = outcome.and(removed);
        }
        outcome
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_claim_made_is_known_by_the_tags_of_its_maker() {
        for (key, expected, reason) in [
            ("ebs.csi.aws.com/cluster", true, "on all that the driver makes"),
            ("CSIVolumeSnapshotName", true, "a snapshot"),
            ("kubernetes.io/created-for/pvc/name", true, "of the built-in provisioner too"),
            ("groundwork:cluster", false, "a node's disk has it, too"),
            ("aws:backup:source-resource", false, "a backup plan's snapshot"),
        ] {
            assert_eq!(is_of_claim(&[Tag::builder().key(key).value("x").build()]), expected, "{reason}");
        }
    }
}
