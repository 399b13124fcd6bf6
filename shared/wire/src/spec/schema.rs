//! The JSON schema generated from the types: a closed object for each mode. It is printed for tenants, and defines each mode's fields.

use super::{Mode, Spec};
use schemars::{JsonSchema, Schema, SchemaGenerator, schema_for};
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

/// `x-change` of a field: whether it may change once the cluster is there. A field has it beside its rule.
pub(super) const IN_PLACE: &str = "in place";
pub(super) const NEVER: &str = "never";

/// Under `oneOf` an object for each mode.
pub(super) static BY_MODE: LazyLock<Value> = LazyLock::new(|| schema_for!(Spec).to_value());

/// The names of all fields of a mode.
pub(super) fn fields(mode: Mode) -> Vec<&'static str> {
    properties(of(mode)).map(|(name, _)| name.as_str()).collect()
}

/// The names of the fields that this mode requires but not every mode does.
pub(super) fn needed(mode: Mode) -> Vec<&'static str> {
    required(of(mode)).filter(|name| !EVERYWHERE.contains(name) && *name != "mode").collect()
}

/// The names of the fields that every mode requires.
pub(super) static EVERYWHERE: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let everywhere = |name: &&str| modes().iter().all(|mode| required(mode).any(|other| other == *name));
    modes().first().into_iter().flat_map(required).filter(everywhere).collect()
});

/// Turns the derived schema (common fields, and `oneOf` for each mode's) into one closed object for each mode.
pub(super) fn close(spec: &mut Schema) {
    let spec = spec.ensure_object();
    let mut common = spec.remove("properties").unwrap_or_default();
    // What it is only the operator knows.
    common["region"].as_object_mut().map(|region| region.remove("default"));
    let needed = spec.remove("required").unwrap_or_default();
    spec.remove("type");
    for mode in spec.get_mut("oneOf").and_then(Value::as_array_mut).into_iter().flatten().filter_map(Value::as_object_mut) {
        fill(mode);
        extend_object(mode, "properties", &common);
        extend_list(mode, "required", &needed);
        mode.insert("additionalProperties".into(), false.into());
        say_what_a_mode_is(&mut mode["properties"]["mode"]);
        if mode["properties"]["mode"]["const"] == Mode::Managed.to_string() {
            close_default(mode);
        }
    }
}

/// serde's tag has no field to describe.
fn say_what_a_mode_is(field: &mut Value) {
    let about = Mode::json_schema(&mut SchemaGenerator::default());
    field["description"] = about.get("description").cloned().unwrap_or_default();
    field["x-change"] = NEVER.into();
}

/// A list that a mode requires may not be empty.
fn fill(mode: &mut Map<String, Value>) {
    let needed: Vec<String> = mode["required"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    for field in needed {
        if mode["properties"][&field]["type"] == "array" {
            mode["properties"][&field]["minItems"] = json!(1);
        }
    }
}

/// The default mode need not be said.
fn close_default(managed: &mut Map<String, Value>) {
    managed["properties"]["mode"]["default"] = json!(Mode::default());
    if let Some(required) = managed.get_mut("required").and_then(Value::as_array_mut) {
        required.retain(|name| name != "mode");
    }
}

fn extend_object(schema: &mut Map<String, Value>, key: &str, more: &Value) {
    if let (Some(own), Some(more)) = (schema.get_mut(key).and_then(Value::as_object_mut), more.as_object()) {
        own.extend(more.clone());
    }
}

fn extend_list(schema: &mut Map<String, Value>, key: &str, more: &Value) {
    if let (Some(own), Some(more)) = (schema.get_mut(key).and_then(Value::as_array_mut), more.as_array()) {
        own.extend(more.iter().cloned());
    }
}

pub(super) fn modes() -> &'static [Value] {
    BY_MODE["oneOf"].as_array().map_or(&[], Vec::as_slice)
}

/// True if the mode has the field of that path, such as `$.network.cidr`.
pub(super) fn has(mode: Mode, path: &str) -> bool {
    let steps = path.split('.').skip(1);
    steps.fold(of(mode), |schema, step| &schema["properties"][step]) != &Value::Null
}

pub(super) fn of(mode: Mode) -> &'static Value {
    let name = mode.to_string();
    modes().iter().find(|schema| schema["properties"]["mode"]["const"] == name).unwrap_or(&Value::Null)
}

pub(super) fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema["properties"].as_object().into_iter().flatten()
}

pub(super) fn required(schema: &Value) -> impl Iterator<Item = &str> {
    schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str)
}
