//! The internet gateway: the VPC's way out, used by public subnets and the NAT gateway.

use super::owned::{WOULD_SUCCEED, check_free, ec2_filters, ec2_tags, filter, id, is_this, once};
use crate::cluster::Cluster;
use crate::context::Context;
use crate::errors::{Called, Result, Unless};
use crate::resource::{Difference, How, Made, Planned, Seen};
use async_trait::async_trait;
use aws_sdk_ec2::operation::create_internet_gateway::builders::CreateInternetGatewayFluentBuilder;
use aws_sdk_ec2::types::{InternetGatewayAttachment, ResourceType};
use wire::journal::Outputs;
use wire::key::Key;
use wire::stage::Stage;

pub struct InternetGateway;

type Found = aws_sdk_ec2::types::InternetGateway;

fn create(cx: &Context) -> CreateInternetGatewayFluentBuilder {
    let tags = ec2_tags(&cx.cluster, &Key::InternetGateway, ResourceType::InternetGateway, []);
    cx.aws.ec2.create_internet_gateway().tag_specifications(tags)
}

/// Asks EC2 whether it would be allowed.
pub async fn may_be_made(cx: &Context) -> Result<()> {
    create(cx).dry_run(true).send().await.called("ec2:CreateInternetGateway").done_if(&[WOULD_SUCCEED])
}

/// EC2 documents `attached` and answers `available`.
fn is_attached(attachment: &InternetGatewayAttachment) -> bool {
    attachment.state().is_some_and(|state| matches!(state.as_str(), "available" | "attached"))
}

/// The gateway is attached, or another one is.
const ATTACHED: &[(&str, &str)] =
    &[("Resource.AlreadyAssociated", ""), ("InvalidParameterValue", "already has an internet gateway attached")];

async fn check_way_out(cx: &Context, ours: &str, vpc: &str) -> Result<()> {
    let call = cx.aws.ec2.describe_internet_gateways().filters(filter("attachment.vpc-id", vpc));
    let found = call.send().await.called("ec2:DescribeInternetGateways")?.internet_gateways.unwrap_or_default();
    let in_vpc = |gateway: &&Found| gateway.attachments().iter().any(|attachment| attachment.vpc_id() == Some(vpc));
    let foreign = found.iter().filter(in_vpc).filter_map(Found::internet_gateway_id).filter(|id| *id != ours);
    check_free("The way out", &foreign.map(|id| format!("the internet gateway {id}")).collect::<Vec<_>>())
}

impl Planned for InternetGateway {
    fn key(&self) -> Key {
        Key::InternetGateway
    }

    fn stage(&self) -> Stage {
        Stage::CreateEks
    }

    fn needs(&self) -> Vec<Key> {
        vec![Key::Vpc]
    }
}

#[async_trait]
impl Made for InternetGateway {
    type Thing = Found;

    async fn find(&self, cx: &Context) -> Result<Option<Found>> {
        let call = cx.aws.ec2.describe_internet_gateways().set_filters(ec2_filters(&cx.cluster, &self.key()));
        let found = call.send().await.called("ec2:DescribeInternetGateways")?.internet_gateways.unwrap_or_default();
        Ok(found.into_iter().find(|gateway| is_this(&cx.cluster, &self.key(), gateway.tags())))
    }

    fn judge(&self, _: &Cluster, gateway: &Found) -> Seen {
        let attached = gateway.attachments().iter().any(is_attached);
        Seen::but_for([Difference::between("attached", attached, true, How::InPlace)])
    }

    fn outputs(&self, _: &Cluster, gateway: &Found) -> Outputs {
        id(gateway.internet_gateway_id().unwrap_or_default())
    }

    async fn create(&self, cx: &Context) -> Result<()> {
        create(cx).customize().config_override(once()).send().await.called("ec2:CreateInternetGateway").map(drop)
    }

    async fn mend(&self, cx: &Context, gateway: &Found) -> Result<()> {
        let id = gateway.internet_gateway_id().unwrap_or_default();
        let vpc = cx.output(&Key::Vpc, "id")?;
        let call = cx.aws.ec2.attach_internet_gateway().internet_gateway_id(id).vpc_id(&vpc);
        match call.send().await.called("ec2:AttachInternetGateway").unless(ATTACHED)? {
            Some(_) => Ok(()),
            None => check_way_out(cx, id, &vpc).await,
        }
    }

    async fn delete(&self, cx: &Context, gateway: &Found) -> Result<()> {
        let id = gateway.internet_gateway_id().unwrap_or_default();
        for attachment in gateway.attachments() {
            let call = cx.aws.ec2.detach_internet_gateway().internet_gateway_id(id).set_vpc_id(attachment.vpc_id.clone());
            call.send().await.called("ec2:DetachInternetGateway").done_if(&["Gateway.NotAttached"])?;
        }
        let call = cx.aws.ec2.delete_internet_gateway().internet_gateway_id(id);
        call.send().await.called("ec2:DeleteInternetGateway").done_if(&["InvalidInternetGatewayID.NotFound"])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_ec2::types::AttachmentStatus;

    #[test]
    fn a_gateway_without_a_vpc_is_half_made() {
        let cluster = Cluster::example(serde_json::json!({}));
        let half_made = || Seen::but_for([Difference::between("attached", false, true, How::InPlace)]);
        for (state, expected) in
            [(None, half_made()), (Some("detaching"), half_made()), (Some("available"), Seen::Ready), (Some("attached"), Seen::Ready)]
        {
            let attachment = state.map(|state| InternetGatewayAttachment::builder().state(AttachmentStatus::from(state)).build());
            let gateway = Found::builder().set_attachments(Some(attachment.into_iter().collect())).build();
            assert_eq!(InternetGateway.judge(&cluster, &gateway), expected, "{state:?}");
        }
    }
}
