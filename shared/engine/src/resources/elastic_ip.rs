//! The elastic IP address that a NAT gateway shows to the internet.

use super::owned::{WOULD_SUCCEED, ec2_filters, ec2_tags, is_this, once, outputs};
use crate::cluster::Cluster;
use crate::context::Context;
use crate::errors::{Called, Result, Unless};
use crate::resource::{Made, Planned, Seen};
use async_trait::async_trait;
use aws_sdk_ec2::operation::allocate_address::builders::AllocateAddressFluentBuilder;
use aws_sdk_ec2::types::{Address, DomainType, ResourceType};
use wire::journal::Outputs;
use wire::key::Key;
use wire::stage::Stage;

pub struct ElasticIp {
    /// Of which NAT gateway.
    pub index: usize,
}

fn create(cx: &Context, key: &Key) -> AllocateAddressFluentBuilder {
    let tags = ec2_tags(&cx.cluster, key, ResourceType::ElasticIp, []);
    cx.aws.ec2.allocate_address().domain(DomainType::Vpc).tag_specifications(tags)
}

/// Asks EC2 whether it would be allowed.
pub async fn may_be_made(cx: &Context) -> Result<()> {
    create(cx, &Key::ElasticIp(0)).dry_run(true).send().await.called("ec2:AllocateAddress").done_if(&[WOULD_SUCCEED])
}

impl Planned for ElasticIp {
    fn key(&self) -> Key {
        Key::ElasticIp(self.index)
    }

    fn stage(&self) -> Stage {
        Stage::CreateEks
    }
}

#[async_trait]
impl Made for ElasticIp {
    type Thing = Address;

    async fn find(&self, cx: &Context) -> Result<Option<Address>> {
        let call = cx.aws.ec2.describe_addresses().set_filters(ec2_filters(&cx.cluster, &self.key()));
        let found = call.send().await.called("ec2:DescribeAddresses")?.addresses.unwrap_or_default();
        Ok(found.into_iter().find(|address| is_this(&cx.cluster, &self.key(), address.tags())))
    }

    fn judge(&self, _: &Cluster, _: &Address) -> Seen {
        Seen::Ready
    }

    fn outputs(&self, _: &Cluster, address: &Address) -> Outputs {
        outputs([("id", address.allocation_id()), ("ip", address.public_ip())])
    }

    async fn create(&self, cx: &Context) -> Result<()> {
        create(cx, &self.key()).customize().config_override(once()).send().await.called("ec2:AllocateAddress").map(drop)
    }

    async fn delete(&self, cx: &Context, address: &Address) -> Result<()> {
        let call = cx.aws.ec2.release_address().set_allocation_id(address.allocation_id.clone());
        call.send().await.called("ec2:ReleaseAddress").done_if(&["InvalidAllocationID.NotFound"])
    }
}
