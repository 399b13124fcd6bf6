//! The elastic IP address that the NAT gateway shows to the internet.

use super::owned::{ec2_filters, ec2_tags, is_this, once, outputs};
use crate::errors::{Called, Result, Unless};
use crate::resource::{Context, Key, Observed, Resource, Stage};
use async_trait::async_trait;
use aws_sdk_ec2::types::{Address, DomainType, ResourceType};

pub struct ElasticIp;

impl ElasticIp {
    async fn find(&self, cx: &Context) -> Result<Option<Address>> {
        let found = cx
            .aws
            .ec2
            .describe_addresses()
            .set_filters(ec2_filters(&cx.cluster, &self.key()))
            .send()
            .await
            .called("ec2:DescribeAddresses")?;
        let mut ours = found.addresses.unwrap_or_default().into_iter();
        Ok(ours.find(|address| is_this(&cx.cluster, &self.key(), address.tags())))
    }
}

#[async_trait]
impl Resource for ElasticIp {
    fn key(&self) -> Key {
        "elastic-ip".into()
    }

    fn stage(&self) -> Stage {
        Stage::CreateEks
    }

    fn needs(&self) -> Vec<Key> {
        vec![]
    }

    async fn observe(&self, cx: &Context) -> Result<Observed> {
        let Some(address) = self.find(cx).await? else {
            return Ok(Observed::Absent);
        };
        Ok(Observed::Ready(outputs([("id", address.allocation_id()), ("ip", address.public_ip())])))
    }

    async fn create(&self, cx: &Context) -> Result<()> {
        cx.aws
            .ec2
            .allocate_address()
            .domain(DomainType::Vpc)
            .tag_specifications(ec2_tags(&cx.cluster, &self.key(), ResourceType::ElasticIp, []))
            .customize()
            .config_override(once())
            .send()
            .await
            .called("ec2:AllocateAddress")?;
        Ok(())
    }

    async fn update(&self, _: &Context) -> Result<()> {
        Ok(())
    }

    async fn delete(&self, cx: &Context) -> Result<()> {
        let Some(address) = self.find(cx).await? else { return Ok(()) };
        cx.aws
            .ec2
            .release_address()
            .set_allocation_id(address.allocation_id)
            .send()
            .await
            .called("ec2:ReleaseAddress")
            .unless(&["InvalidAllocationID.NotFound"])?;
        Ok(())
    }
}
