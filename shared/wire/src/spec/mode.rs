//! What a mode means for a field. Nothing is ignored silently: a missing field that the mode requires is a fault, and so is one that has
//! no meaning in it. This works on the body itself, so that these faults are named together with those of single fields.

use super::fields::REQUIRED;
use super::{Fault, schema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use strum::{Display, EnumString, VariantArray};

/// Who makes the cluster and its buckets: Groundwork; or the customer, and Groundwork verifies them and adds node groups.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Display, EnumString, VariantArray)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
#[strum(serialize_all = "snake_case")]
pub enum Mode {
    #[default]
    Managed,
    SelfManaged,
}

pub(super) fn faults(body: &Value) -> Vec<Fault> {
    let Some((mode, fields)) = read(body) else { return vec![] };
    let mut faults: Vec<Fault> = schema::needed(mode).iter().filter_map(|name| needed(fields, name)).collect();
    if mode == Mode::SelfManaged {
        faults.extend(node_faults(fields));
    }
    faults.extend(foreign(body).into_iter().map(|(name, other)| only(name, &format!("mode {other}"))));
    faults
}

/// The given fields that belong to another mode than the body's, with that mode.
pub(crate) fn foreign(body: &Value) -> Vec<(&'static str, Mode)> {
    let Some((mode, fields)) = read(body) else { return vec![] };
    let own = schema::fields(mode);
    let others = Mode::VARIANTS.iter().filter(|other| **other != mode);
    let theirs = others.flat_map(|other| schema::fields(*other).into_iter().map(|name| (name, *other)));
    theirs.filter(|(name, _)| !own.contains(name) && is_given(fields, name)).collect()
}

/// The mode and the fields of a body; none if either is invalid by the schema.
fn read(body: &Value) -> Option<(Mode, &Map<String, Value>)> {
    Some((of(body)?, body.as_object()?))
}

/// None if it is invalid.
pub(super) fn of(body: &Value) -> Option<Mode> {
    match body.get("mode") {
        None => Some(Mode::default()),
        Some(mode) => mode.as_str()?.parse().ok(),
    }
}

/// The nodes' role and subnets matter only with node groups.
fn node_faults(fields: &Map<String, Value>) -> Vec<Fault> {
    const WITH: &str = "instance_types";
    if is_filled(fields, WITH) {
        return needed(fields, "node_role_arn").into_iter().collect();
    }
    let role = is_given(fields, "node_role_arn").then(|| only("node_role_arn", WITH));
    let network = fields.get("network").and_then(Value::as_object);
    let subnets = network.is_some_and(|network| is_given(network, "subnet_ids")).then(|| only("network.subnet_ids", WITH));
    role.into_iter().chain(subnets).collect()
}

fn needed(fields: &Map<String, Value>, name: &str) -> Option<Fault> {
    let fault = if is_given(fields, name) { "an empty list is not enough: at least one is required" } else { REQUIRED };
    (!is_filled(fields, name)).then(|| Fault::new(format!("$.{name}"), fault))
}

fn only(name: &str, with: &str) -> Fault {
    Fault::new(format!("$.{name}"), format!("only with {with}"))
}

fn is_given(fields: &Map<String, Value>, name: &str) -> bool {
    fields.get(name).is_some_and(|value| !value.is_null())
}

fn is_filled(fields: &Map<String, Value>, name: &str) -> bool {
    is_given(fields, name) && fields[name].as_array().is_none_or(|items| !items.is_empty())
}
