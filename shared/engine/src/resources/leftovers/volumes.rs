//! The EBS volumes of persistent volume claims, and disks that a node left: they outlive the cluster and cost money. The CSI driver
//! and the launch templates give them our owner tag.

use super::super::owned::{filter, has_tag};
use super::{Kind, Leftover};
use crate::context::Context;
use crate::errors::{Called, Result, Unless};
use crate::names::OWNER_TAG;
use aws_sdk_ec2::types::{Volume, VolumeState};

pub async fn find(cx: &Context) -> Result<Vec<Leftover>> {
    let request = cx.aws.ec2.describe_volumes().filters(filter(format!("tag:{OWNER_TAG}"), &cx.cluster.id));
    let found: Vec<Volume> = request.into_paginator().items().send().collect::<Result<_, _>>().await.called("ec2:DescribeVolumes")?;
    Ok(found.into_iter().filter(|volume| has_tag(volume.tags(), OWNER_TAG, &cx.cluster.id)).filter_map(leftover).collect())
}

fn leftover(volume: Volume) -> Option<Leftover> {
    let busy = volume.state() != Some(&VolumeState::Available);
    Some(Leftover { kind: Kind::Volume, id: volume.volume_id?, busy, purpose: None })
}

pub async fn remove(cx: &Context, id: &str) -> Result<()> {
    let gone_or_in_use = ["InvalidVolume.NotFound", "VolumeInUse"];
    cx.aws.ec2.delete_volume().volume_id(id).send().await.called("ec2:DeleteVolume").done_if(&gone_or_in_use)
}
