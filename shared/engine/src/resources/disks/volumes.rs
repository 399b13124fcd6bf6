//! Volumes of claims, and disks that a node left. The CSI driver and the launch templates give them our owner tag.

use super::super::owned::{filter, has_tag};
use super::{Kind, Leftover, is_of_claim};
use crate::context::Context;
use crate::errors::{Called, Result, Unless};
use crate::names::OWNER_TAG;
use aws_sdk_ec2::types::{Filter, Volume, VolumeState};
use wire::spec::Data;

pub async fn find(cx: &Context) -> Result<Vec<Leftover>> {
    let found = list(cx, filter(format!("tag:{OWNER_TAG}"), &cx.cluster.id)).await?.into_iter();
    let ours = found.filter(|volume| has_tag(volume.tags(), OWNER_TAG, &cx.cluster.id));
    let goes = ours.filter(|volume| cx.cluster.data == Data::Delete || !is_of_claim(volume.tags()));
    Ok(goes.filter_map(leftover).collect())
}

pub async fn list(cx: &Context, by: Filter) -> Result<Vec<Volume>> {
    let request = cx.aws.ec2.describe_volumes().filters(by);
    request.into_paginator().items().send().collect::<Result<_, _>>().await.called("ec2:DescribeVolumes")
}

fn leftover(volume: Volume) -> Option<Leftover> {
    let busy = volume.state() != Some(&VolumeState::Available);
    Some(Leftover { kind: Kind::Volume, id: volume.volume_id?, busy, purpose: None })
}

pub async fn remove(cx: &Context, id: &str) -> Result<()> {
    let gone_or_in_use = ["InvalidVolume.NotFound", "VolumeInUse"];
    cx.aws.ec2.delete_volume().volume_id(id).send().await.called("ec2:DeleteVolume").done_if(&gone_or_in_use)
}
