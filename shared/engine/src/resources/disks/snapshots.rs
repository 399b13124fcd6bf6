//! Snapshots of claims' volumes. The CSI driver gives them our owner tag. What else has it is no claim's, such as the snapshots of a backup
//! plan that copies the tags of the volumes: never ours to remove.

use super::super::owned::{filter, has_tag};
use super::{Kind, Leftover, is_of_claim};
use crate::context::Context;
use crate::errors::{Called, Result, Unless};
use crate::names::OWNER_TAG;
use aws_sdk_ec2::types::Snapshot;
use wire::spec::Data;

pub async fn find(cx: &Context) -> Result<Vec<Leftover>> {
    if cx.cluster.data == Data::Keep {
        return Ok(vec![]);
    }
    let goes = owned(cx).await?.into_iter().filter(|snapshot| is_of_claim(snapshot.tags()));
    Ok(goes.filter_map(|snapshot| Some(Leftover { kind: Kind::Snapshot, id: snapshot.snapshot_id?, busy: false, purpose: None })).collect())
}

/// Those of this account with our owner tag. EC2 lists what other accounts share, too, unless it is told whose.
pub async fn owned(cx: &Context) -> Result<Vec<Snapshot>> {
    let request = cx.aws.ec2.describe_snapshots().owner_ids("self").filters(filter(format!("tag:{OWNER_TAG}"), &cx.cluster.id));
    let found: Vec<Snapshot> = request.into_paginator().items().send().collect::<Result<_, _>>().await.called("ec2:DescribeSnapshots")?;
    Ok(found.into_iter().filter(|snapshot| has_tag(snapshot.tags(), OWNER_TAG, &cx.cluster.id)).collect())
}

pub async fn remove(cx: &Context, id: &str) -> Result<()> {
    cx.aws.ec2.delete_snapshot().snapshot_id(id).send().await.called("ec2:DeleteSnapshot").done_if(&["InvalidSnapshot.NotFound"])
}
