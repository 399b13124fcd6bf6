//! Whether an object says what we want. What we say nothing of, such as the server's defaults and what controllers add, is no difference.

use serde_json::Value;

/// The paths of the fields that are otherwise, such as "spec.replicas".
pub(crate) fn differences(wanted: &Value, found: &Value) -> Vec<String> {
    let mut paths = vec![];
    compare("", wanted, found, &mut paths);
    paths
}

fn compare(path: &str, wanted: &Value, found: &Value, paths: &mut Vec<String>) {
    match (wanted, found) {
        (Value::Object(wanted), Value::Object(found)) => {
            for (name, wanted) in wanted {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                compare(&path, wanted, found.get(name).unwrap_or(&Value::Null), paths);
            }
        }
        (Value::Array(wanted), Value::Array(found)) if is_keyed(wanted) => {
            for (name, wanted) in wanted.iter().filter_map(named) {
                let found = found.iter().find(|found| found["name"] == name);
                compare(&format!("{path}[{name}]"), wanted, found.unwrap_or(&Value::Null), paths);
            }
        }
        (Value::Array(wanted), Value::Array(found)) if wanted.len() == found.len() => {
            for (index, (wanted, found)) in wanted.iter().zip(found).enumerate() {
                compare(&format!("{path}[{index}]"), wanted, found, paths);
            }
        }
        (wanted, found) if wanted == found => {}
        _ => paths.push(path.to_owned()),
    }
}

/// Containers, variables and ports are merged by name, so that others may add some.
pub(crate) fn is_keyed(list: &[Value]) -> bool {
    !list.is_empty() && list.iter().all(|item| named(item).is_some())
}

fn named(item: &Value) -> Option<(&str, &Value)> {
    Some((item.get("name")?.as_str()?, item))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_we_say_is_compared() {
        let wanted = json!({"a": {"b": 1}, "args": ["x", "y"], "env": [{"name": "R", "value": "1"}]});
        for (reason, found, paths) in [
            ("the same", wanted.clone(), &[][..]),
            ("a default", json!({"a": {"b": 1, "c": 2}, "args": ["x", "y"], "env": [{"name": "R", "value": "1"}], "d": 3}), &[]),
            ("another's variable", json!({"a": {"b": 1}, "args": ["x", "y"], "env": [{"name": "Q"}, {"name": "R", "value": "1"}]}), &[]),
            ("another value", json!({"a": {"b": 2}, "args": ["x", "y"], "env": [{"name": "R", "value": "2"}]}), &["a.b", "env[R].value"]),
            ("another flag", json!({"a": {"b": 1}, "args": ["x", "z"], "env": [{"name": "R", "value": "1"}]}), &["args[1]"]),
            ("one flag more", json!({"a": {"b": 1}, "args": ["x", "y", "z"], "env": [{"name": "R", "value": "1"}]}), &["args"]),
            ("nothing of it", json!({"a": "b"}), &["a", "args", "env"]),
        ] {
            assert_eq!(differences(&wanted, &found), paths, "{reason}");
        }
    }
}
