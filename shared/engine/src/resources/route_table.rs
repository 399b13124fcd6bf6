//! A route table: the public one leads to the internet gateway, the private one to the NAT gateway.

use super::owned::{ec2_filters, ec2_tags, ec2_token, id, is_this};
use super::subnet;
use crate::errors::{Called, Result, Unless};
use crate::resource::{Context, Key, Observed, Resource, Stage};
use async_trait::async_trait;
use aws_sdk_ec2::types::{ResourceType, Route, RouteState, RouteTableAssociation, RouteTableAssociationStateCode as Association};

const ANYWHERE: &str = "0.0.0.0/0";

pub struct RouteTable {
    pub public: bool,
    /// How many availability zones the cluster spans.
    pub zones: usize,
}

type Found = aws_sdk_ec2::types::RouteTable;

impl RouteTable {
    async fn find(&self, cx: &Context) -> Result<Option<Found>> {
        let found = cx
            .aws
            .ec2
            .describe_route_tables()
            .set_filters(ec2_filters(&cx.cluster, &self.key()))
            .send()
            .await
            .called("ec2:DescribeRouteTables")?;
        let mut ours = found.route_tables.unwrap_or_default().into_iter();
        Ok(ours.find(|table| is_this(&cx.cluster, &self.key(), table.tags())))
    }

    fn gateway(&self) -> Key {
        if self.public { "internet-gateway" } else { "nat-gateway" }.into()
    }

    /// The route's target as the API wants it: an internet gateway or a NAT gateway.
    fn target(&self, cx: &Context) -> Result<(Option<String>, Option<String>)> {
        let gateway = Some(cx.output(self.gateway(), "id")?);
        Ok(if self.public { (gateway, None) } else { (None, gateway) })
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
        cx.aws
            .ec2
            .create_route()
            .set_route_table_id(table.route_table_id.clone())
            .destination_cidr_block(ANYWHERE)
            .set_gateway_id(internet_gateway)
            .set_nat_gateway_id(nat_gateway)
            .send()
            .await
            .called("ec2:CreateRoute")
            .unless(&["RouteAlreadyExists"])?;
        Ok(())
    }

    /// A route whose gateway has gone stays, as a black hole.
    async fn replace_route(&self, cx: &Context, table: &Found) -> Result<()> {
        let (internet_gateway, nat_gateway) = self.target(cx)?;
        cx.aws
            .ec2
            .replace_route()
            .set_route_table_id(table.route_table_id.clone())
            .destination_cidr_block(ANYWHERE)
            .set_gateway_id(internet_gateway)
            .set_nat_gateway_id(nat_gateway)
            .send()
            .await
            .called("ec2:ReplaceRoute")?;
        Ok(())
    }

    async fn associate(&self, cx: &Context, table: &Found) -> Result<()> {
        for key in subnet::keys(self.public, self.zones) {
            let subnet_id = cx.output(key, "id")?;
            if subnets(table).any(|associated| associated == subnet_id) {
                continue;
            }
            cx.aws
                .ec2
                .associate_route_table()
                .set_route_table_id(table.route_table_id.clone())
                .subnet_id(subnet_id)
                .send()
                .await
                .called("ec2:AssociateRouteTable")
                .unless(&["Resource.AlreadyAssociated"])?;
        }
        Ok(())
    }

    async fn disassociate(&self, cx: &Context, association: &RouteTableAssociation) -> Result<()> {
        cx.aws
            .ec2
            .disassociate_route_table()
            .set_association_id(association.route_table_association_id.clone())
            .send()
            .await
            .called("ec2:DisassociateRouteTable")
            .unless(&["InvalidAssociationID.NotFound"])?;
        Ok(())
    }
}

fn default_route(table: &Found) -> Option<&Route> {
    table.routes().iter().find(|route| route.destination_cidr_block() == Some(ANYWHERE))
}

fn is_live(route: &Route) -> bool {
    route.state() == Some(&RouteState::Active)
}

/// The subnets that use the table, without those on their way out.
fn subnets(table: &Found) -> impl Iterator<Item = &str> {
    let holds = |association: &&RouteTableAssociation| {
        let state = association.association_state().and_then(|state| state.state());
        !matches!(state, Some(Association::Disassociating | Association::Disassociated | Association::Failed))
    };
    table.associations().iter().filter(holds).filter_map(RouteTableAssociation::subnet_id)
}

#[async_trait]
impl Resource for RouteTable {
    fn key(&self) -> Key {
        key(self.public)
    }

    fn stage(&self) -> Stage {
        Stage::CreateEks
    }

    fn needs(&self) -> Vec<Key> {
        ["vpc".into(), self.gateway()].into_iter().chain(subnet::keys(self.public, self.zones)).collect()
    }

    async fn observe(&self, cx: &Context) -> Result<Observed> {
        let Some(table) = self.find(cx).await? else {
            return Ok(Observed::Absent);
        };
        if default_route(&table).is_some_and(is_live) && subnets(&table).count() == self.zones {
            Ok(Observed::Ready(id(table.route_table_id.unwrap_or_default())))
        } else {
            Ok(Observed::Drifted)
        }
    }

    async fn create(&self, cx: &Context) -> Result<()> {
        cx.aws
            .ec2
            .create_route_table()
            .vpc_id(cx.output("vpc", "id")?)
            .client_token(ec2_token(&cx.cluster, &self.key(), None))
            .tag_specifications(ec2_tags(&cx.cluster, &self.key(), ResourceType::RouteTable, []))
            .send()
            .await
            .called("ec2:CreateRouteTable")?;
        Ok(())
    }

    async fn update(&self, cx: &Context) -> Result<()> {
        let Some(table) = self.find(cx).await? else { return Ok(()) };
        self.route(cx, &table).await?;
        self.associate(cx, &table).await
    }

    async fn delete(&self, cx: &Context) -> Result<()> {
        let Some(table) = self.find(cx).await? else { return Ok(()) };
        for association in table.associations() {
            self.disassociate(cx, association).await?;
        }
        cx.aws
            .ec2
            .delete_route_table()
            .set_route_table_id(table.route_table_id)
            .send()
            .await
            .called("ec2:DeleteRouteTable")
            .unless(&["InvalidRouteTableID.NotFound"])?;
        Ok(())
    }
}

/// `route-table/public`
pub fn key(public: bool) -> Key {
    if public { "route-table/public" } else { "route-table/private" }.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_ec2::types::RouteTableAssociationState;

    #[test]
    fn an_association_on_its_way_out_does_not_count() {
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
