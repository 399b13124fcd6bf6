//! A NAT gateway: a way out of private subnets. It lives in the public subnet of its zone and takes nearly two minutes to make.

use super::owned::{ec2_filters, ec2_tags, ec2_token, id, is_this};
use crate::cluster::Cluster;
use crate::context::Context;
use crate::errors::{Called, Error, Result, Unless, from_answer};
use crate::resource::{Made, Pace, Planned, Seen, Usual};
use async_trait::async_trait;
use aws_sdk_ec2::types::{NatGatewayState as State, ResourceType};
use wire::error::Code;
use wire::journal::Outputs;
use wire::key::{Key, Side};
use wire::stage::Stage;

pub struct NatGateway {
    /// In which of the cluster's zones, from 0.
    pub index: usize,
}

type Found = aws_sdk_ec2::types::NatGateway;

impl NatGateway {
    fn subnet(&self) -> Key {
        Key::Subnet(Side::Public, self.index)
    }

    fn address(&self) -> Key {
        Key::ElasticIp(self.index)
    }

    /// All that EC2 still lists, including deleted ones, for an hour.
    async fn find_all(&self, cx: &Context) -> Result<Vec<Found>> {
        let call = cx.aws.ec2.describe_nat_gateways().set_filter(ec2_filters(&cx.cluster, &self.key()));
        let found = call.send().await.called("ec2:DescribeNatGateways")?;
        let gateways = found.nat_gateways.unwrap_or_default().into_iter();
        Ok(gateways.filter(|gateway| is_this(&cx.cluster, &self.key(), gateway.tags())).collect())
    }
}

/// A failed one stays listed beside its successor, so the working one comes first.
fn liveliest(gateways: Vec<Found>) -> Option<Found> {
    let rank = |gateway: &Found| match gateway.state() {
        Some(State::Available) => 0,
        Some(State::Pending) => 1,
        Some(State::Failed) => 3,
        _ => 2,
    };
    gateways.into_iter().filter(|gateway| !is_gone(gateway)).min_by_key(rank)
}

fn is_gone(gateway: &Found) -> bool {
    gateway.state() == Some(&State::Deleted)
}

fn newest_dead(gateways: &[Found]) -> Option<&str> {
    let dead = gateways.iter().filter(|gateway| matches!(gateway.state(), Some(State::Deleted | State::Deleting | State::Failed)));
    dead.max_by_key(|gateway| gateway.create_time().map(|time| time.secs()))?.nat_gateway_id()
}

fn cause(gateway: &Found) -> Error {
    let code = gateway.failure_code().map_or(Code::NatGatewayFailed, Code::from);
    from_answer("ec2:CreateNatGateway", None, code, gateway.failure_message().unwrap_or("AWS gives no cause"))
}

impl Planned for NatGateway {
    fn key(&self) -> Key {
        Key::NatGateway(self.index)
    }

    fn stage(&self) -> Stage {
        Stage::CreateEks
    }

    fn needs(&self) -> Vec<Key> {
        vec![self.subnet(), self.address(), Key::InternetGateway]
    }

    fn pace(&self) -> Pace {
        Pace::seconds(80, 5)
    }

    fn usual(&self) -> Usual {
        Usual { made: 105, removed: 55 }
    }
}

#[async_trait]
impl Made for NatGateway {
    type Thing = Found;

    async fn find(&self, cx: &Context) -> Result<Option<Found>> {
        Ok(liveliest(self.find_all(cx).await?))
    }

    fn judge(&self, _: &Cluster, gateway: &Found) -> Seen {
        match gateway.state() {
            Some(State::Available) => Seen::Ready,
            Some(State::Failed) => Seen::given_up(cause(gateway)),
            _ => Seen::Busy,
        }
    }

    fn outputs(&self, _: &Cluster, gateway: &Found) -> Outputs {
        id(gateway.nat_gateway_id().unwrap_or_default())
    }

    async fn create(&self, cx: &Context) -> Result<()> {
        let listed = self.find_all(cx).await?;
        let call = cx.aws.ec2.create_nat_gateway().subnet_id(cx.output(&self.subnet(), "id")?);
        let call = call.allocation_id(cx.output(&self.address(), "id")?);
        let call = call.client_token(ec2_token(cx, &self.key(), newest_dead(&listed)));
        let call = call.tag_specifications(ec2_tags(&cx.cluster, &self.key(), ResourceType::Natgateway, []));
        call.send().await.called("ec2:CreateNatGateway").map(drop)
    }

    async fn delete(&self, cx: &Context, gateway: &Found) -> Result<()> {
        let call = cx.aws.ec2.delete_nat_gateway().set_nat_gateway_id(gateway.nat_gateway_id.clone());
        call.send().await.called("ec2:DeleteNatGateway").done_if(&["NatGatewayNotFound"])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gateway(id: &str, state: State) -> Found {
        Found::builder().nat_gateway_id(id).state(state).build()
    }

    #[test]
    fn a_working_gateway_comes_before_dead_ones() {
        let (failed, deleted) = (|| gateway("failed", State::Failed), || gateway("deleted", State::Deleted));
        for (listed, expected) in [
            (vec![], None),
            (vec![deleted()], None),
            (vec![deleted(), failed()], Some("failed")),
            (vec![failed(), gateway("going", State::Deleting)], Some("going")),
            (vec![failed(), gateway("coming", State::Pending)], Some("coming")),
            (vec![failed(), gateway("coming", State::Pending), gateway("there", State::Available)], Some("there")),
        ] {
            assert_eq!(liveliest(listed.clone()).as_ref().and_then(Found::nat_gateway_id), expected, "{listed:?}");
        }
    }
}
