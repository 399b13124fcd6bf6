//! The faults in single fields, in words. The fields of all modes are checked as if they were one object, so that a body gets the faults of
//! each, whatever its mode; with `oneOf` a validator says only that no mode fits.

use super::{Fault, Mode, schema, shortened};
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
        _ => match bare_name(error) {
            Some(message) => vec![Fault::new(path, message)],
            None => vec![Fault::new(path, with_rule(error))],
        },
    }
}

/// The commonest slip: names in `instance_types`, where objects with a name belong.
fn bare_name(error: &ValidationError<'_>) -> Option<String> {
    let ValidationErrorKind::Type { .. } = error.kind() else { return None };
    let item = error.instance_path().as_str().strip_prefix("/instance_types")?;
    let is_name = error.instance().is_string() && item.matches('/').count() < 2;
    let name = shortened(&error.instance().to_string());
    is_name.then(|| format!("{name} is not an object: write [{{\"name\": {name}}}]"))
}

/// The numbers with a fraction of zero where integers belong: to a schema `10.0` is an integer. `faults` are those found already.
pub(super) fn fractions(body: &Value, faults: &[Fault]) -> Vec<Fault> {
    let mut found = Vec::new();
    collect_fractions(body, "$".to_owned(), &mut found);
    found.retain(|fraction| !faults.iter().any(|fault| fraction.path.starts_with(&fault.path)));
    found
}

fn collect_fractions(part: &Value, path: String, found: &mut Vec<Fault>) {
    // Shortened as the paths of faults are, so that a long name does not make every path below it long.
    let mut below = |step: String, part| collect_fractions(part, shortened(&format!("{path}{step}")), found);
    match part {
        Value::Array(items) => items.iter().enumerate().for_each(|(index, item)| below(format!("[{index}]"), item)),
        Value::Object(fields) => fields.iter().for_each(|(name, field)| below(format!(".{name}"), field)),
        Value::Number(number) if number.is_f64() => found.push(Fault::new(path, format!("{number} is not written as an integer"))),
        _ => {}
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
    let sent = shortened(&error.instance().to_string());
    let fault = error.masked_with(&sent);
    match (error.kind(), rule) {
        (ValidationErrorKind::Pattern { .. }, Some(rule)) => format!("{sent} is not valid: {rule}"),
        (_, Some(rule)) => format!("{fault}: {rule}"),
        (_, None) => fault.to_string(),
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
        // An empty list is like none, which is the mode's to refuse.
        if let Some(field) = all[name].as_object_mut() {
            field.remove("minItems");
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
