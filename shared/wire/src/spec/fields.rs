//! The faults in single fields, in words. The fields of the other modes are checked beside those of the body's own as if they were one object,
//! so that a body gets the faults of each, whatever its mode; with `oneOf` a validator says only that no mode fits.

use super::{Fault, Mode, mode, older, schema, shortened};
use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};
use std::sync::LazyLock;
use strum::VariantArray;

pub(super) const REQUIRED: &str = "this field is required";

/// A mode's fields, closed, with the other modes' fields beside them.
pub(super) struct Fields {
    mode: Mode,
    pub(super) schema: Value,
    pub(super) validator: Validator,
}

static FIELDS: LazyLock<Vec<Fields>> = LazyLock::new(|| Mode::VARIANTS.iter().map(|mode| Fields::of(*mode)).collect());

/// Those that a body is checked by: its mode's, or the default's if it has no valid mode.
pub(super) fn of(body: &Value) -> &'static Fields {
    let mode = mode::of(body).unwrap_or_default();
    FIELDS.iter().find(|fields| fields.mode == mode).unwrap_or(&FIELDS[0])
}

/// Every fault in a single field.
pub(super) fn faults(body: &Value) -> Vec<Fault> {
    let fields = of(body);
    fields.validator.iter_errors(body).flat_map(|error| in_words(&error, fields)).collect()
}

/// The JSON paths of the fields that no mode has, or not in this section.
pub(crate) fn unknown_fields(body: &Value) -> Vec<String> {
    of(body).validator.iter_errors(body).flat_map(|error| unexpected(&error)).collect()
}

fn in_words(error: &ValidationError<'_>, fields: &Fields) -> Vec<Fault> {
    let path = json_path(error.instance_path().as_str());
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { .. } => {
            unexpected(error).into_iter().map(|path| of_another_mode(path, fields)).collect()
        }
        ValidationErrorKind::Required { property } => {
            vec![Fault::new(format!("{path}.{}", property.as_str().unwrap_or_default()), REQUIRED)]
        }
        _ => match bare_name(error) {
            Some(message) => vec![Fault::new(path, message)],
            None => vec![Fault::new(path, with_rule(error, &fields.schema))],
        },
    }
}

/// A section may have fields in one mode that it has not in another.
fn of_another_mode(path: String, fields: &Fields) -> Fault {
    let other = Mode::VARIANTS.iter().find(|other| **other != fields.mode && schema::has(**other, &path));
    let none = || older::instead(&path).unwrap_or("there is no such field").to_owned();
    let message = other.map_or_else(none, |other| format!("only with mode {other}"));
    Fault::new(path, message)
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
fn with_rule(error: &ValidationError<'_>, schema: &Value) -> String {
    let schema_path = error.schema_path().as_str();
    let rule = schema_path
        .rmatch_indices('/')
        .find_map(|(end, _)| schema.pointer(&schema_path[..end])?.get("description")?.as_str().map(|text| text.replace('\n', " ")));
    let sent = shortened(&error.instance().to_string());
    let fault = error.masked_with(&sent);
    match (error.kind(), rule) {
        (ValidationErrorKind::Pattern { .. }, Some(rule)) => format!("{sent} is not valid: {rule}"),
        (ValidationErrorKind::PropertyNames { error: name }, Some(rule)) => {
            format!("{} is not valid: {rule}", shortened(&name.instance().to_string()))
        }
        (_, Some(rule)) => format!("{fault}: {rule}"),
        (_, None) => fault.to_string(),
    }
}

/// `/instance_types/0/name` → `$.instance_types[0].name`, `/tags/team~1name` → `$.tags.team/name`.
fn json_path(pointer: &str) -> String {
    pointer.split('/').skip(1).fold("$".to_owned(), |path, step| match step.parse::<usize>() {
        Ok(index) => format!("{path}[{index}]"),
        Err(_) => format!("{path}.{}", step.replace("~1", "/").replace("~0", "~")),
    })
}

impl Fields {
    #[expect(clippy::expect_used, reason = "the schema is generated from the types; a test compiles it")]
    fn of(mode: Mode) -> Self {
        let schema = with_other_modes(mode);
        Self { mode, validator: jsonschema::validator_for(&schema).expect("the schema of Spec is valid"), schema }
    }
}

fn with_other_modes(mode: Mode) -> Value {
    let others = Mode::VARIANTS.iter().filter(|other| **other != mode);
    let mut all: Map<String, Value> = Map::new();
    for mode in others.chain([&mode]) {
        all.extend(schema::properties(schema::of(*mode)).map(|(name, field)| (name.clone(), field.clone())));
    }
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
