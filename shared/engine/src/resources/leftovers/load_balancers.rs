//! Network and application load balancers of Services and Ingresses.

use super::{CONTROLLER_TAG, Kind, Leftover, Within};
use crate::context::Context;
use crate::errors::{Called, Result, Unless};
use aws_sdk_elasticloadbalancingv2::types::{LoadBalancer, TagDescription};

pub async fn find(cx: &Context, within: &Within<'_>) -> Result<Vec<Leftover>> {
    let request = cx.aws.elbv2.describe_load_balancers();
    let found: Vec<LoadBalancer> =
        request.into_paginator().items().send().collect::<Result<_, _>>().await.called("elasticloadbalancing:DescribeLoadBalancers")?;
    let inside = found.into_iter().filter(|balancer| within.holds(balancer.vpc_id()));
    let arns = inside.filter_map(|balancer| balancer.load_balancer_arn).collect();
    let tagged = tagged(cx, arns).await?.into_iter();
    Ok(tagged.map(|arn| Leftover { kind: Kind::LoadBalancer, id: arn, busy: false, purpose: None }).collect())
}

/// The ARNs whose things carry this cluster's Kubernetes tags.
pub async fn tagged(cx: &Context, arns: Vec<String>) -> Result<Vec<String>> {
    let mut tagged = Vec::new();
    // The API takes twenty at a time.
    for some in arns.chunks(20) {
        let request = cx.aws.elbv2.describe_tags().set_resource_arns(Some(some.to_vec()));
        let answer = request.send().await.called("elasticloadbalancing:DescribeTags")?;
        tagged.extend(
            answer
                .tag_descriptions
                .unwrap_or_default()
                .into_iter()
                .filter(|found| is_ours(cx, found))
                .filter_map(|found| found.resource_arn),
        );
    }
    Ok(tagged)
}

fn is_ours(cx: &Context, found: &TagDescription) -> bool {
    let name = cx.cluster.eks_name();
    found.tags().iter().any(|tag| tag.key() == Some(CONTROLLER_TAG) && tag.value() == Some(&name))
}

pub async fn remove(cx: &Context, arn: &str) -> Result<()> {
    let call = cx.aws.elbv2.delete_load_balancer().load_balancer_arn(arn);
    call.send().await.called("elasticloadbalancing:DeleteLoadBalancer").done_if(&["LoadBalancerNotFound"])
}
