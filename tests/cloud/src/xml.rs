//! Reads and changes the few things in AWS's XML that matter here.

use crate::answer::{Answer, replace_body};
use xmltree::{Element, XMLNode};

/// The text of the first element of that name.
pub fn text_of<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    let body = std::str::from_utf8(answer.body()).ok()?;
    let rest = body.split_once(&format!("<{name}>"))?.1;
    Some(rest.split_once("</")?.0)
}

/// Visits each item of EC2's top-level sets (`<vpcSet><item>…`), and removes those for which `keep` is false.
pub fn retain_items(answer: &mut Answer, mut keep: impl FnMut(&mut Element) -> bool) {
    let Ok(mut root) = Element::parse(answer.body().as_ref()) else { return };
    for set in root.children.iter_mut().filter_map(XMLNode::as_mut_element) {
        set.children.retain_mut(|node| match node.as_mut_element() {
            Some(item) if item.name == "item" => keep(item),
            _ => true,
        });
    }
    let mut body = Vec::new();
    root.write(&mut body).expect("a vector takes every byte");
    replace_body(answer, body);
}

/// The items of a set within an item.
pub fn items<'a>(item: &'a Element, set: &str) -> impl Iterator<Item = &'a Element> {
    item.get_child(set).into_iter().flat_map(|set| set.children.iter().filter_map(XMLNode::as_element))
}

pub fn child_text(item: &Element, name: &str) -> Option<String> {
    item.get_child(name)?.get_text().map(|text| text.into_owned())
}

pub fn set_child(item: &mut Element, name: &str, text: &str) {
    let mut child = item.take_child(name).unwrap_or_else(|| Element::new(name));
    child.children = vec![XMLNode::Text(text.to_owned())];
    item.children.push(XMLNode::Element(child));
}
