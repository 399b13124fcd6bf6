//! Target groups, which outlive their load balancers.

use super::load_balancers::tagged;
use super::{Kind, Leftover, Within};
use crate::context::Context;
use crate::errors::{Called, Result, Unless};
use aws_sdk_elasticloadbalancingv2::types::TargetGroup;

pub async fn find(cx: &Context, within: &Within<'_>) -> Result<Vec<Leftover>> {
    let request = cx.aws.elbv2.describe_target_groups();
    let found: Vec<TargetGroup> =
        request.into_paginator().items().send().collect::<Result<_, _>>().await.called("elasticloadbalancing:DescribeTargetGroups")?;
    let inside = found.into_iter().filter(|group| within.holds(group.vpc_id()));
    let arns = inside.filter_map(|group| group.target_group_arn).collect();
    let tagged = tagged(cx, arns).await?.into_iter();
    Ok(tagged.map(|arn| Leftover { kind: Kind::TargetGroup, id: arn, busy: false, purpose: None }).collect())
}

/// A load balancer releases its groups some seconds after it is deleted; the next look decides.
pub async fn remove(cx: &Context, arn: &str) -> Result<()> {
    let gone_or_held = ["TargetGroupNotFound", "ResourceInUse"];
    let call = cx.aws.elbv2.delete_target_group().target_group_arn(arn);
    call.send().await.called("elasticloadbalancing:DeleteTargetGroup").done_if(&gone_or_held)
}
