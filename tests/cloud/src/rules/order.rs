//! A thing goes only after what depends on it, and a cluster has one update at a time.

use super::Rule;
use crate::answer::{Answer, Refusal, json_of};
use crate::call::Call;
use crate::rules::lifecycle;
use crate::world::{Kind, Phase, World};
use crate::xml;
use serde_json::Value;

pub struct Order;

/// EC2's creates: the element that names what was made, and the fields that name what it depends on.
const HANGS_ON: &[(&str, &str, &[&str])] = &[
    ("CreateSubnet", "subnetId", &["VpcId"]),
    ("CreateRouteTable", "routeTableId", &["VpcId"]),
    ("CreateVpcEndpoint", "vpcEndpointId", &["VpcId"]),
    ("CreateSecurityGroup", "groupId", &["VpcId"]),
    ("CreateNetworkInterface", "networkInterfaceId", &["SubnetId", "SecurityGroupId"]),
    ("CreateNatGateway", "natGatewayId", &["SubnetId", "AllocationId"]),
];

/// EC2's deletes that dependent things forbid: the field that names what is deleted, and EC2's error.
const REFUSED: &[(&str, &str, &str)] = &[
    ("DeleteVpc", "VpcId", "DependencyViolation"),
    ("DeleteSubnet", "SubnetId", "DependencyViolation"),
    ("DeleteRouteTable", "RouteTableId", "DependencyViolation"),
    ("DeleteSecurityGroup", "GroupId", "DependencyViolation"),
    ("ReleaseAddress", "AllocationId", "InvalidIPAddress.InUse"),
];

impl Rule for Order {
    fn before(&mut self, call: &Call, world: &mut World) -> Option<Answer> {
        let refusal = match call.service.as_str() {
            "ec2" => held(call, world).or_else(|| attached(call, world)),
            "eks" => crowded(call, world).or_else(|| too_early(call, world)),
            _ => None,
        }?;
        Some(refusal.answer(&call.service))
    }

    fn after(&mut self, call: &Call, answer: &mut Answer, world: &mut World) {
        if answer.status().is_success() {
            match call.service.as_str() {
                "ec2" => {
                    remember(call, answer, world);
                    forget(call, world);
                }
                "eks" => remember_subnets(call, answer, world),
                _ => {}
            }
        }
    }

    /// If it was not done after all, the AWS behind still refuses by its own rules.
    fn unanswered(&mut self, call: &Call, world: &mut World) {
        forget(call, world);
    }
}

fn held(call: &Call, world: &World) -> Option<Refusal> {
    let (_, field, code) = REFUSED.iter().find(|(action, _, _)| *action == call.action)?;
    let id = call.field(field)?;
    let holders: Vec<&str> = world.network.children(id).collect();
    (!holders.is_empty())
        .then(|| Refusal::new(400, code, format!("The '{id}' has dependencies and cannot be deleted: {}.", holders.join(", "))))
}

fn attached(call: &Call, world: &World) -> Option<Refusal> {
    let message = match call.action.as_str() {
        "DetachInternetGateway" => {
            let vpc = call.field("VpcId")?;
            world.network.mapped_addresses(vpc).next()?;
            format!("Network {vpc} has some mapped public address(es). Please unmap those public address(es) before detaching the gateway.")
        }
        "DeleteInternetGateway" => {
            let id = call.field("InternetGatewayId")?;
            world.network.parents(id).next()?;
            format!("The internetGateway '{id}' has dependencies and cannot be deleted.")
        }
        _ => return None,
    };
    Some(Refusal::new(400, "DependencyViolation", message))
}

/// A cluster goes last, and only after it is active.
fn crowded(call: &Call, world: &World) -> Option<Refusal> {
    if call.action != "DeleteCluster" {
        return None;
    }
    let name = lifecycle::name_in_path(call);
    if world.children(&name, Kind::NodeGroup).next().is_some() {
        return Some(Refusal::new(409, "ResourceInUseException", "Cluster has nodegroups attached"));
    }
    let made = !matches!(world.phase(&name)?, Phase::Coming | Phase::Busy);
    (!made).then(|| Refusal::new(409, "ResourceInUseException", "Cannot delete because cluster currently has an update in progress"))
}

/// What belongs to a cluster waits until the cluster is active; an update waits for the previous one.
fn too_early(call: &Call, world: &World) -> Option<Refusal> {
    let changes = call.action.starts_with("Create") || call.action.starts_with("Update");
    if !changes || call.action == "CreateCluster" {
        return None;
    }
    let cluster = call.path.get(..2)?.join("/");
    match world.phase(&cluster)? {
        Phase::There => busy(call, world),
        Phase::Busy if call.action.starts_with("Create") => None,
        Phase::Busy => Some(in_use("Cannot update because cluster currently has an update in progress")),
        _ => Some(Refusal::new(400, "InvalidRequestException", format!("Cluster '{}' is not in ACTIVE status", call.path[1]))),
    }
}

fn busy(call: &Call, world: &World) -> Option<Refusal> {
    let target = lifecycle::name_in_path(call);
    let idle = matches!(world.phase(&target), None | Some(Phase::There));
    (call.action.starts_with("Update") && !idle).then(|| in_use("Nodegroup cannot be updated as it is currently not in Active State"))
}

fn in_use(message: &str) -> Refusal {
    Refusal::new(409, "ResourceInUseException", message)
}

fn remember(call: &Call, answer: &Answer, world: &mut World) {
    if let Some((_, element, fields)) = HANGS_ON.iter().find(|(action, _, _)| *action == call.action) {
        let parents: Vec<&str> = fields.iter().flat_map(|field| call.list(field)).collect();
        if let Some(id) = xml::text_of(answer, element) {
            world.network.tie(id, parents);
        }
    }
    if let ("AttachInternetGateway", Some(gateway), Some(vpc)) =
        (call.action.as_str(), call.field("InternetGatewayId"), call.field("VpcId"))
    {
        world.network.tie(gateway, [vpc]);
    }
}

/// What takes time is disconnected once it is gone: see `World::bury`.
fn forget(call: &Call, world: &mut World) {
    let removes = ["Delete", "Detach", "Disassociate", "Release"].iter().any(|verb| call.action.starts_with(verb));
    if call.service == "ec2" && removes && call.action != "DeleteNatGateway" {
        call.form.values().for_each(|id| world.network.cut(id));
    }
}

/// A control plane and nodes have interfaces in their subnets.
fn remember_subnets(call: &Call, answer: &Answer, world: &mut World) {
    let subnets = match call.action.as_str() {
        "CreateCluster" => &call.json["resourcesVpcConfig"]["subnetIds"],
        "CreateNodegroup" => &call.json["subnets"],
        _ => return,
    };
    let subnets: Vec<&str> = subnets.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if let Some(name) = json_of(answer).and_then(|_| lifecycle::name_of_new(call, answer)) {
        world.network.tie(&name, subnets);
    }
}
