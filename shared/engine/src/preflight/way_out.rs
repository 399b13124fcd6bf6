//! Whether the account lets traffic out to the internet. If not, nodes reach neither ECR nor EC2, and never join.

use crate::context::Context;
use crate::errors::{Called, Error, Result};
use crate::resources::existing_network::beside;
use aws_sdk_ec2::types::{
    InternetGatewayBlockMode, InternetGatewayExclusionMode as Exempt, Subnet, VpcBlockPublicAccessExclusion as Exclusion,
    VpcBlockPublicAccessExclusionState as ExclusionState, VpcBlockPublicAccessOptions,
};
use wire::error::Code;

/// # Errors
/// `Customer` if VPC Block Public Access stops NAT gateways, too.
pub async fn check(cx: &Context) -> Result<()> {
    options(cx).await?.map_or(Ok(()), |options| judge(&options, &cx.cluster.spec.region))
}

async fn options(cx: &Context) -> Result<Option<VpcBlockPublicAccessOptions>> {
    let asked = cx.aws.ec2.describe_vpc_block_public_access_options().send().await;
    let answer = unless_denied(cx, asked.called("ec2:DescribeVpcBlockPublicAccessOptions"))?;
    Ok(answer.and_then(|answer| answer.vpc_block_public_access_options))
}

/// The SDK has no paginator for them.
async fn exclusions(cx: &Context) -> Result<Option<Vec<Exclusion>>> {
    let (mut all, mut next) = (vec![], None);
    loop {
        let asked = cx.aws.ec2.describe_vpc_block_public_access_exclusions().set_next_token(next).send().await;
        let answer = unless_denied(cx, asked.called("ec2:DescribeVpcBlockPublicAccessExclusions"))?;
        let Some(page) = answer else { return Ok(None) };
        all.extend(page.vpc_block_public_access_exclusions.unwrap_or_default());
        next = page.next_token.filter(|token| !token.is_empty());
        if next.is_none() {
            return Ok(Some(all));
        }
    }
}

/// None if nobody may ask: whether nodes can join does not depend on that.
fn unless_denied<T>(cx: &Context, asked: Result<T>) -> Result<Option<T>> {
    match asked {
        Err(error) if error.is_denial() => {
            tracing::warn!(cluster_id = cx.cluster.id, detail = error.detail, "nobody knows whether the account blocks the internet");
            Ok(None)
        }
        asked => asked.map(Some),
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

/// What VPC Block Public Access stops in a VPC of the customer's.
pub struct Block {
    mode: InternetGatewayBlockMode,
    /// What the owner has exempted in this VPC: the ids of itself or of subnets, with whether only outwards.
    exempt: Vec<(String, Exempt)>,
}

/// None if it is off, or if nobody may ask.
pub async fn block_of(cx: &Context, vpc: &str) -> Result<Option<Block>> {
    let mode = options(cx).await?.and_then(|options| options.internet_gateway_block_mode);
    let Some(mode) = mode.filter(|mode| *mode != InternetGatewayBlockMode::Off) else { return Ok(None) };
    let Some(exclusions) = exclusions(cx).await? else { return Ok(None) };
    let inside: Vec<String> = beside(cx, vpc).await?.into_iter().filter_map(|subnet| subnet.subnet_id).collect();
    let exempt = exclusions.into_iter().filter_map(exempt).filter(|(id, _)| id == vpc || inside.contains(id));
    Ok(Some(Block { mode, exempt: exempt.collect() }))
}

/// By the id at the end of the ARN; none while it is made or removed.
fn exempt(exclusion: Exclusion) -> Option<(String, Exempt)> {
    let counts = matches!(exclusion.state, Some(ExclusionState::CreateComplete | ExclusionState::UpdateComplete));
    let id = exclusion.resource_arn?.rsplit('/').next()?.to_owned();
    counts.then_some((id, exclusion.internet_gateway_exclusion_mode?))
}

impl Block {
    /// Why nodes in this subnet do not get out. A public subnet is stopped by both modes, if neither it nor the VPC is exempted, and of
    /// block-ingress only `allow-bidirectional` exempts. What leaves through a NAT gateway is stopped only by block-bidirectional; which of
    /// the VPC's subnets it then passes is for its owner to know, so an exemption of any of them counts.
    /// <https://docs.aws.amazon.com/vpc/latest/userguide/security-vpc-bpa.html>
    pub fn stops(&self, subnet: &Subnet, is_public: bool) -> Option<String> {
        let ingress_only = self.mode == InternetGatewayBlockMode::BlockIngress;
        let here = |id: &str| Some(id) == subnet.subnet_id() || Some(id) == subnet.vpc_id();
        let frees = |(id, how): &(String, Exempt)| match is_public {
            true => here(id) && (!ingress_only || *how == Exempt::AllowBidirectional),
            false => true,
        };
        let stopped = (is_public || !ingress_only) && !self.exempt.iter().any(frees);
        let what = || format!("VPC Block Public Access ({}) lets its nodes not out: exempt the VPC from it", self.mode.as_str());
        stopped.then(what)
    }
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

    #[test]
    fn in_the_customers_vpc_exemptions_count_and_public_subnets_are_stopped_sooner() {
        use Exempt::{AllowBidirectional, AllowEgress};
        use InternetGatewayBlockMode::{BlockBidirectional, BlockIngress};
        let subnet = Subnet::builder().subnet_id("subnet-1").vpc_id("vpc-1").build();
        for (mode, exempt, public, nat, why) in [
            (BlockBidirectional, None, true, true, "nothing gets out"),
            (BlockIngress, None, true, false, "NAT gateways only let out"),
            (BlockBidirectional, Some(("vpc-1", AllowEgress)), false, false, "the VPC is exempted"),
            (BlockIngress, Some(("vpc-1", AllowEgress)), true, false, "that exempts only from block-bidirectional"),
            (BlockIngress, Some(("vpc-1", AllowBidirectional)), false, false, "the VPC is exempted"),
            (BlockBidirectional, Some(("subnet-1", AllowBidirectional)), false, false, "the subnet is exempted"),
            (BlockBidirectional, Some(("subnet-2", AllowEgress)), true, false, "the NAT gateway's subnet, perhaps"),
        ] {
            let exempt = exempt.map(|(id, how)| (id.to_owned(), how)).into_iter().collect();
            let block = Block { mode, exempt };
            assert_eq!([true, false].map(|is_public| block.stops(&subnet, is_public).is_some()), [public, nat], "{why}");
        }
    }

    #[test]
    fn an_exclusion_counts_once_it_is_complete() {
        let arn = "arn:aws:ec2:us-west-2:222222222222:vpc/vpc-1";
        for (state, expected) in [
            (ExclusionState::CreateComplete, Some(("vpc-1".to_owned(), Exempt::AllowEgress))),
            (ExclusionState::CreateInProgress, None),
            (ExclusionState::DeleteComplete, None),
        ] {
            let exclusion = Exclusion::builder().resource_arn(arn).state(state).internet_gateway_exclusion_mode(Exempt::AllowEgress);
            assert_eq!(exempt(exclusion.build()), expected);
        }
    }
}
