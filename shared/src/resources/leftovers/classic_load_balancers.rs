//! Classic load balancers, which Kubernetes' own controller makes for a Service when no other is installed.

use super::{Kind, Leftover, Within, is_kubernetes_tag};
use crate::errors::{Called, Result};
use crate::resource::Context;
use aws_sdk_elasticloadbalancing::types::{LoadBalancerDescription, TagDescription};

pub async fn find(cx: &Context, within: &Within<'_>) -> Result<Vec<Leftover>> {
    let request = cx.aws.elb.describe_load_balancers();
    let found: Vec<LoadBalancerDescription> =
        request.into_paginator().items().send().collect::<Result<_, _>>().await.called("elasticloadbalancing:DescribeLoadBalancers")?;
    let inside = found.into_iter().filter(|balancer| within.holds(balancer.vpc_id()));
    let names: Vec<String> = inside.filter_map(|balancer| balancer.load_balancer_name).collect();
    let mut left = Vec::new();
    // The API takes twenty at a time.
    for some in names.chunks(20) {
        let request = cx.aws.elb.describe_tags().set_load_balancer_names(Some(some.to_vec()));
        let answer = request.send().await.called("elasticloadbalancing:DescribeTags")?;
        left.extend(answer.tag_descriptions.unwrap_or_default().into_iter().filter(|found| is_ours(cx, found)).filter_map(leftover));
    }
    Ok(left)
}

fn is_ours(cx: &Context, found: &TagDescription) -> bool {
    found.tags().iter().any(|tag| is_kubernetes_tag(&cx.cluster, tag.key(), tag.value().unwrap_or_default()))
}

fn leftover(found: TagDescription) -> Option<Leftover> {
    Some(Leftover { kind: Kind::ClassicLoadBalancer, id: found.load_balancer_name?, busy: false })
}

/// Deleting one that is gone succeeds.
pub async fn remove(cx: &Context, name: &str) -> Result<()> {
    cx.aws.elb.delete_load_balancer().load_balancer_name(name).send().await.called("elasticloadbalancing:DeleteLoadBalancer")?;
    Ok(())
}
