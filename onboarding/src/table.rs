//! The table itself, for programs to read: a row for each action of each statement.

use groundwork::permissions::{Condition, grants};
use serde_json::{Map, Value, json};

pub fn rows() -> String {
    let rows: Vec<Value> = grants()
        .flat_map(|grant| {
            grant.actions.iter().map(|action| {
                json!({
                    "action": action.name,
                    "statement": grant.sid,
                    "resources": grant.resources,
                    "conditions": conditions(grant.conditions),
                    "stages": action.stages,
                    "purpose": action.purpose,
                    "why_not_narrower": grant.why,
                    "source": action.source,
                })
            })
        })
        .collect();
    format!("{:#}\n", json!(rows))
}

fn conditions(all: &[Condition]) -> Value {
    let mut by_operator = Map::new();
    for (operator, key, values) in all {
        by_operator.entry(*operator).or_insert_with(|| json!({}))[*key] = json!(values);
    }
    Value::Object(by_operator)
}
