//! The EBS volumes of persistent volume claims, and disks that a node left: they outlive the cluster and cost money.

use super::super::owned::{filter, has_tag};
use super::{Kind, Leftover};
use crate::errors::{Called, Result, Unless};
use crate::names::{OWNER_TAG, kubernetes_tag};
use crate::resource::Context;
use aws_sdk_ec2::types::{Volume, VolumeState};

pub async fn find(cx: &Context) -> Result<Vec<Leftover>> {
    let mut found = tagged(cx, &kubernetes_tag(&cx.cluster.name, &cx.cluster.id), "owned").await?;
    found.extend(tagged(cx, OWNER_TAG, &cx.cluster.id).await?);
    found.sort_by(|one, other| one.volume_id.cmp(&other.volume_id));
    found.dedup_by(|one, other| one.volume_id == other.volume_id);
    Ok(found.into_iter().filter_map(leftover).collect())
}

async fn tagged(cx: &Context, tag: &str, value: &str) -> Result<Vec<Volume>> {
    let request = cx.aws.ec2.describe_volumes().filters(filter(format!("tag:{tag}"), value));
    let found: Vec<Volume> = request.into_paginator().items().send().collect::<Result<_, _>>().await.called("ec2:DescribeVolumes")?;
    Ok(found.into_iter().filter(|volume| has_tag(volume.tags(), tag, value)).collect())
}

fn leftover(volume: Volume) -> Option<Leftover> {
    let busy = volume.state() != Some(&VolumeState::Available);
    Some(Leftover { kind: Kind::Volume, id: volume.volume_id?, busy })
}

pub async fn remove(cx: &Context, id: &str) -> Result<()> {
    let gone_or_in_use = ["InvalidVolume.NotFound", "VolumeInUse"];
    cx.aws.ec2.delete_volume().volume_id(id).send().await.called("ec2:DeleteVolume").unless(&gone_or_in_use)?;
    Ok(())
}
