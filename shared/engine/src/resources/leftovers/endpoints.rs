//! The interface endpoint that GuardDuty puts into a VPC with an EKS cluster, where its Runtime Monitoring manages its agent. It leaves the
//! endpoint, with its security group, when the cluster is deleted, and neither the subnets nor the VPC can go.
//! <https://docs.aws.amazon.com/guardduty/latest/ug/how-runtime-monitoring-works-eks.html>,
//! <https://github.com/hashicorp/terraform-provider-aws/pull/46953>
//!
//! Only inside our VPC, which goes too. Anybody else's endpoint stays, and is named by its interfaces as what holds the network.

use super::super::owned::{has_tag, in_vpcs};
use super::super::s3_endpoint;
use super::{Kind, Leftover, Within};
use crate::context::Context;
use crate::errors::{Called, Result};
use aws_sdk_ec2::types::{Tag, VpcEndpoint};

/// On the endpoint and on the group.
pub fn is_guard_dutys(tags: &[Tag]) -> bool {
    has_tag(tags, "GuardDutyManaged", "true")
}

pub async fn find(cx: &Context, vpcs: &[String]) -> Result<Vec<Leftover>> {
    let request = cx.aws.ec2.describe_vpc_endpoints().filters(in_vpcs(vpcs));
    let found: Vec<VpcEndpoint> =
        request.into_paginator().items().send().collect::<Result<_, _>>().await.called("ec2:DescribeVpcEndpoints")?;
    let inside = found.into_iter().filter(|endpoint| Within::Vpcs(vpcs).holds(endpoint.vpc_id()) && is_guard_dutys(endpoint.tags()));
    Ok(inside.filter_map(leftover).collect())
}

/// None once it is gone: EC2 lists it for a while.
fn leftover(endpoint: VpcEndpoint) -> Option<Leftover> {
    let state = s3_endpoint::state(&endpoint);
    let there = state != "deleted";
    there.then_some(Leftover { kind: Kind::Endpoint, id: endpoint.vpc_endpoint_id?, busy: state == "deleting", purpose: None })
}

pub async fn remove(cx: &Context, id: &str) -> Result<()> {
    s3_endpoint::delete(cx, id).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_ec2::types::State;

    #[test]
    fn an_endpoint_is_left_until_it_is_gone() {
        for (state, expected) in [("available", Some(false)), ("Available", Some(false)), ("deleting", Some(true)), ("deleted", None)] {
            let endpoint = VpcEndpoint::builder().vpc_endpoint_id("vpce-1").state(State::from(state)).build();
            assert_eq!(leftover(endpoint).map(|leftover| leftover.busy), expected, "{state}");
        }
    }
}
