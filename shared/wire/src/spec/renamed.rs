//! Fields and words of before. They stay accepted, and are shown as what they are called now.

use super::Fault;
use serde_json::{Map, Value, json};
use std::borrow::Cow;

struct Renamed {
    before: &'static str,
    section: &'static str,
    field: &'static str,
    /// One value has become the first of a list.
    is_one: bool,
}

const FIELDS: [Renamed; 3] = [
    Renamed { before: "admin_principal_arn", section: "access", field: "administrators", is_one: true },
    Renamed { before: "public_access_cidrs", section: "access", field: "public_cidrs", is_one: false },
    Renamed { before: "subnet_ids", section: "network", field: "subnet_ids", is_one: false },
];

impl Renamed {
    fn path(&self) -> String {
        format!("$.{}.{}", self.section, self.field)
    }

    /// The path by the name of before.
    fn path_before(&self, path: &str) -> Option<String> {
        let rest = path.strip_prefix(&self.path())?;
        let rest = if self.is_one { rest.strip_prefix("[0]").unwrap_or(rest) } else { rest };
        Some(format!("$.{}{rest}", self.before))
    }

    /// Moves the value into its section. False if that cannot be done, because there is a value already or no section.
    fn modernize(&self, fields: &mut Map<String, Value>) -> bool {
        let value = match fields.remove(self.before) {
            None | Some(Value::Null) => return true,
            Some(value) if self.is_one => json!([value]),
            Some(value) => value,
        };
        let section = fields.entry(self.section).or_insert(Value::Null);
        if section.is_null() {
            *section = json!({});
        }
        let Some(section) = section.as_object_mut() else { return false };
        let is_free = section.get(self.field).is_none_or(Value::is_null);
        if is_free {
            section.insert(self.field.into(), value);
        }
        is_free
    }
}

/// What each is called now.
pub(super) fn all() -> impl Iterator<Item = (String, String)> {
    let (field, before, now) = WORD;
    let fields = FIELDS.iter().map(|renamed| (renamed.before.to_owned(), renamed.path()[2..].to_owned()));
    fields.chain([(format!("{field}: {before}"), format!("{field}: {now}"))])
}

/// A body under the names of now.
pub(super) struct Modern<'a> {
    pub body: Cow<'a, Value>,
    /// Fields that are given under both names.
    pub faults: Vec<Fault>,
    used: Vec<&'static Renamed>,
}

impl Modern<'_> {
    /// The fault at the path that the sender wrote.
    pub fn as_sent(&self, fault: Fault) -> Fault {
        match self.used.iter().find_map(|renamed| renamed.path_before(&fault.path)) {
            Some(path) => Fault { path, ..fault },
            None => fault,
        }
    }
}

/// A field whose word of before is now another.
const WORD: (&str, &str, &str) = ("performance_profile", "default", "standard");

pub(super) fn modern(sent: &Value) -> Modern<'_> {
    let mut modern = Modern { body: Cow::Borrowed(sent), faults: vec![], used: vec![] };
    let (field, before, now) = WORD;
    if sent.get(field).is_some_and(|word| word == before) {
        modern.body.to_mut()[field] = now.into();
    }
    for renamed in &FIELDS {
        if sent.get(renamed.before).is_none() {
            continue;
        }
        let Some(fields) = modern.body.to_mut().as_object_mut() else { continue };
        if renamed.modernize(fields) {
            modern.used.push(renamed);
        } else {
            let now = renamed.path();
            modern.faults.push(Fault::new(format!("$.{}", renamed.before), format!("this is {} of before: give only that", &now[2..])));
        }
    }
    modern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_of_before_is_read_as_the_one_of_now() {
        for (sent, read, reason) in [
            (json!({"admin_principal_arn": "a"}), json!({"access": {"administrators": ["a"]}}), "one has become a list"),
            (json!({"public_access_cidrs": []}), json!({"access": {"public_cidrs": []}}), "an empty list says something"),
            (json!({"subnet_ids": ["a"], "network": null}), json!({"network": {"subnet_ids": ["a"]}}), "null is like absent"),
            (json!({"admin_principal_arn": null}), json!({}), "and says nothing"),
            (json!({"performance_profile": "default"}), json!({"performance_profile": "standard"}), "a word"),
            (json!({"access": {"public_cidrs": []}}), json!({"access": {"public_cidrs": []}}), "of now"),
            (json!([]), json!([]), "no body"),
        ] {
            let modern = modern(&sent);
            assert_eq!((&*modern.body, modern.faults), (&read, vec![]), "{reason}");
        }
    }

    #[test]
    fn both_names_at_once_are_a_fault() {
        let sent = json!({"admin_principal_arn": "a", "access": {"administrators": ["b"]}});
        let Modern { body, faults, .. } = modern(&sent);
        assert_eq!(faults, [Fault::new("$.admin_principal_arn", "this is access.administrators of before: give only that")]);
        assert_eq!(*body, json!({"access": {"administrators": ["b"]}}));
    }

    #[test]
    fn a_fault_is_told_at_the_path_that_was_sent() {
        let sent = json!({"admin_principal_arn": 7, "subnet_ids": [7]});
        let modern = modern(&sent);
        for (path, expected) in [
            ("$.access.administrators[0]", "$.admin_principal_arn"),
            ("$.network.subnet_ids[0]", "$.subnet_ids[0]"),
            ("$.access.public_cidrs[0]", "$.access.public_cidrs[0]"),
        ] {
            assert_eq!(modern.as_sent(Fault::new(path, "no")).path, expected);
        }
    }
}
