//! The internet gateway: the VPC's way out, used by public subnets and the NAT gateway.

use super::owned::{ec2_filters, ec2_tags, id, is_this, once};
use crate::errors::{Called, Result, Unless};
use crate::resource::{Context, Key, Observed, Resource, Stage};
use async_trait::async_trait;
use aws_sdk_ec2::types::{InternetGatewayAttachment, ResourceType};

pub struct InternetGateway;

impl InternetGateway {
    async fn find(&self, cx: &Context) -> Result<Option<aws_sdk_ec2::types::InternetGateway>> {
        let found = cx
            .aws
            .ec2
            .describe_internet_gateways()
            .set_filters(ec2_filters(&cx.cluster, &self.key()))
            .send()
            .await
            .called("ec2:DescribeInternetGateways")?;
        let mut ours = found.internet_gateways.unwrap_or_default().into_iter();
        Ok(ours.find(|gateway| is_this(&cx.cluster, &self.key(), gateway.tags())))
    }

    async fn detach(&self, cx: &Context, gateway_id: &str, attachment: &InternetGatewayAttachment) -> Result<()> {
        cx.aws
            .ec2
            .detach_internet_gateway()
            .internet_gateway_id(gateway_id)
            .set_vpc_id(attachment.vpc_id.clone())
            .send()
            .await
            .called("ec2:DetachInternetGateway")
            .unless(&["Gateway.NotAttached"])?;
        Ok(())
    }
}

/// EC2 documents `attached` and answers `available`.
fn is_attached(attachment: &InternetGatewayAttachment) -> bool {
    attachment.state().is_some_and(|state| matches!(state.as_str(), "available" | "attached"))
}

#[async_trait]
impl Resource for InternetGateway {
    fn key(&self) -> Key {
        "internet-gateway".into()
    }

    fn stage(&self) -> Stage {
        Stage::CreateEks
    }

    fn needs(&self) -> Vec<Key> {
        vec!["vpc".into()]
    }

    async fn observe(&self, cx: &Context) -> Result<Observed> {
        let Some(gateway) = self.find(cx).await? else {
            return Ok(Observed::Absent);
        };
        if gateway.attachments().iter().any(is_attached) {
            Ok(Observed::Ready(id(gateway.internet_gateway_id.unwrap_or_default())))
        } else {
            Ok(Observed::Drifted)
        }
    }

    async fn create(&self, cx: &Context) -> Result<()> {
        cx.aws
            .ec2
            .create_internet_gateway()
            .tag_specifications(ec2_tags(&cx.cluster, &self.key(), ResourceType::InternetGateway, []))
            .customize()
            .config_override(once())
            .send()
            .await
            .called("ec2:CreateInternetGateway")?;
        Ok(())
    }

    async fn update(&self, cx: &Context) -> Result<()> {
        let Some(gateway) = self.find(cx).await? else { return Ok(()) };
        cx.aws
            .ec2
            .attach_internet_gateway()
            .set_internet_gateway_id(gateway.internet_gateway_id)
            .vpc_id(cx.output("vpc", "id")?)
            .send()
            .await
            .called("ec2:AttachInternetGateway")
            .unless(&["Resource.AlreadyAssociated"])?;
        Ok(())
    }

    async fn delete(&self, cx: &Context) -> Result<()> {
        let Some(gateway) = self.find(cx).await? else { return Ok(()) };
        let gateway_id = gateway.internet_gateway_id().unwrap_or_default();
        for attachment in gateway.attachments() {
            self.detach(cx, gateway_id, attachment).await?;
        }
        cx.aws
            .ec2
            .delete_internet_gateway()
            .internet_gateway_id(gateway_id)
            .send()
            .await
            .called("ec2:DeleteInternetGateway")
            .unless(&["InvalidInternetGatewayID.NotFound"])?;
        Ok(())
    }
}
