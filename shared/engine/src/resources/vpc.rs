//! The VPC, with DNS names, which EKS's private endpoint and the interface endpoints need.

use super::owned::{WOULD_SUCCEED, ec2_filters, ec2_tags, id, is_this, once};
use crate::cluster::Cluster;
use crate::context::Context;
use crate::errors::{Called, Result, Unless};
use crate::resource::{Difference, How, Made, Planned, Seen};
use async_trait::async_trait;
use aws_sdk_ec2::operation::create_vpc::builders::CreateVpcFluentBuilder;
use aws_sdk_ec2::types::{AttributeBooleanValue, ResourceType, VpcAttributeName, VpcState};
use wire::journal::Outputs;
use wire::key::Key;
use wire::stage::Stage;

pub struct Vpc;

pub struct Found {
    vpc: aws_sdk_ec2::types::Vpc,
    dns_names: bool,
}

impl Found {
    fn id(&self) -> &str {
        self.vpc.vpc_id().unwrap_or_default()
    }
}

fn create(cx: &Context) -> CreateVpcFluentBuilder {
    let tags = ec2_tags(&cx.cluster, &Key::Vpc, ResourceType::Vpc, []);
    cx.aws.ec2.create_vpc().cidr_block(cx.cluster.spec.cidr()).tag_specifications(tags)
}

/// Asks EC2 whether it would be allowed.
pub async fn may_be_made(cx: &Context) -> Result<()> {
    create(cx).dry_run(true).send().await.called("ec2:CreateVpc").done_if(&[WOULD_SUCCEED])
}

async fn has_dns_names(cx: &Context, vpc_id: &str) -> Result<bool> {
    let call = cx.aws.ec2.describe_vpc_attribute().vpc_id(vpc_id).attribute(VpcAttributeName::EnableDnsHostnames);
    let answer = call.send().await.called("ec2:DescribeVpcAttribute")?;
    Ok(answer.enable_dns_hostnames().and_then(|flag| flag.value()).unwrap_or_default())
}

impl Planned for Vpc {
    fn key(&self) -> Key {
        Key::Vpc
    }

    fn stage(&self) -> Stage {
        Stage::CreateEks
    }
}

#[async_trait]
impl Made for Vpc {
    type Thing = Found;

    async fn find(&self, cx: &Context) -> Result<Option<Found>> {
        let call = cx.aws.ec2.describe_vpcs().set_filters(ec2_filters(&cx.cluster, &self.key()));
        let vpcs = call.send().await.called("ec2:DescribeVpcs")?.vpcs.unwrap_or_default();
        let Some(vpc) = vpcs.into_iter().find(|vpc| is_this(&cx.cluster, &self.key(), vpc.tags())) else {
            return Ok(None);
        };
        // Nothing can be asked about a VPC that is not there yet.
        let pending = vpc.state() == Some(&VpcState::Pending);
        let dns_names = !pending && has_dns_names(cx, vpc.vpc_id().unwrap_or_default()).await?;
        Ok(Some(Found { vpc, dns_names }))
    }

    fn judge(&self, cluster: &Cluster, found: &Found) -> Seen {
        if found.vpc.state() == Some(&VpcState::Pending) {
            return Seen::Busy;
        }
        Seen::but_for([
            Difference::between("cidr", found.vpc.cidr_block().unwrap_or_default(), &cluster.spec.cidr().to_string(), How::Never),
            Difference::between("dns_names", found.dns_names, true, How::InPlace),
        ])
    }

    fn outputs(&self, _: &Cluster, found: &Found) -> Outputs {
        id(found.id())
    }

    async fn create(&self, cx: &Context) -> Result<()> {
        create(cx).customize().config_override(once()).send().await.called("ec2:CreateVpc").map(drop)
    }

    async fn mend(&self, cx: &Context, found: &Found) -> Result<()> {
        let on = AttributeBooleanValue::builder().value(true).build();
        let call = cx.aws.ec2.modify_vpc_attribute().vpc_id(found.id()).enable_dns_hostnames(on);
        call.send().await.called("ec2:ModifyVpcAttribute").map(drop)
    }

    async fn delete(&self, cx: &Context, found: &Found) -> Result<()> {
        cx.aws.ec2.delete_vpc().vpc_id(found.id()).send().await.called("ec2:DeleteVpc").done_if(&["InvalidVpcID.NotFound"])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vpc_is_judged_by_its_state_its_range_and_its_dns_names() {
        const CIDR: &str = "172.20.0.0/20";
        let cluster = Cluster::example(serde_json::json!({"network": {"cidr": CIDR}}));
        let differs = |difference| Seen::but_for([difference]);
        for (state, cidr, dns_names, expected, reason) in [
            (VpcState::Available, CIDR, true, Seen::Ready, "as it should be"),
            (VpcState::Pending, CIDR, false, Seen::Busy, "EC2 is still at work"),
            (VpcState::Available, CIDR, false, differs(Difference::between("dns_names", false, true, How::InPlace)), "half-made"),
            (
                VpcState::Available,
                "10.0.0.0/16",
                true,
                differs(Difference::between("cidr", "10.0.0.0/16", CIDR, How::Never)),
                "what counts if nothing is said",
            ),
        ] {
            let vpc = aws_sdk_ec2::types::Vpc::builder().state(state).cidr_block(cidr).build();
            assert_eq!(Vpc.judge(&cluster, &Found { vpc, dns_names }), expected, "{reason}");
        }
    }
}
