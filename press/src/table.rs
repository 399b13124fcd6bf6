//! The tables themselves, for programs: a row for each action of each statement, in both modes.

use engine::permissions::{Condition, Grant, grants, self_managed};
use serde_json::{Map, Value, json};

pub fn rows() -> String {
    let self_managed = self_managed::GRANTS.iter().flat_map(|grant| of("self_managed", grant));
    let rows: Vec<Value> = grants().flat_map(|grant| of("managed", grant)).chain(self_managed).collect();
    format!("{:#}\n", json!(rows))
}

fn of(mode: &'static str, grant: &'static Grant) -> impl Iterator<Item = Value> {
    grant.actions.iter().map(move |action| {
        json!({
            "mode": mode,
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
}

fn conditions(all: &[Condition]) -> Value {
    let mut by_operator = Map::new();
    for (operator, key, values) in all {
        by_operator.entry(*operator).or_insert_with(|| json!({}))[*key] = json!(values);
    }
    Value::Object(by_operator)
}
