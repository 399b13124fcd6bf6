//! The VPC: 10.0.0.0/16 with DNS names, which EKS's private endpoint and the interface endpoints need.

use super::owned::{ec2_filters, ec2_tags, id, is_this, once};
use crate::errors::{Called, Result, Unless};
use crate::resource::{Context, Key, Observed, Resource, Stage};
use async_trait::async_trait;
use aws_sdk_ec2::types::{AttributeBooleanValue, ResourceType, VpcAttributeName, VpcState};

pub const CIDR: &str = "10.0.0.0/16";

pub struct Vpc;

impl Vpc {
    async fn find(&self, cx: &Context) -> Result<Option<aws_sdk_ec2::types::Vpc>> {
        let found =
            cx.aws.ec2.describe_vpcs().set_filters(ec2_filters(&cx.cluster, &self.key())).send().await.called("ec2:DescribeVpcs")?;
        let mut ours = found.vpcs.unwrap_or_default().into_iter();
        Ok(ours.find(|vpc| is_this(&cx.cluster, &self.key(), vpc.tags())))
    }

    async fn has_dns_names(&self, cx: &Context, vpc_id: &str) -> Result<bool> {
        let answer = cx
            .aws
            .ec2
            .describe_vpc_attribute()
            .vpc_id(vpc_id)
            .attribute(VpcAttributeName::EnableDnsHostnames)
            .send()
            .await
            .called("ec2:DescribeVpcAttribute")?;
        Ok(answer.enable_dns_hostnames().and_then(|flag| flag.value()).unwrap_or_default())
    }
}

#[async_trait]
impl Resource for Vpc {
    fn key(&self) -> Key {
        "vpc".into()
    }

    fn stage(&self) -> Stage {
        Stage::CreateEks
    }

    fn needs(&self) -> Vec<Key> {
        vec![]
    }

    async fn observe(&self, cx: &Context) -> Result<Observed> {
        let Some(vpc) = self.find(cx).await? else {
            return Ok(Observed::Absent);
        };
        if vpc.state() == Some(&VpcState::Pending) {
            return Ok(Observed::Pending);
        }
        let vpc_id = vpc.vpc_id().unwrap_or_default();
        if self.has_dns_names(cx, vpc_id).await? { Ok(Observed::Ready(id(vpc_id))) } else { Ok(Observed::Drifted) }
    }

    async fn create(&self, cx: &Context) -> Result<()> {
        cx.aws
            .ec2
            .create_vpc()
            .cidr_block(CIDR)
            .tag_specifications(ec2_tags(&cx.cluster, &self.key(), ResourceType::Vpc, []))
            .customize()
            .config_override(once())
            .send()
            .await
            .called("ec2:CreateVpc")?;
        Ok(())
    }

    async fn update(&self, cx: &Context) -> Result<()> {
        let Some(vpc) = self.find(cx).await? else { return Ok(()) };
        cx.aws
            .ec2
            .modify_vpc_attribute()
            .set_vpc_id(vpc.vpc_id)
            .enable_dns_hostnames(AttributeBooleanValue::builder().value(true).build())
            .send()
            .await
            .called("ec2:ModifyVpcAttribute")?;
        Ok(())
    }

    async fn delete(&self, cx: &Context) -> Result<()> {
        let Some(vpc) = self.find(cx).await? else { return Ok(()) };
        cx.aws.ec2.delete_vpc().set_vpc_id(vpc.vpc_id).send().await.called("ec2:DeleteVpc").unless(&["InvalidVpcID.NotFound"])?;
        Ok(())
    }
}
