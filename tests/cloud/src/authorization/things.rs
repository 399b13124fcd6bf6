//! What is known about the things in customers' accounts, from the calls that made them and from AWS's answers.

use super::tags::{self, Tags};
use super::{Scene, ec2, iam, kms};
use crate::answer::{Answer, json_of};
use crate::call::Call;
use crate::xml;
use serde_json::Value;
use std::collections::BTreeMap;
use xmltree::{Element, XMLNode};

/// By EC2 id, by ARN, or by the name that calls use.
#[derive(Default)]
pub struct Things(BTreeMap<String, Thing>);

#[derive(Default)]
pub struct Thing {
    pub tags: Tags,
    /// If its name alone does not say.
    pub arn: Option<String>,
    /// The VPC that it is in.
    pub vpc: Option<String>,
    /// An endpoint's service.
    pub service: Option<String>,
    /// A role's.
    pub boundary: Option<String>,
    /// A launch template's: kind of resource → the tags that it gets.
    pub launches: BTreeMap<String, Tags>,
    /// An association's: the ids of the two things that it connects.
    pub ties: Vec<String>,
}

impl Things {
    pub fn get(&self, name: &str) -> Option<&Thing> {
        self.0.get(name)
    }

    /// The first whose name has this prefix.
    pub fn beginning_with(&self, start: &str) -> Option<(&String, &Thing)> {
        self.0.range(start.to_owned()..).next().filter(|(name, _)| name.starts_with(start))
    }

    /// Later knowledge adds to earlier, because not every answer has everything.
    fn add(&mut self, name: impl Into<String>, thing: Thing) {
        let known = self.0.entry(name.into()).or_default();
        known.tags.extend(thing.tags);
        known.launches.extend(thing.launches);
        known.ties = if thing.ties.is_empty() { std::mem::take(&mut known.ties) } else { thing.ties };
        known.arn = thing.arn.or(known.arn.take());
        known.vpc = thing.vpc.or(known.vpc.take());
        known.service = thing.service.or(known.service.take());
        known.boundary = thing.boundary.or(known.boundary.take());
    }

    pub fn learn(&mut self, call: &Call, caller: &str, answer: &Answer) {
        if !answer.status().is_success() {
            return;
        }
        let made = self.made(call, caller, answer);
        for (name, thing) in made {
            self.add(name, thing);
        }
    }

    fn made(&self, call: &Call, caller: &str, answer: &Answer) -> Vec<(String, Thing)> {
        let scene = Scene::new(call, caller, self);
        match call.service.as_str() {
            "ec2" => ec2::made(call, answer).into_iter().chain(shown(answer, ec2::seen)).collect(),
            "eks" => json_of(answer).iter().flat_map(Value::as_object).flatten().filter_map(|(_, body)| described(body)).collect(),
            "iam" => iam::made(&scene).into_iter().chain(shown(answer, iam::seen)).collect(),
            "kms" => kms::made(call, answer),
            "elasticloadbalancing" => shown(answer, balancer),
            _ => vec![],
        }
    }
}

/// What any element of an answer shows.
fn shown(answer: &Answer, read: fn(&Element) -> Option<(String, Thing)>) -> Vec<(String, Thing)> {
    let mut found = Vec::new();
    if let Ok(root) = Element::parse(answer.body().as_ref()) {
        visit(&root, &mut |element| found.extend(read(element)));
    }
    found
}

fn visit(element: &Element, see: &mut dyn FnMut(&Element)) {
    see(element);
    element.children.iter().filter_map(XMLNode::as_element).for_each(|child| visit(child, see));
}

/// EKS describes one thing, with its ARN and its tags.
fn described(body: &Value) -> Option<(String, Thing)> {
    let arn = ["arn", "nodegroupArn", "addonArn", "accessEntryArn", "associationArn"].into_iter().find_map(|field| body[field].as_str())?;
    Some((arn.to_owned(), Thing { tags: tags::mapped(&body["tags"]), ..Thing::default() }))
}

/// What DescribeTags shows about load balancers and target groups.
fn balancer(element: &Element) -> Option<(String, Thing)> {
    let arn = xml::child_text(element, "ResourceArn")?;
    Some((arn, Thing { tags: tags::elements(element.get_child("Tags")?), ..Thing::default() }))
}
