//! Whether the account lets traffic out to the internet. If not, nodes reach neither ECR nor EC2, and never join.

use crate::context::Context;
use crate::errors::{Called, Error, Result};
use aws_sdk_ec2::types::{InternetGatewayBlockMode, VpcBlockPublicAccessOptions};
use wire::error::Code;

/// # Errors
/// `Customer` if VPC Block Public Access stops NAT gateways, too.
pub async fn check(cx: &Context) -> Result<()> {
    let asked = cx.aws.ec2.describe_vpc_block_public_access_options().send().await;
    match asked.called("ec2:DescribeVpcBlockPublicAccessOptions") {
        Ok(answer) => answer.vpc_block_public_access_options().map_or(Ok(()), |options| judge(options, &cx.cluster.spec.region)),
        // Whether nodes can join does not depend on whether we may ask.
        Err(error) if error.is_denial() => {
            tracing::warn!(cluster_id = cx.cluster.id, detail = error.detail, "nobody knows whether the account blocks the internet");
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// `block-ingress` is fine: it lets NAT gateways out, and the cluster's public endpoint is not in the account.
/// <https://docs.aws.amazon.com/vpc/latest/userguide/security-vpc-bpa-basics.html>
fn judge(options: &VpcBlockPublicAccessOptions, region: &str) -> Result<()> {
    if options.internet_gateway_block_mode() != Some(&InternetGatewayBlockMode::BlockBidirectional) {
        return Ok(());
    }
    let by = options.managed_by().map_or("account", |by| by.as_str());
    let reason = format!(
        "VPC Block Public Access is block-bidirectional in {region} (managed by: {by}): the nodes could not reach ECR and EC2 through \
         their NAT gateway, and would never join."
    );
    Err(Error::of(Code::InternetBlocked, reason))
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_ec2::types::ManagedBy;

    #[test]
    fn only_what_stops_nat_gateways_stops_a_cluster() {
        for (mode, stops, why) in [
            (Some(InternetGatewayBlockMode::Off), false, "the default"),
            (Some(InternetGatewayBlockMode::BlockIngress), false, "NAT gateways only let out"),
            (Some(InternetGatewayBlockMode::BlockBidirectional), true, "nothing gets out"),
            (None, false, "AWS does not say"),
        ] {
            let options = VpcBlockPublicAccessOptions::builder().set_internet_gateway_block_mode(mode);
            let found = judge(&options.managed_by(ManagedBy::DeclarativePolicy).build(), "us-west-2").err();
            assert_eq!(found.as_ref().map(|error| &error.code), stops.then_some(&Code::InternetBlocked), "{why}");
            assert!(found.is_none_or(|error| error.reason.contains("in us-west-2 (managed by: declarative-policy)")), "{why}");
        }
    }
}
