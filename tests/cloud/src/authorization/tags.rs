//! How each protocol writes tags.

use crate::call::Call;
use crate::xml;
use serde_json::Value;
use std::collections::BTreeMap;
use xmltree::{Element, XMLNode};

pub type Tags = BTreeMap<String, String>;

/// EC2's `TagSpecification.1.ResourceType`, `TagSpecification.1.Tag.1.Key`: kind of resource → its tags.
pub fn specifications(call: &Call, field: &str) -> BTreeMap<String, Tags> {
    let kinds = (1..).map_while(|index| {
        let one = format!("{field}.{index}");
        Some((call.field(&format!("{one}.ResourceType"))?.to_owned(), listed(call, &format!("{one}.Tag"))))
    });
    kinds.collect()
}

/// `<field>.1.Key`, `<field>.1.Value` and so on.
pub fn listed(call: &Call, field: &str) -> Tags {
    let tags = (1..).map_while(|index| {
        let name = call.field(&format!("{field}.{index}.Key"))?;
        Some((name.to_owned(), call.field(&format!("{field}.{index}.Value")).unwrap_or_default().to_owned()))
    });
    tags.collect()
}

/// `{"name": "value"}`
pub fn mapped(tags: &Value) -> Tags {
    let fields = tags.as_object().into_iter().flatten();
    fields.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect()
}

/// The tags in an element of XML: EC2's `<item><key>`, IAM's and ELB's `<member><Key>`, S3's `<Tag><Key>`.
pub fn elements(set: &Element) -> Tags {
    let either = |tag: &Element, name: &str| xml::child_text(tag, name).or_else(|| xml::child_text(tag, &name.to_lowercase()));
    let tags = set.children.iter().filter_map(XMLNode::as_element);
    tags.filter_map(|tag| Some((either(tag, "Key")?, either(tag, "Value").unwrap_or_default()))).collect()
}
