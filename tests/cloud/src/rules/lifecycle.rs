//! Clusters, node groups, add-ons and NAT gateways take time to create and delete. VPC endpoints do not, but can fail.

use super::Rule;
use crate::answer::{Answer, json_answer, json_of, replace_body};
use crate::call::Call;
use crate::timing::{self, Spread};
use crate::world::{Issue, Kind, Life, Phase, World};
use crate::xml;
use serde_json::{Value, json};
use std::time::Duration;

pub struct Lifecycle;

impl Rule for Lifecycle {
    fn before(&mut self, call: &Call, world: &mut World) -> Option<Answer> {
        let kind = kind_of(call)?;
        if !call.action.starts_with("Delete") {
            return None;
        }
        if kind == Kind::VpcEndpoint {
            call.list("VpcEndpointId").for_each(|id| drop(world.lives.remove(id)));
            return None;
        }
        let name = name_in(call)?;
        go(&name, call, world)?;
        Some(if kind == Kind::NatGateway { gone_gateway(&name) } else { json_answer(&shown(&name, world)?) })
    }

    fn after(&mut self, call: &Call, answer: &mut Answer, world: &mut World) {
        if call.name() == "eks:DescribeUpdate" {
            show_update(call, answer, world);
        }
        let Some(kind) = kind_of(call).filter(|_| answer.status().is_success()) else { return };
        if call.action.starts_with("Create") {
            come(kind, call, answer, world);
        } else if call.action.starts_with("Update") {
            let busy = timing::UPDATE.sample(&mut world.rng);
            let until = world.now() + busy;
            if let Some(life) = world.lives.get_mut(&name_in_path(call)) {
                life.busy_until = until;
            }
        }
        match kind {
            Kind::NatGateway => show_gateways(answer, world),
            Kind::VpcEndpoint => show_endpoints(answer, world),
            _ => show(call, answer, world),
        }
    }
}

/// What this call makes will fail, or what it deletes will stay, with that issue.
pub fn doom(call: &Call, issue: Issue, world: &mut World) {
    let deletes = call.action.starts_with("Delete");
    if deletes && interface(&issue).is_some_and(|id| world.network.parents(id).next().is_none()) {
        return;
    }
    if let Some(life) = subject(call, world) {
        *if deletes { &mut life.clings } else { &mut life.issue } = Some(issue);
    }
}

/// The interface that holds a thing, for as long as it is there.
fn interface(issue: &Issue) -> Option<&str> {
    issue.message.split_whitespace().find(|word| word.starts_with("eni-"))
}

/// What this call makes or deletes will never be finished.
pub fn stall(call: &Call, world: &mut World) {
    let deletes = call.action.starts_with("Delete");
    let Some(life) = subject(call, world) else { return };
    match &mut life.dies {
        Some((at, _)) if deletes => *at = Duration::MAX,
        _ => life.ready = Duration::MAX,
    }
}

/// What a call has just made, or is about to delete.
fn subject<'a>(call: &Call, world: &'a mut World) -> Option<&'a mut Life> {
    if call.action.starts_with("Delete") {
        return world.lives.get_mut(&name_in(call)?);
    }
    let alike = |life: &Life| Some(life.kind) == kind_of(call);
    let named = |name: &str| call.service != "eks" || Some(name) == name_to_make(call).as_deref();
    let newest = world.lives.iter_mut().filter(|(name, life)| alike(life) && named(name));
    newest.max_by_key(|(_, life)| life.born).map(|(_, life)| life)
}

fn kind_of(call: &Call) -> Option<Kind> {
    let verb = ["Create", "Describe", "Delete", "Update"].into_iter().find_map(|verb| call.action.strip_prefix(verb))?;
    match (call.service.as_str(), verb) {
        ("eks", noun) if noun.starts_with("Cluster") => Some(Kind::Cluster),
        ("eks", noun) if noun.starts_with("Nodegroup") => Some(Kind::NodeGroup),
        ("eks", "Addon") => Some(Kind::Addon),
        ("ec2", "NatGateway" | "NatGateways") => Some(Kind::NatGateway),
        ("ec2", "VpcEndpoint" | "VpcEndpoints") => Some(Kind::VpcEndpoint),
        _ => None,
    }
}

/// `clusters/<name>/node-groups/<name>`, without an update's suffix.
pub fn name_in_path(call: &Call) -> String {
    let things = call.path.len() / 2 * 2;
    call.path[..things].join("/")
}

fn name_in(call: &Call) -> Option<String> {
    if call.service == "ec2" { call.field("NatGatewayId").map(str::to_owned) } else { Some(name_in_path(call)) }
}

fn name_to_make(call: &Call) -> Option<String> {
    let own = ["nodegroupName", "addonName", "name"].into_iter().find_map(|field| call.json[field].as_str())?;
    Some(format!("{}/{own}", call.path.join("/")))
}

pub fn name_of_new(call: &Call, answer: &Answer) -> Option<String> {
    let element = if call.action == "CreateVpcEndpoint" { "vpcEndpointId" } else { "natGatewayId" };
    if call.service == "ec2" { xml::text_of(answer, element).map(str::to_owned) } else { name_to_make(call) }
}

fn come(kind: Kind, call: &Call, answer: &Answer, world: &mut World) {
    let Some(name) = name_of_new(call, answer) else { return };
    if world.lives.contains_key(&name) {
        return;
    }
    let born = world.now();
    let ready = born + time_to_come(kind, world);
    let body = json_of(answer).and_then(|body| body.get(root(kind)).cloned()).unwrap_or_default();
    let life = Life { kind, born, ready, busy_until: Duration::ZERO, issue: None, joined: false, dies: None, clings: None, body };
    world.lives.insert(name, life);
}

fn time_to_come(kind: Kind, world: &mut World) -> Duration {
    match kind {
        Kind::Cluster => timing::create_cluster(&mut world.rng),
        Kind::NodeGroup => timing::CREATE_NODEGROUP.sample(&mut world.rng),
        Kind::Addon => timing::CREATE_ADDON.sample(&mut world.rng),
        Kind::NatGateway => timing::CREATE_NAT_GATEWAY.sample(&mut world.rng),
        Kind::VpcEndpoint => Duration::ZERO,
    }
}

/// None if it goes at once.
fn time_to_go(kind: Kind) -> Option<&'static Spread> {
    match kind {
        Kind::Cluster => Some(&timing::DELETE_CLUSTER),
        Kind::NodeGroup => Some(&timing::DELETE_NODEGROUP),
        Kind::Addon => Some(&timing::DELETE_ADDON),
        Kind::NatGateway => Some(&timing::DELETE_NAT_GATEWAY),
        Kind::VpcEndpoint => None,
    }
}

/// Keeps the request until its time has come. None if the cloud knows nothing of the thing.
fn go(name: &str, call: &Call, world: &mut World) -> Option<()> {
    let kind = world.lives.get(name)?.kind;
    let at = world.now() + time_to_go(kind)?.sample(&mut world.rng);
    let now = world.now();
    let life = world.lives.get_mut(name)?;
    if life.phase(now) == Phase::DeleteFailed {
        // The deletion is tried again.
        life.dies = None;
        life.clings = None;
    }
    life.dies.get_or_insert_with(|| (at, call.request.clone()));
    Some(())
}

fn gone_gateway(id: &str) -> Answer {
    let body = format!("<DeleteNatGatewayResponse><natGatewayId>{id}</natGatewayId></DeleteNatGatewayResponse>");
    Answer::new(body.into())
}

fn root(kind: Kind) -> &'static str {
    match kind {
        Kind::Cluster => "cluster",
        Kind::NodeGroup => "nodegroup",
        Kind::Addon => "addon",
        Kind::NatGateway => "natGateway",
        Kind::VpcEndpoint => "vpcEndpoint",
    }
}

/// EKS's answer about one thing, with the status that AWS would show now.
fn shown(name: &str, world: &World) -> Option<Value> {
    let life = world.lives.get(name)?;
    let mut body = life.body.clone();
    let (status, issue) = status(name, life, world);
    body["status"] = json!(status);
    if let Some(Issue { code, message }) = issue {
        body["health"] = json!({"issues": [{"code": code, "message": message}]});
    }
    Some(json!({ root(life.kind): body }))
}

fn show(call: &Call, answer: &mut Answer, world: &mut World) {
    let name = if call.action.starts_with("Create") { name_to_make(call).unwrap_or_default() } else { name_in_path(call) };
    let Some(life) = world.lives.get_mut(&name) else { return };
    // An update's answer is about the update.
    let Some(body) = json_of(answer).and_then(|body| body.get(root(life.kind)).cloned()) else { return };
    life.body = body;
    if let Some(body) = shown(&name, world) {
        replace_body(answer, body.to_string());
    }
}

/// An update of a cluster is in progress as long as the cluster is busy with it.
fn show_update(call: &Call, answer: &mut Answer, world: &World) {
    let cluster = call.path.iter().take(2).cloned().collect::<Vec<_>>().join("/");
    if let (Some(Phase::Busy), Some(mut body)) = (world.phase(&cluster), json_of(answer).filter(|body| body["update"].is_object())) {
        body["update"]["status"] = json!("InProgress");
        replace_body(answer, body.to_string());
    }
}

fn status(name: &str, life: &Life, world: &World) -> (&'static str, Option<Issue>) {
    match (life.phase(world.now()), life.kind) {
        (Phase::Coming, _) => ("CREATING", None),
        (Phase::Going, _) => ("DELETING", None),
        (Phase::Busy, _) => ("UPDATING", None),
        (Phase::Failed, Kind::Cluster) => ("FAILED", life.issue.clone()),
        (Phase::Failed, _) => ("CREATE_FAILED", life.issue.clone()),
        (Phase::DeleteFailed, _) => ("DELETE_FAILED", life.clings.clone()),
        (Phase::There, Kind::Addon) if needs_nodes(name) && !has_nodes(name, world) => {
            let message = "The add-on is unhealthy because it doesn't have the desired number of replicas.";
            ("DEGRADED", Some(Issue { code: "InsufficientNumberOfReplicas".into(), message: message.into() }))
        }
        (Phase::There, _) => ("ACTIVE", None),
    }
}

/// Add-ons with deployments, not only with a pod on every node.
fn needs_nodes(addon: &str) -> bool {
    ["/coredns", "/aws-ebs-csi-driver", "/aws-mountpoint-s3-csi-driver", "/metrics-server", "/amazon-cloudwatch-observability"]
        .iter()
        .any(|name| addon.ends_with(name))
}

fn has_nodes(addon: &str, world: &World) -> bool {
    let cluster = addon.split("/addons/").next().unwrap_or_default();
    let there = |(_, life): (&String, &Life)| life.phase(world.now()) == Phase::There && life.body["scalingConfig"]["desiredSize"] != 0;
    world.children(cluster, Kind::NodeGroup).any(there)
}

fn show_gateways(answer: &mut Answer, world: &World) {
    xml::retain_items(answer, |item| {
        let life = xml::child_text(item, "natGatewayId").and_then(|id| world.lives.get(&id));
        if let Some(life) = life {
            show_gateway(item, life, world);
        }
        true
    });
}

fn show_gateway(item: &mut xmltree::Element, life: &Life, world: &World) {
    let state = match life.phase(world.now()) {
        Phase::Coming => "pending",
        Phase::There | Phase::Busy => "available",
        Phase::Failed => "failed",
        Phase::Going | Phase::DeleteFailed => "deleting",
    };
    xml::set_child(item, "state", state);
    if let (Phase::Failed, Some(issue)) = (life.phase(world.now()), &life.issue) {
        xml::set_child(item, "failureCode", &issue.code);
        xml::set_child(item, "failureMessage", &issue.message);
    }
}

fn show_endpoints(answer: &mut Answer, world: &World) {
    let failed = |life: &&Life| life.phase(world.now()) == Phase::Failed;
    if !world.lives.values().any(|life| life.kind == Kind::VpcEndpoint && failed(&life)) {
        return;
    }
    xml::retain_items(answer, |item| {
        let life = xml::child_text(item, "vpcEndpointId").and_then(|id| world.lives.get(&id));
        if let Some(issue) = life.filter(failed).and_then(|life| life.issue.as_ref()) {
            xml::set_child(item, "state", "failed");
            let mut cause = xmltree::Element::new("lastError");
            xml::set_child(&mut cause, "code", &issue.code);
            xml::set_child(&mut cause, "message", &issue.message);
            item.children.push(xmltree::XMLNode::Element(cause));
        }
        true
    });
}
