//! The JSON schema that is generated from the types: what it says of a body, in words.

use super::{Fault, Mode, Spec};
use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};
use schemars::{JsonSchema, Schema, SchemaGenerator, schema_for};
use serde_json::{Map, Value, json};
use std::sync::LazyLock;
use strum::VariantArray;

pub(super) const REQUIRED: &str = "this field is required";

/// One closed object for each mode, under `oneOf`: what is printed for tenants, and where each mode's fields are listed.
static BY_MODE: LazyLock<Value> = LazyLock::new(|| schema_for!(Spec).to_value());

/// All fields of all modes in one object. Checked against this, a body shows the faults of each field, whatever its mode makes of them;
/// `oneOf` would say no more than that no mode fits.
static FLAT: LazyLock<Value> = LazyLock::new(flat);

#[expect(clippy::expect_used, reason = "the schema is generated from the types; a test compiles it")]
static VALIDATOR: LazyLock<Validator> = LazyLock::new(|| jsonschema::validator_for(&FLAT).expect("the schema of Spec is valid"));

/// Every fault of a single field.
pub(super) fn faults(body: &Value) -> Vec<Fault> {
    VALIDATOR.iter_errors(body).flat_map(|error| in_words(&error)).collect()
}

/// The JSON paths of the fields that no mode has.
pub(crate) fn unknown_fields(body: &Value) -> Vec<String> {
    VALIDATOR.iter_errors(body).flat_map(|error| unexpected(&error)).collect()
}

/// The names of all fields of a mode.
pub(super) fn fields(mode: Mode) -> Vec<&'static str> {
    properties(of(mode)).map(|(name, _)| name.as_str()).collect()
}

/// The names of the fields that this mode needs and not every mode does.
pub(super) fn needed(mode: Mode) -> Vec<&'static str> {
    required(of(mode)).filter(|name| !EVERYWHERE.contains(name) && *name != "mode").collect()
}

/// What is required whatever the mode is.
static EVERYWHERE: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let everywhere = |name: &&str| modes().iter().all(|mode| required(mode).any(|other| other == *name));
    modes().first().into_iter().flat_map(required).filter(everywhere).collect()
});

fn in_words(error: &ValidationError<'_>) -> Vec<Fault> {
    let path = json_path(error.instance_path().as_str());
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { .. } => {
            unexpected(error).into_iter().map(|path| Fault::new(path, "there is no such field")).collect()
        }
        ValidationErrorKind::Required { property } => {
            vec![Fault::new(format!("{path}.{}", property.as_str().unwrap_or_default()), REQUIRED)]
        }
        _ => vec![Fault::new(path, with_rule(error))],
    }
}

fn unexpected(error: &ValidationError<'_>) -> Vec<String> {
    let ValidationErrorKind::AdditionalProperties { unexpected } = error.kind() else { return vec![] };
    let path = json_path(error.instance_path().as_str());
    unexpected.iter().map(|name| format!("{path}.{name}")).collect()
}

/// The schema's own description says what is right in words; the validator only shows the pattern.
fn with_rule(error: &ValidationError<'_>) -> String {
    let schema_path = error.schema_path().as_str();
    let rule = schema_path
        .rmatch_indices('/')
        .find_map(|(end, _)| FLAT.pointer(&schema_path[..end])?.get("description")?.as_str().map(str::to_owned));
    match (error.kind(), rule) {
        (ValidationErrorKind::Pattern { .. }, Some(rule)) => format!("{} is not valid: {rule}", error.instance()),
        (_, Some(rule)) => format!("{error}: {rule}"),
        (_, None) => error.to_string(),
    }
}

/// `/instance_types/0/name` → `$.instance_types[0].name`.
fn json_path(pointer: &str) -> String {
    pointer.split('/').skip(1).fold("$".to_owned(), |path, step| match step.parse::<usize>() {
        Ok(index) => format!("{path}[{index}]"),
        Err(_) => format!("{path}.{step}"),
    })
}

/// Turns what is derived (common fields, and `oneOf` for those of each mode) into one closed object for each mode.
pub(super) fn close(spec: &mut Schema) {
    let spec = spec.ensure_object();
    let common = spec.remove("properties").unwrap_or_default();
    let needed = spec.remove("required").unwrap_or_default();
    spec.remove("type");
    for mode in spec.get_mut("oneOf").and_then(Value::as_array_mut).into_iter().flatten().filter_map(Value::as_object_mut) {
        extend_object(mode, "properties", &common);
        extend_list(mode, "required", &needed);
        mode.insert("additionalProperties".into(), false.into());
        if mode["properties"]["mode"]["const"] == Mode::Managed.to_string() {
            close_default(mode);
        }
    }
}

/// The mode that is meant where none is named. It makes a cluster for its nodes; a cluster that is there can do without ours.
fn close_default(managed: &mut Map<String, Value>) {
    managed["properties"]["mode"]["default"] = json!(Mode::default());
    if let Some(required) = managed.get_mut("required").and_then(Value::as_array_mut) {
        required.retain(|name| name != "mode");
        required.push("instance_types".into());
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

fn flat() -> Value {
    let mut all: Map<String, Value> = modes().iter().flat_map(properties).map(|(name, schema)| (name.clone(), schema.clone())).collect();
    for name in Mode::VARIANTS.iter().flat_map(|mode| needed(*mode)) {
        // Null says "not there" in a string that may be left out, and in some modes this one may.
        if all[name]["type"] == "string" {
            all[name]["type"] = json!(["string", "null"]);
        }
    }
    all.insert("mode".into(), Mode::json_schema(&mut SchemaGenerator::default()).to_value());
    json!({
        "description": BY_MODE["description"],
        "$defs": BY_MODE["$defs"],
        "type": "object",
        "properties": all,
        "required": *EVERYWHERE,
        "additionalProperties": false,
    })
}

fn modes() -> &'static [Value] {
    BY_MODE["oneOf"].as_array().map_or(&[], Vec::as_slice)
}

fn of(mode: Mode) -> &'static Value {
    let name = mode.to_string();
    modes().iter().find(|schema| schema["properties"]["mode"]["const"] == name).unwrap_or(&Value::Null)
}

fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema["properties"].as_object().into_iter().flatten()
}

fn required(schema: &Value) -> impl Iterator<Item = &str> {
    schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str)
}
