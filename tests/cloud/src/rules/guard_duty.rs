//! Where GuardDuty's Runtime Monitoring manages its agent, each VPC with an EKS cluster gets an interface endpoint and a security group of
//! GuardDuty's. Both stay when the cluster goes, and hold the subnets and the VPC.
//!
//! Sources: "How Runtime Monitoring works with Amazon EKS clusters" (GuardDuty user guide) for what it makes;
//! hashicorp/terraform-provider-aws#46747 and #46953 for their names, their tag, and that they stay.

use super::Rule;
use crate::answer::Answer;
use crate::call::Call;
use crate::timing::INTERFACES_GO;
use crate::world::World;
use crate::xml;
use bytes::Bytes;
use http::Request;

pub struct GuardDuty;

/// As CloudTrail names it in its calls.
const NAME: &str = "guardduty.amazonaws.com";
const ENDPOINT: &str = "VPC Endpoint Interface ";

impl Rule for GuardDuty {
    fn after(&mut self, call: &Call, answer: &mut Answer, world: &mut World) {
        if !answer.status().is_success() {
            return;
        }
        match call.name().as_str() {
            "eks:CreateCluster" if world.account(&call.access_key).guard_duty => make_group(call, world),
            "ec2:CreateSecurityGroup" if is_own(call) => make_endpoint(call, answer, world),
            "ec2:CreateVpcEndpoint" if is_own(call) => make_interfaces(call, answer, world),
            "ec2:CreateNetworkInterface" if is_own(call) => tie(call, answer, world),
            "ec2:DeleteVpcEndpoints" => let_go(call, world),
            "ec2:DescribeNetworkInterfaces" => show(answer, world),
            _ => {}
        }
    }
}

fn is_own(call: &Call) -> bool {
    call.request.headers().get("user-agent").is_some_and(|name| name == NAME)
}

/// As soon as the control plane is there, unless an earlier one of the VPC brought it.
fn make_group(call: &Call, world: &mut World) {
    let cluster = format!("clusters/{}", call.json["name"].as_str().unwrap_or_default());
    let Some(ready) = world.lives.get(&cluster).map(|life| life.ready) else { return };
    let subnets = world.network.parents(&cluster);
    let Some(vpc) = subnets.flat_map(|subnet| world.network.parents(subnet)).find(|id| id.starts_with("vpc-")).map(str::to_owned) else {
        return;
    };
    if has_endpoint(&vpc, world) {
        return;
    }
    let about = format!("Associated with VPC-{vpc} and tagged as GuardDutyManaged");
    let name = format!("GuardDutyManagedSecurityGroup-{vpc}");
    let fields = [("GroupName", name.as_str()), ("GroupDescription", &about), ("VpcId", &vpc)];
    ask(call, "CreateSecurityGroup", Some("security-group"), fields.into(), ready, world);
}

/// Gateway endpoints have no interfaces.
fn has_endpoint(vpc: &str, world: &World) -> bool {
    let mut endpoints = world.network.children(vpc).filter(|id| id.starts_with("vpce-"));
    endpoints.any(|endpoint| world.network.children(endpoint).next().is_some())
}

/// In every subnet: which zone each is in, and that one in each zone is enough, makes no difference here.
fn make_endpoint(call: &Call, answer: &Answer, world: &mut World) {
    let (Some(group), Some(vpc)) = (xml::text_of(answer, "groupId"), call.field("VpcId")) else { return };
    let subnets: Vec<String> = world.network.children(vpc).filter(|id| id.starts_with("subnet-")).map(str::to_owned).collect();
    let service = format!("com.amazonaws.{}.guardduty-data", call.region);
    let mut fields = vec![("VpcEndpointType", "Interface"), ("ServiceName", &service), ("VpcId", vpc), ("SecurityGroupId.1", group)];
    let names: Vec<String> = (1..=subnets.len()).map(|index| format!("SubnetId.{index}")).collect();
    fields.extend(names.iter().zip(&subnets).map(|(name, subnet)| (name.as_str(), subnet.as_str())));
    let now = world.now();
    ask(call, "CreateVpcEndpoint", Some("vpc-endpoint"), fields, now, world);
}

fn make_interfaces(call: &Call, answer: &Answer, world: &mut World) {
    let Some(endpoint) = xml::text_of(answer, "vpcEndpointId") else { return };
    let (about, now) = (format!("{ENDPOINT}{endpoint}"), world.now());
    let group = call.field("SecurityGroupId.1").unwrap_or_default();
    for subnet in call.list("SubnetId") {
        let fields = vec![("SubnetId", subnet), ("SecurityGroupId.1", group), ("Description", &about)];
        ask(call, "CreateNetworkInterface", None, fields, now, world);
    }
}

fn tie(call: &Call, answer: &Answer, world: &mut World) {
    let endpoint = call.field("Description").and_then(|text| text.strip_prefix(ENDPOINT));
    if let (Some(interface), Some(endpoint)) = (xml::text_of(answer, "networkInterfaceId"), endpoint) {
        world.network.tie(interface, [endpoint]);
    }
}

/// An endpoint's interfaces go some time after it, and hold its group and its subnets until then.
fn let_go(call: &Call, world: &mut World) {
    let at = world.now() + INTERFACES_GO;
    for endpoint in call.list("VpcEndpointId") {
        let interfaces: Vec<String> = world.network.children(endpoint).map(str::to_owned).collect();
        for interface in interfaces {
            ask(call, "DeleteNetworkInterface", None, vec![("NetworkInterfaceId", &interface)], at, world);
        }
    }
}

/// Only AWS can delete them.
fn show(answer: &mut Answer, world: &World) {
    xml::retain_items(answer, |item| {
        let id = xml::child_text(item, "networkInterfaceId").unwrap_or_default();
        if world.network.parents(&id).any(|parent| parent.starts_with("vpce-")) {
            [("requesterManaged", "true"), ("status", "in-use"), ("interfaceType", "vpc_endpoint")]
                .into_iter()
                .for_each(|(name, text)| xml::set_child(item, name, text));
        }
        true
    });
}

/// GuardDuty's own request, in the account of the call that it follows from.
fn ask(after: &Call, action: &str, tagged: Option<&str>, fields: Vec<(&str, &str)>, at: std::time::Duration, world: &mut World) {
    let scope = format!("Credential={}/20260101/{}/ec2/aws4_request", world.number(&after.access_key), after.region);
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("Action", action).append_pair("Version", "2016-11-15").extend_pairs(fields);
    if let Some(kind) = tagged {
        form.append_pair("TagSpecification.1.ResourceType", kind);
        form.append_pair("TagSpecification.1.Tag.1.Key", "GuardDutyManaged").append_pair("TagSpecification.1.Tag.1.Value", "true");
    }
    let request = Request::post(format!("https://ec2.{}.amazonaws.com/", after.region))
        .header("user-agent", NAME)
        .header("authorization", format!("AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=none"))
        .header("content-type", "application/x-www-form-urlencoded");
    world.later(at, request.body(Bytes::from(form.finish())).expect("a valid request"));
}
