//! The faults in single fields, in words. The fields of all modes are checked as if they were one object, so that a body gets the faults of
//! each, whatever its mode; with `oneOf` a validator says only that no mode fits.

use super::{Fault, Mode, schema};
use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};
use std::sync::LazyLock;
use strum::VariantArray;

pub(super) const REQUIRED: &str = "this field is required";

static SCHEMA: LazyLock<Value> = LazyLock::new(of_all_modes);

#[expect(clippy::expect_used, reason = "the schema is generated from the types; a test compiles it")]
static VALIDATOR: LazyLock<Validator> = LazyLock::new(|| jsonschema::validator_for(&SCHEMA).expect("the schema of Spec is valid"));

/// Every fault in a single field.
pub(super) fn faults(body: &Value) -> Vec<Fault> {
    VALIDATOR.iter_errors(body).flat_map(|error| in_words(&error)).collect()
}

/// The JSON paths of the fields that no mode has.
pub(crate) fn unknown_fields(body: &Value) -> Vec<String> {
    VALIDATOR.iter_errors(body).flat_map(|error| unexpected(&error)).collect()
}

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

/// The schema's description says in words what is valid; the validator shows only the pattern.
fn with_rule(error: &ValidationError<'_>) -> String {
    let schema_path = error.schema_path().as_str();
    let rule = schema_path
        .rmatch_indices('/')
        .find_map(|(end, _)| SCHEMA.pointer(&schema_path[..end])?.get("description")?.as_str().map(str::to_owned));
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

fn of_all_modes() -> Value {
    let mut all: Map<String, Value> =
        schema::modes().iter().flat_map(schema::properties).map(|(name, field)| (name.clone(), field.clone())).collect();
    for name in Mode::VARIANTS.iter().flat_map(|mode| schema::needed(*mode)) {
        // Null means "not there" for a string that may be left out, as this one may in some modes.
        if all[name]["type"] == "string" {
            all[name]["type"] = json!(["string", "null"]);
        }
    }
    all.insert("mode".into(), Mode::json_schema(&mut SchemaGenerator::default()).to_value());
    json!({
        "description": schema::BY_MODE["description"],
        "$defs": schema::BY_MODE["$defs"],
        "type": "object",
        "properties": all,
        "required": *schema::EVERYWHERE,
        "additionalProperties": false,
    })
}
