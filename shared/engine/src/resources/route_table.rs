//! A route table: the public one leads to the internet gateway, a private one to its NAT gateway.

use super::owned::{check_free, ec2_filters, ec2_tags, ec2_token, filter, id, is_this};
use crate::cluster::Cluster;
use crate::context::Context;
use crate::errors::{Called, Result, Unless};
use crate::resource::{Difference, How, Made, Planned, Seen};
use async_trait::async_trait;
use aws_sdk_ec2::types::{ResourceType, Route, RouteState, RouteTableAssociation, RouteTableAssociationStateCode as Association};
use wire::journal::Outputs;
use wire::key::{Key, Side};
use wire::stage::Stage;

const ANYWHERE: &str = "0.0.0.0/0";

pub struct RouteTable {
    side: Side,
    index: usize,
    /// The subnets that it is for, by their zones.
    zones: Vec<usize>,
}

type Found = aws_sdk_ec2::types::RouteTable;

impl RouteTable {
    pub fn new(side: Side, index: usize, cluster: &Cluster) -> Self {
        let is_its = |zone: &usize| side == Side::Public || cluster.way_out(*zone) == index;
        Self { side, index, zones: (0..cluster.zones.len()).filter(is_its).collect() }
    }

    fn subnets(&self) -> impl Iterator<Item = Key> {
        self.zones.iter().map(|zone| Key::Subnet(self.side, *zone))
    }

    fn gateway(&self) -> Key {
        match self.side {
            Side::Public => Key::InternetGateway,
            Side::Private => Key::NatGateway(self.index),
        }
    }

    /// The route's target as the API wants it: an internet gateway or a NAT gateway.
    fn target(&self, cx: &Context) -> Result<(Option<String>, Option<String>)> {
        let gateway = Some(cx.output(&self.gateway(), "id")?);
        Ok(match self.side {
            Side::Public => (gateway, None),
            Side::Private => (None, gateway),
        })
    }

    async fn route(&self, cx: &Context, table: &Found) -> Result<()> {
        match default_route(table) {
            None => self.create_route(cx, table).await,
            Some(route) if !is_live(route) => self.replace_route(cx, table).await,
            Some(_) => Ok(()),
        }
    }

    async fn create_route(&self, cx: &Context, table: &Found) -> Result<()> {
        let (internet_gateway, nat_gateway) = self.target(cx)?;
        let call = cx.aws.ec2.create_route().set_route_table_id(table.route_table_id.clone()).destination_cidr_block(ANYWHERE);
        let call = call.set_gateway_id(internet_gateway).set_nat_gateway_id(nat_gateway);
        call.send().await.called("ec2:CreateRoute").done_if(&["RouteAlreadyExists"])
    }

    /// A route whose gateway is gone stays, as a black hole.
    async fn replace_route(&self, cx: &Context, table: &Found) -> Result<()> {
        let (internet_gateway, nat_gateway) = self.target(cx)?;
        let call = cx.aws.ec2.replace_route().set_route_table_id(table.route_table_id.clone()).destination_cidr_block(ANYWHERE);
        let call = call.set_gateway_id(internet_gateway).set_nat_gateway_id(nat_gateway);
        call.send().await.called("ec2:ReplaceRoute").map(drop)
    }

    async fn associate(&self, cx: &Context, table: &Found) -> Result<()> {
        for key in self.subnets() {
            let subnet_id = cx.output(&key, "id")?;
            if subnets(table).any(|associated| associated == subnet_id) {
                continue;
            }
            let call = cx.aws.ec2.associate_route_table().set_route_table_id(table.route_table_id.clone()).subnet_id(&subnet_id);
            if call.send().await.called("ec2:AssociateRouteTable").unless(&["Resource.AlreadyAssociated"])?.is_none() {
                check_association(cx, table, &subnet_id).await?;
            }
        }
        Ok(())
    }
}

/// The subnet has a table: ours, or one that somebody else gave it.
async fn check_association(cx: &Context, ours: &Found, subnet_id: &str) -> Result<()> {
    let call = cx.aws.ec2.describe_route_tables().filters(filter("association.subnet-id", subnet_id));
    let found = call.send().await.called("ec2:DescribeRouteTables")?.route_tables.unwrap_or_default();
    let foreign = found.iter().filter(|table| table.route_table_id != ours.route_table_id && subnets(table).any(|id| id == subnet_id));
    let named = |table: &Found| Some(format!("the route table {}", table.route_table_id()?));
    check_free(&format!("The subnet {subnet_id}"), &foreign.filter_map(named).collect::<Vec<_>>())
}

fn default_route(table: &Found) -> Option<&Route> {
    table.routes().iter().find(|route| route.destination_cidr_block() == Some(ANYWHERE))
}

fn is_live(route: &Route) -> bool {
    route.state() == Some(&RouteState::Active)
}

/// The subnets that use the table, except those being disassociated.
fn subnets(table: &Found) -> impl Iterator<Item = &str> {
    let holds = |association: &&RouteTableAssociation| {
        let state = association.association_state().and_then(|state| state.state());
        !matches!(state, Some(Association::Disassociating | Association::Disassociated | Association::Failed))
    };
    table.associations().iter().filter(holds).filter_map(RouteTableAssociation::subnet_id)
}

impl Planned for RouteTable {
    fn key(&self) -> Key {
        Key::RouteTable(self.side, self.index)
    }

    fn stage(&self) -> Stage {
        Stage::CreateEks
    }

    fn needs(&self) -> Vec<Key> {
        [Key::Vpc, self.gateway()].into_iter().chain(self.subnets()).collect()
    }
}

#[async_trait]
impl Made for RouteTable {
    type Thing = Found;

    async fn find(&self, cx: &Context) -> Result<Option<Found>> {
        let call = cx.aws.ec2.describe_route_tables().set_filters(ec2_filters(&cx.cluster, &self.key()));
        let found = call.send().await.called("ec2:DescribeRouteTables")?.route_tables.unwrap_or_default();
        Ok(found.into_iter().find(|table| is_this(&cx.cluster, &self.key(), table.tags())))
    }

    fn judge(&self, _: &Cluster, table: &Found) -> Seen {
        Seen::but_for([
            Difference::between("has_route", default_route(table).is_some_and(is_live), true, How::InPlace),
            Difference::between("subnets", subnets(table).count(), self.zones.len(), How::InPlace),
        ])
    }

    fn outputs(&self, _: &Cluster, table: &Found) -> Outputs {
        id(table.route_table_id().unwrap_or_default())
    }

    async fn create(&self, cx: &Context) -> Result<()> {
        let call = cx.aws.ec2.create_route_table().vpc_id(cx.output(&Key::Vpc, "id")?);
        let call = call.client_token(ec2_token(cx, &self.key(), None));
        let call = call.tag_specifications(ec2_tags(&cx.cluster, &self.key(), ResourceType::RouteTable, []));
        call.send().await.called("ec2:CreateRouteTable").map(drop)
    }

    async fn mend(&self, cx: &Context, table: &Found) -> Result<()> {
        self.route(cx, table).await?;
        self.associate(cx, table).await
    }

    async fn delete(&self, cx: &Context, table: &Found) -> Result<()> {
        for association in table.associations() {
            let call = cx.aws.ec2.disassociate_route_table().set_association_id(association.route_table_association_id.clone());
            call.send().await.called("ec2:DisassociateRouteTable").done_if(&["InvalidAssociationID.NotFound"])?;
        }
        let call = cx.aws.ec2.delete_route_table().set_route_table_id(table.route_table_id.clone());
        call.send().await.called("ec2:DeleteRouteTable").done_if(&["InvalidRouteTableID.NotFound"])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_ec2::types::RouteTableAssociationState;

    #[test]
    fn an_association_that_is_being_removed_does_not_count() {
        let association = |subnet: &str, state: Association| {
            let state = RouteTableAssociationState::builder().state(state).build();
            RouteTableAssociation::builder().subnet_id(subnet).association_state(state).build()
        };
        let table = Found::builder()
            .associations(association("a", Association::Associated))
            .associations(association("b", Association::Associating))
            .associations(association("c", Association::Disassociating))
            .associations(RouteTableAssociation::builder().main(true).build())
            .build();
        assert_eq!(subnets(&table).collect::<Vec<_>>(), ["a", "b"]);
    }
}
