//! Every field of a spec as people read about it, from the schema.

use super::{Mode, renamed, schema};
use serde_json::Value;
use strum::VariantArray;

/// A field, with its rule.
#[derive(Debug, PartialEq)]
pub struct Field {
    /// `network.cidr`, `instance_types[].name`
    pub path: String,
    /// The modes that have it.
    pub modes: Vec<Mode>,
    /// The modes that want it to be given.
    pub required: Vec<Mode>,
    /// What it means and what is valid.
    pub rule: String,
    /// What counts if it is absent, as JSON.
    pub default: Option<String>,
    /// Whether it may change once the cluster is there.
    pub change: String,
}

/// The fields and words of before, each with the one that it is now.
pub fn before() -> impl Iterator<Item = (String, String)> {
    renamed::all()
}

/// All fields, in the order of the schema.
pub fn fields() -> Vec<Field> {
    let mut all: Vec<Field> = Vec::new();
    for mode in Mode::VARIANTS {
        for field in below(schema::of(*mode), "", *mode, true) {
            match all.iter_mut().find(|known| known.path == field.path && known.rule == field.rule) {
                Some(known) => {
                    known.modes.extend(field.modes);
                    known.required.extend(field.required);
                }
                None => all.push(field),
            }
        }
    }
    all
}

fn below(object: &Value, path: &str, mode: Mode, is_wanted: bool) -> Vec<Field> {
    let of = |(name, written): (&String, &Value)| {
        let field = resolved(written);
        let path = format!("{path}{name}");
        let is_wanted = is_wanted && schema::required(object).any(|required| required == name);
        let items = resolved(&field["items"]);
        match (field["properties"].is_object(), items["properties"].is_object()) {
            (true, _) => below(field, &format!("{path}."), mode, is_wanted),
            (_, true) => [one(&path, field, mode, is_wanted)].into_iter().chain(below(items, &format!("{path}[]."), mode, true)).collect(),
            _ => vec![one(&path, field, mode, is_wanted)],
        }
    };
    schema::properties(object).flat_map(of).collect()
}

fn one(path: &str, field: &Value, mode: Mode, is_wanted: bool) -> Field {
    let text = |name: &str| field[name].as_str().unwrap_or_default().to_owned();
    Field {
        path: path.to_owned(),
        modes: vec![mode],
        required: is_wanted.then_some(mode).into_iter().collect(),
        rule: text("description"),
        default: field.get("default").filter(|value| !value.is_null() && **value != serde_json::json!([])).map(Value::to_string),
        change: text("x-change"),
    }
}

/// What a reference leads to.
fn resolved(field: &Value) -> &Value {
    match field["$ref"].as_str().and_then(|pointer| schema::BY_MODE.pointer(pointer.strip_prefix('#')?)) {
        Some(definition) => definition,
        None => field,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_says_what_is_valid_and_whether_it_may_change() {
        for field in fields() {
            assert!(field.rule.ends_with('.'), "{field:?}");
            assert!([schema::IN_PLACE, schema::NEVER].contains(&field.change.as_str()), "{field:?}");
        }
    }

    #[test]
    fn a_field_of_both_modes_stands_once_if_it_has_one_rule() {
        let all = fields();
        let found = |path: &str| all.iter().filter(|field| field.path == path).collect::<Vec<_>>();
        assert_eq!(found("name")[0].modes, Mode::VARIANTS);
        assert_eq!((found("name").len(), found("instance_types[].name").len()), (1, 1));
        assert_eq!(found("eks_cluster_name")[0].required, [Mode::SelfManaged]);
    }
}
