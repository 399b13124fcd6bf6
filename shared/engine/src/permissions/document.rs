//! IAM policy documents, with their fields in the order in which people read them.

use super::Condition;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use wire::names::Names;

/// In a document as others write it: where a policy has one thing, it may stand without a list around it.
pub fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice)
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Document {
    version: &'static str,
    pub statement: Vec<Statement>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Statement {
    pub sid: String,
    effect: &'static str,
    pub action: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resource: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_resource: Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub condition: BTreeMap<String, BTreeMap<String, Vec<String>>>,
}

impl Document {
    pub fn new(statement: Vec<Statement>) -> Self {
        Self { version: "2012-10-17", statement }
    }

    /// As STS and the quotas count it.
    pub fn compact(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    pub fn pretty(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}

impl Statement {
    pub fn allow(sid: &str, actions: &[&str], resources: &[&str], conditions: &[Condition], names: &Names) -> Self {
        let fill = |text: &&str| names.fill(text);
        let mut statement = Self::new(sid, "Allow", actions);
        statement.resource = resources.iter().map(fill).collect();
        for (operator, key, values) in conditions {
            statement = statement.when(operator, key, values.iter().map(fill).collect());
        }
        statement
    }

    /// Of everything, unless conditions narrow it.
    pub fn deny(sid: &str, actions: &[&str]) -> Self {
        Self { resource: vec!["*".into()], ..Self::new(sid, "Deny", actions) }
    }

    pub fn deny_all_but(sid: &str, actions: &[&str], resources: Vec<String>) -> Self {
        Self { not_resource: resources, ..Self::new(sid, "Deny", actions) }
    }

    pub fn when(mut self, operator: &str, key: &str, values: Vec<String>) -> Self {
        self.condition.entry(operator.to_owned()).or_default().insert(key.to_owned(), values);
        self
    }

    /// Adds another statement of the same name and conditions.
    pub fn add(&mut self, other: Self) {
        for (own, more) in [(&mut self.action, other.action), (&mut self.resource, other.resource)] {
            let new: Vec<String> = more.into_iter().filter(|text| !own.contains(text)).collect();
            own.extend(new);
        }
    }

    fn new(sid: &str, effect: &'static str, actions: &[&str]) -> Self {
        Self {
            sid: sid.to_owned(),
            effect,
            action: actions.iter().map(|action| (*action).to_owned()).collect(),
            resource: vec![],
            not_resource: vec![],
            condition: BTreeMap::new(),
        }
    }
}
