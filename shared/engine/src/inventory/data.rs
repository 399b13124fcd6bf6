//! What holds data: kept with its size and how to remove it, or left if somebody said that it goes.

use super::ec2::{KUBERNETES, OWNED, tags};
use super::{Found, Inventory, NAME};
use crate::context::Context;
use crate::errors::{Called, Result};
use crate::names::OWNER_TAG;
use crate::resources::contents::{self, PAGE};
use crate::resources::disks::{is_of_claim, snapshots, volumes};
use crate::resources::owned::has_tag;
use aws_sdk_cloudwatchlogs::types::LogGroup;
use aws_sdk_ec2::types::{Snapshot, Volume, VolumeState};
use futures::future::try_join_all;
use futures::try_join;
use std::collections::BTreeMap;
use wire::spec::Data;

const CLAIM: &str = "it was made for a claim, so there may be data in it";
const BACKUP: &str = "it carries this cluster's owner tag, but no claim's snapshot is like it: perhaps a backup plan's, which copies tags";
const LOG: &str = "the control plane's log, which expires by its own retention";
const NODE_LOG: &str = "what the nodes and their pods logged, which expires by its own retention";
const RETAINED: &str = "deletion.buckets is retain";
const FILLED: &str = "there is something in it";
/// More of a kind are only counted, because a record holds 400 KB.
const MOST: usize = 300;

pub async fn look(cx: &Context) -> Result<Inventory> {
    let (volumes, snapshots, logs, buckets) = try_join!(volumes(cx), snapshots(cx), log_groups(cx), buckets(cx))?;
    let mut all = Inventory::default();
    for sorted in [volumes, snapshots, logs, buckets] {
        all.left.extend(sorted.left);
        all.kept.extend(bounded(cx, sorted.kept));
    }
    Ok(all)
}

fn bounded(cx: &Context, mut kept: Vec<Found>) -> Vec<Found> {
    let more = kept.split_off(kept.len().min(MOST));
    if let Some(first) = more.first() {
        let why = format!("like those before; the tag {OWNER_TAG}={} finds them all", cx.cluster.id);
        kept.push(Found::new(&first.kind, format!("{} more", more.len()), &why));
    }
    kept
}

fn sorted(all: impl IntoIterator<Item = (bool, Found)>) -> Inventory {
    let (kept, left): (Vec<_>, Vec<_>) = all.into_iter().partition(|(stays, _)| *stays);
    let things = |all: Vec<(bool, Found)>| all.into_iter().map(|(_, found)| found).collect();
    Inventory { left: things(left), kept: things(kept) }
}

/// By both tags: the driver is told to set our owner tag, Kubernetes' built-in provisioner is not.
async fn volumes(cx: &Context) -> Result<Inventory> {
    let found = try_join_all(tags(&cx.cluster).into_iter().map(|by| volumes::list(cx, by))).await?.into_iter().flatten();
    let going = [VolumeState::Deleting, VolumeState::Deleted];
    let there = found.filter(|volume| volume.state().is_none_or(|state| !going.contains(state)));
    let once: BTreeMap<_, _> = there.map(|volume| (volume.volume_id.clone(), volume)).collect();
    Ok(sorted(once.into_values().map(|found| volume(cx, &found))))
}

fn volume(cx: &Context, volume: &Volume) -> (bool, Found) {
    let id = volume.volume_id().unwrap_or_default();
    if cx.cluster.data == Data::Keep && is_of_claim(volume.tags()) {
        let remove = aws(cx, "ec2 delete-volume", &format!("--volume-id {id}"));
        let size = volume.size().map(|size| format!("{size} GiB"));
        return (true, Found { size, remove: Some(remove), ..Found::new("volume", id, CLAIM) });
    }
    let why = if has_tag(volume.tags(), OWNER_TAG, &cx.cluster.id) { OWNED } else { KUBERNETES };
    (false, Found::new("volume", id, why))
}

/// Those that stay are only listed, and a role of before snapshots were looked for may not list them: that holds up no deletion.
async fn snapshots(cx: &Context) -> Result<Inventory> {
    match snapshots::owned(cx).await {
        Err(denied) if denied.is_denial() && cx.cluster.data == Data::Keep => {
            let list =
                aws(cx, "ec2 describe-snapshots", &format!("--owner-ids self --filters Name=tag:{OWNER_TAG},Values={}", cx.cluster.id));
            let kept = vec![Found::new("snapshot", "not looked for", &format!("{} To see them: {list}", denied.reason))];
            Ok(Inventory { kept, ..Inventory::default() })
        }
        found => Ok(sorted(found?.iter().map(|found| snapshot(cx, found)))),
    }
}

fn snapshot(cx: &Context, snapshot: &Snapshot) -> (bool, Found) {
    let (id, of_claim) = (snapshot.snapshot_id().unwrap_or_default(), is_of_claim(snapshot.tags()));
    if of_claim && cx.cluster.data == Data::Delete {
        return (false, Found::new("snapshot", id, OWNED));
    }
    let remove = aws(cx, "ec2 delete-snapshot", &format!("--snapshot-id {id}"));
    let size = snapshot.volume_size().map(|size| format!("of a volume of {size} GiB"));
    (true, Found { size, remove: Some(remove), ..Found::new("snapshot", id, if of_claim { CLAIM } else { BACKUP }) })
}

async fn log_groups(cx: &Context) -> Result<Inventory> {
    let (control_plane, nodes) = (cx.cluster.log_group(), cx.cluster.node_logs());
    let (of_control_plane, of_nodes) = try_join!(log_groups_like(cx, &control_plane), log_groups_like(cx, &nodes))?;
    let own = of_control_plane.into_iter().filter(|group| group.log_group_name() == Some(&control_plane)).map(|group| (group, LOG));
    Ok(sorted(own.chain(of_nodes.into_iter().map(|group| (group, NODE_LOG))).map(|(group, why)| log_group(cx, &group, why))))
}

async fn log_groups_like(cx: &Context, prefix: &str) -> Result<Vec<LogGroup>> {
    let request = cx.aws.logs.describe_log_groups().log_group_name_prefix(prefix);
    request.into_paginator().items().send().collect::<Result<_, _>>().await.called("logs:DescribeLogGroups")
}

fn log_group(cx: &Context, group: &LogGroup, why: &str) -> (bool, Found) {
    let name = group.log_group_name().unwrap_or_default();
    if cx.cluster.data == Data::Delete {
        return (false, Found::new("log group", name, NAME));
    }
    let remove = aws(cx, "logs delete-log-group", &format!("--log-group-name {name}"));
    let size = group.stored_bytes().map(|bytes| format!("{bytes} bytes"));
    (true, Found { size, remove: Some(remove), ..Found::new("log group", name, why) })
}

async fn buckets(cx: &Context) -> Result<Inventory> {
    let ours = cx.cluster.scoped("");
    let request = cx.aws.s3.list_buckets().prefix(&ours);
    let found: Vec<_> = request.into_paginator().items().send().collect::<Result<_, _>>().await.called("s3:ListAllMyBuckets")?;
    let names = found.into_iter().filter_map(|bucket| bucket.name).filter(|name| name.starts_with(&ours));
    Ok(sorted(try_join_all(names.map(|name| bucket(cx, name))).await?))
}

async fn bucket(cx: &Context, name: String) -> Result<(bool, Found)> {
    if cx.cluster.data == Data::Delete {
        return Ok((false, Found::new("bucket", name, NAME)));
    }
    let contents = contents::look(cx, &name, PAGE).await?;
    let why = match (cx.cluster.retains_buckets(), contents.is_nothing()) {
        (true, _) => RETAINED,
        (false, false) => FILLED,
        (false, true) => return Ok((false, Found::new("bucket", name, NAME))),
    };
    let (size, remove) = (Some(contents.to_string()), Some(empty_and_delete(cx, &name)));
    Ok((true, Found { size, remove, ..Found::new("bucket", name, why) }))
}

/// S3 deletes only empty buckets, and a call removes a thousand versions at most.
fn empty_and_delete(cx: &Context, bucket: &str) -> String {
    let bucket = format!("--bucket {bucket}");
    let all = "{Objects: [Versions, DeleteMarkers][].{Key: Key, VersionId: VersionId}, Quiet: `true`}";
    let listed = aws(cx, "s3api list-object-versions", &format!("{bucket} --no-paginate --max-keys {PAGE} --output json --query '{all}'"));
    let emptied = aws(cx, "s3api delete-objects", &format!("{bucket} --delete \"$({listed})\""));
    format!("until {}; do {emptied} || break; done", aws(cx, "s3api delete-bucket", &bucket))
}

fn aws(cx: &Context, what: &str, which: &str) -> String {
    format!("aws {what} --region {} {which}", cx.cluster.spec.region)
}
