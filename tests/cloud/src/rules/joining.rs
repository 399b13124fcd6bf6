//! Nodes join only if the account may run them, with a way out to the internet and the network plugin in the cluster.

use super::Rule;
use super::vcpus;
use crate::answer::Answer;
use crate::call::Call;
use crate::timing::NODES_FAIL_TO_JOIN;
use crate::world::{Issue, Kind, Life, Phase, World};
use crate::xml;
use serde_json::Value;
use xmltree::Element;

pub struct Joining;

impl Rule for Joining {
    /// Decided when the nodes should be there, because what they need may come up in parallel.
    fn before(&mut self, _: &Call, world: &mut World) -> Option<Answer> {
        let now = world.now();
        let due = |life: &Life| life.kind == Kind::NodeGroup && life.issue.is_none() && !life.joined && life.ready <= now;
        let due: Vec<String> = world.lives.iter().filter(|(_, life)| due(life)).map(|(name, _)| name.clone()).collect();
        for name in due {
            judge(&name, world);
        }
        None
    }

    /// Callers that wait for routes look at them, so AWS's answers are enough.
    fn after(&mut self, call: &Call, answer: &mut Answer, world: &mut World) {
        if call.name() == "ec2:DescribeRouteTables" && answer.status().is_success() {
            xml::retain_items(answer, |table| {
                remember_table(table, world);
                true
            });
        }
    }
}

fn judge(name: &str, world: &mut World) {
    let issue = if wants_no_nodes(&world.lives[name]) { None } else { vcpus::lacking(name, world).or_else(|| kept_out(name, world)) };
    let patience = NODES_FAIL_TO_JOIN.sample(&mut world.rng);
    if let Some(life) = world.lives.get_mut(name) {
        if issue.is_some() {
            life.ready = life.born + patience;
        }
        life.joined = issue.is_none();
        life.issue = issue;
    }
}

fn kept_out(name: &str, world: &World) -> Option<Issue> {
    let reach_out = subnets(&world.lives[name]).all(|subnet| reaches_out(subnet, world)) && !internet_is_blocked(name, world);
    let joins = has_network_plugin(name, world) && reach_out;
    (!joins).then(|| Issue { code: "NodeCreationFailure".into(), message: "Instances failed to join the kubernetes cluster".into() })
}

/// By VPC Block Public Access, for NAT gateways too, unless the subnets or their VPC are exempted.
fn internet_is_blocked(name: &str, world: &World) -> bool {
    let Some(account) = world.usage.owner(name).map(|owner| world.numbered(&owner.account)) else { return false };
    let is_exempted = |id: &str| account.exempted.iter().any(|one| one == id);
    let gets_out = |subnet: &str| is_exempted(subnet) || world.network.parents(subnet).any(is_exempted);
    account.blocks_internet && !subnets(&world.lives[name]).all(gets_out)
}

fn wants_no_nodes(life: &Life) -> bool {
    life.body["scalingConfig"]["desiredSize"] == 0
}

fn subnets(life: &Life) -> impl Iterator<Item = &str> {
    life.body["subnets"].as_array().into_iter().flatten().filter_map(Value::as_str)
}

fn has_network_plugin(group: &str, world: &World) -> bool {
    let cluster = group.split("/node-groups/").next().unwrap_or_default();
    world.lives.contains_key(&format!("{cluster}/addons/vpc-cni"))
}

fn reaches_out(subnet: &str, world: &World) -> bool {
    world.network.way_out(subnet).is_some_and(|gateway| !gateway.starts_with("nat-") || world.phase(gateway) == Some(Phase::There))
}

fn remember_table(table: &Element, world: &mut World) {
    let Some(id) = xml::child_text(table, "routeTableId") else { return };
    let is_default = |route: &&Element| xml::child_text(route, "destinationCidrBlock").as_deref() == Some("0.0.0.0/0");
    let gateway = |route: &Element| xml::child_text(route, "natGatewayId").or_else(|| xml::child_text(route, "gatewayId"));
    let way_out = xml::items(table, "routeSet").find(is_default).and_then(gateway);
    let association = |one: &Element| Some((xml::child_text(one, "routeTableAssociationId")?, xml::child_text(one, "subnetId")?));
    world.network.show_table(&id, way_out, xml::items(table, "associationSet").filter_map(association).collect());
    let is_main = xml::items(table, "associationSet").any(|one| xml::child_text(one, "main").as_deref() == Some("true"));
    if let Some(vpc) = xml::child_text(table, "vpcId").filter(|_| is_main) {
        world.network.show_main(&vpc, &id);
    }
}
