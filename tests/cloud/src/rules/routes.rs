//! A route whose NAT gateway is gone stays, as a black hole, until it is replaced.
//!
//! Source: "NAT gateways", on deleting one (VPC user guide).

use super::Rule;
use crate::answer::Answer;
use crate::call::Call;
use crate::world::World;
use crate::xml;
use std::collections::BTreeSet;
use xmltree::{Element, XMLNode};

#[derive(Default)]
pub struct Routes {
    /// All NAT gateways whose creation was seen.
    gateways: BTreeSet<String>,
}

impl Rule for Routes {
    fn after(&mut self, call: &Call, answer: &mut Answer, world: &mut World) {
        match call.name().as_str() {
            "ec2:CreateNatGateway" => self.gateways.extend(xml::text_of(answer, "natGatewayId").map(str::to_owned)),
            "ec2:DescribeRouteTables" if self.gateways.iter().any(|id| !world.lives.contains_key(id)) => {
                xml::retain_items(answer, |table| {
                    self.darken(table, world);
                    true
                });
            }
            _ => {}
        }
    }
}

impl Routes {
    fn darken(&self, table: &mut Element, world: &World) {
        let gone = |id: String| self.gateways.contains(&id) && !world.lives.contains_key(&id);
        let routes = table.get_mut_child("routeSet").into_iter().flat_map(|set| &mut set.children);
        for route in routes.filter_map(XMLNode::as_mut_element) {
            if xml::child_text(route, "natGatewayId").is_some_and(gone) {
                xml::set_child(route, "state", "blackhole");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::tests::ec2 as call;

    #[tokio::test]
    async fn only_a_route_to_a_known_gateway_that_is_gone_is_a_black_hole() {
        let (mut routes, mut world) = (Routes::default(), World::new(1, 1.0));
        let made = "<r><natGateway><natGatewayId>nat-1</natGatewayId></natGateway></r>";
        routes.after(&call("Action=CreateNatGateway"), &mut Answer::new(made.into()), &mut world);
        let route = |id: &str| format!("<item><natGatewayId>{id}</natGatewayId><state>active</state></item>");
        let tables =
            format!("<r><routeTableSet><item><routeSet>{}{}</routeSet></item></routeTableSet></r>", route("nat-1"), route("nat-2"));
        let mut answer = Answer::new(tables.into());
        routes.after(&call("Action=DescribeRouteTables"), &mut answer, &mut world);
        let shown = String::from_utf8_lossy(answer.body()).into_owned();
        assert_eq!((shown.matches("blackhole").count(), shown.matches("active").count()), (1, 1), "{shown}");
    }
}
