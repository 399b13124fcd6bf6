//! Instance types, and the zones that offer them: EKS makes no node group where one of its subnets is in a zone without the type.

use super::Rule;
use crate::answer::{Answer, Refusal, replace_body};
use crate::call::Call;
use crate::instance_types::{Gpus, InstanceType, TABLE, ZONES, find};
use crate::world::World;
use crate::xml;
use http::StatusCode;
use serde_json::Value;
use std::collections::BTreeSet;
use xmltree::{Element, XMLNode};

pub struct Offerings;

/// EKS's type if a node group names none, and has no launch template that might.
const DEFAULT: &str = "t3.medium";
/// How many items EC2 gives if it is not asked for a number.
const PAGE: usize = 100;

impl Rule for Offerings {
    fn before(&mut self, call: &Call, world: &mut World) -> Option<Answer> {
        let refusal = if call.name() == "eks:CreateNodegroup" { refused(call, world) } else { None }?;
        Some(refusal.answer(&call.service))
    }

    /// The AWS behind has none of these types, but knows who may ask.
    fn after(&mut self, call: &Call, answer: &mut Answer, world: &mut World) {
        match call.name().as_str() {
            "ec2:CreateSubnet" if answer.status().is_success() => remember_zone(call, answer, world),
            "ec2:DescribeAvailabilityZones" if answer.status().is_success() => add_zones(&call.region, answer),
            "ec2:DescribeInstanceTypeOfferings" if answer.status() != StatusCode::FORBIDDEN => *answer = offerings(call),
            "ec2:DescribeInstanceTypes" if answer.status() != StatusCode::FORBIDDEN => *answer = types(call),
            _ => {}
        }
    }
}

/// Sources: <https://github.com/crossplane-contrib/provider-upjet-aws/issues/866>,
/// <https://github.com/terraform-aws-modules/terraform-aws-eks/issues/1279> (a type that the region does not have) and
/// <https://github.com/awslabs/ec2-spot-workshops/issues/154>.
fn refused(call: &Call, world: &World) -> Option<Refusal> {
    let has_template = call.json["launchTemplate"].is_object();
    if has_template && !call.json["diskSize"].is_null() {
        return Some(Refusal::new(400, "InvalidParameterException", "Disk size must be specified within the launch template."));
    }
    let mut names = texts(&call.json["instanceTypes"]);
    if names.is_empty() && !has_template {
        names.push(DEFAULT);
    }
    let unknown: Vec<&str> = names.iter().copied().filter(|name| find(name).is_none()).collect();
    if !unknown.is_empty() {
        let message = format!("The following supplied instance types do not exist: [{}]", unknown.join(", "));
        return Some(Refusal::new(400, "InvalidParameterException", message));
    }
    let zones: BTreeSet<&str> = texts(&call.json["subnets"]).into_iter().filter_map(|subnet| world.network.zone(subnet)).collect();
    names.iter().filter_map(|name| find(name)).find_map(|wanted| missing(wanted, &zones, &call.region))
}

fn missing(wanted: &InstanceType, zones: &BTreeSet<&str>, region: &str) -> Option<Refusal> {
    let offering = wanted.zones(region);
    let without = zones.iter().find(|zone| !offering.iter().any(|other| other == *zone))?;
    let message = format!(
        "Your requested instance type ({}) is not supported in your requested Availability Zone ({without}). Please retry your request by \
         not specifying an Availability Zone or choosing {}.",
        wanted.name,
        offering.join(", ")
    );
    Some(Refusal::new(400, "InvalidRequestException", message))
}

fn texts(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Where AWS chooses the zone, what the AWS behind says counts as unknown: it knows only its own region.
fn remember_zone(call: &Call, answer: &Answer, world: &mut World) {
    if let (Some(subnet), Some(zone)) = (xml::text_of(answer, "subnetId"), call.field("AvailabilityZone")) {
        world.network.place(subnet, zone);
    }
}

/// Those that the AWS behind does not have, like its last one but for the last character of name and id.
fn add_zones(region: &str, answer: &mut Answer) {
    let Ok(mut root) = Element::parse(answer.body().as_ref()) else { return };
    let Some(set) = root.get_mut_child("availabilityZoneInfo") else { return };
    let there: Vec<&Element> = set.children.iter().filter_map(XMLNode::as_element).collect();
    let names: Vec<String> = there.iter().filter_map(|zone| xml::child_text(zone, "zoneName")).collect();
    let Some(last) = there.last().map(|zone| (*zone).clone()) else { return };
    for (number, letter) in (1..).zip(ZONES.chars()).filter(|(_, letter)| !names.contains(&format!("{region}{letter}"))) {
        let mut zone = last.clone();
        let id = xml::child_text(&zone, "zoneId").unwrap_or_default();
        xml::set_child(&mut zone, "zoneId", &format!("{}{number}", id.trim_end_matches(|character: char| character.is_ascii_digit())));
        xml::set_child(&mut zone, "zoneName", &format!("{region}{letter}"));
        set.children.push(XMLNode::Element(zone));
    }
    let mut body = Vec::new();
    root.write(&mut body).expect("a vector takes every byte");
    replace_body(answer, body);
}

fn offerings(call: &Call) -> Answer {
    let by_region = call.field("LocationType").is_none_or(|kind| kind == "region");
    let kind = if by_region { "region" } else { "availability-zone" };
    let places = |one: &InstanceType| if by_region { vec![call.region.clone()] } else { one.zones(&call.region) };
    let all = TABLE.iter().flat_map(|one| places(one).into_iter().map(|place| (one.name, place)));
    let asked = all.filter(|(name, place)| passes(call, "instance-type", name) && passes(call, "location", place));
    let item = |(name, place)| {
        format!("<item><instanceType>{name}</instanceType><locationType>{kind}</locationType><location>{place}</location></item>")
    };
    page(call, "instanceTypeOfferingSet", asked.map(item).collect())
}

fn types(call: &Call) -> Answer {
    let named: Vec<&str> = call.list("InstanceType").collect();
    let unknown: Vec<&str> = named.iter().copied().filter(|name| find(name).is_none()).collect();
    if !unknown.is_empty() {
        let message = format!("The following supplied instance types do not exist: [{}]", unknown.join(", "));
        return Refusal::new(400, "InvalidInstanceType", message).answer(&call.service);
    }
    let asked = TABLE.iter().filter(|one| named.is_empty() || named.contains(&one.name));
    page(call, "instanceTypeSet", asked.filter(|one| passes(call, "instance-type", one.name)).map(described).collect())
}

fn described(one: &InstanceType) -> String {
    let InstanceType { name, vcpus, memory_mib, architecture, .. } = one;
    let gpus = one.gpus.as_ref().map(gpu_info).unwrap_or_default();
    format!(
        "<item><instanceType>{name}</instanceType><processorInfo><supportedArchitectures><item>{architecture}</item>\
         </supportedArchitectures></processorInfo><vCpuInfo><defaultVCpus>{vcpus}</defaultVCpus></vCpuInfo>\
         <memoryInfo><sizeInMiB>{memory_mib}</sizeInMiB></memoryInfo>{gpus}</item>"
    )
}

fn gpu_info(Gpus { count, name, memory_mib }: &Gpus) -> String {
    format!(
        "<gpuInfo><gpus><item><name>{name}</name><manufacturer>NVIDIA</manufacturer><count>{count}</count>\
         <memoryInfo><sizeInMiB>{memory_mib}</sizeInMiB></memoryInfo></item></gpus>\
         <totalGpuMemoryInMiB>{}</totalGpuMemoryInMiB></gpuInfo>",
        (*count).max(1) * memory_mib
    )
}

/// True if the call has no filter of that name, or this is one of its values.
fn passes(call: &Call, name: &str, value: &str) -> bool {
    let number = call.form.iter().find_map(|(key, text)| {
        let number = key.strip_prefix("Filter.")?.strip_suffix(".Name")?;
        (text == name).then_some(number)
    });
    number.is_none_or(|number| call.list(&format!("Filter.{number}.Value")).any(|wanted| wanted == value))
}

/// As much of it as was asked for. The token of the next page is its first item's number.
fn page(call: &Call, set: &str, items: Vec<String>) -> Answer {
    let number = |field| call.field(field).and_then(|text| text.parse::<usize>().ok());
    let first = number("NextToken").unwrap_or(0);
    let end = (first + number("MaxResults").unwrap_or(PAGE)).min(items.len());
    let next = if end < items.len() { format!("<nextToken>{end}</nextToken>") } else { String::new() };
    let shown = items.get(first..end).unwrap_or_default().concat();
    let root = format!("{}Response", call.action);
    let body = format!("<{root}><requestId>0</requestId><{set}>{shown}</{set}>{next}</{root}>");
    Answer::new(body.into())
}
