//! Labels and taints: by what pods find nodes, and what keeps pods off them.

use super::schema::IN_PLACE;
use super::{Fault, shortened};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use strum::{Display, IntoStaticStr};

/// What keeps pods off a node unless they tolerate it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Taint {
    /// A key as a label has it.
    #[schemars(extend("x-change" = IN_PLACE))]
    pub key: String,
    /// At most 63 letters, digits and -_., a letter or digit at both ends; it may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(extend("x-change" = IN_PLACE))]
    pub value: String,
    /// Kubernetes's word for what happens to pods that do not tolerate it: NoSchedule, PreferNoSchedule or NoExecute.
    #[schemars(extend("x-change" = IN_PLACE))]
    pub effect: Effect,
}

/// What happens to pods that do not tolerate a taint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Display, IntoStaticStr)]
#[schemars(inline)]
pub enum Effect {
    NoSchedule,
    PreferNoSchedule,
    NoExecute,
}

/// The domains of others. EKS refuses those of Kubernetes and its own; under the rest, Groundwork and NVIDIA's device plugin mark nodes.
/// <https://github.com/eksctl-io/eksctl/issues/4007>
const RESERVED: [&str; 5] = ["kubernetes.io", "k8s.io", "eks.amazonaws.com", "groundwork.dev", "nvidia.com"];
/// EKS's limit for the whole of a key, and for a value ("Nodegroup" in the EKS API reference).
const LONGEST: usize = 63;

pub(super) fn of_labels(path: &str, labels: &BTreeMap<String, String>) -> Vec<Fault> {
    labels.iter().flat_map(|(key, value)| [of_key(path, key), of_label_value(path, key, value)]).flatten().collect()
}

pub(super) fn of_taints(path: &str, taints: &[Taint]) -> Vec<Fault> {
    taints.iter().enumerate().flat_map(|(index, taint)| of_taint(&format!("{path}[{index}]"), taint, &taints[..index])).collect()
}

fn of_taint(path: &str, taint: &Taint, earlier: &[Taint]) -> Vec<Fault> {
    let Taint { key, value, effect } = taint;
    let shown = shortened(value);
    let wrong_value = (!value.is_empty() && !is_word(value)).then(|| {
        Fault::new(format!("{path}.value"), format!("{shown:?} is not at most 63 letters, digits and -_., a letter or digit at both ends"))
    });
    let is_there = earlier.iter().any(|earlier| (&earlier.key, earlier.effect) == (key, *effect));
    let twice = is_there.then(|| Fault::new(path, format!("{} is listed twice with the effect {effect}", shortened(key))));
    of_key(&format!("{path}.key"), key).into_iter().chain(wrong_value).chain(twice).collect()
}

fn of_label_value(path: &str, key: &str, value: &str) -> Option<Fault> {
    let (key, shown) = (shortened(key), shortened(value));
    let message = format!("{shown:?} of {key} is not 1 to 63 letters, digits and -_., a letter or digit at both ends");
    (!is_word(value)).then(|| Fault::new(path, message))
}

fn of_key(path: &str, key: &str) -> Option<Fault> {
    let (domain, name) = key.split_once('/').map_or((None, key), |(domain, name)| (Some(domain), name));
    if key.len() > LONGEST || !is_word(name) || !domain.is_none_or(is_domain) {
        let shown = shortened(key);
        let message = format!("{shown:?} is not a key of at most 63 characters such as team or example.com/team");
        return Some(Fault::new(path, message));
    }
    let reserved = RESERVED.iter().find(|reserved| domain.is_some_and(|domain| is_within(domain, reserved)))?;
    Some(Fault::new(path, format!("{key} is under {reserved}, which is not yours: choose a domain of your own, such as example.com/team")))
}

fn is_within(domain: &str, reserved: &str) -> bool {
    domain.strip_suffix(reserved).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// Kubernetes's rule for the values of labels and the names in keys.
fn is_word(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let ends = [text.bytes().next(), text.bytes().next_back()];
    ends.iter().all(|end| end.is_some_and(|byte| byte.is_ascii_alphanumeric())) && text.len() <= LONGEST && text.bytes().all(inner)
}

fn is_domain(text: &str) -> bool {
    text.split('.').all(|part| is_word(part) && !part.contains('_') && !part.bytes().any(|byte| byte.is_ascii_uppercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_one_of_kubernetes_and_nobody_elses() {
        for (key, is_ours, reason) in [
            ("team", true, "a name"),
            ("example.com/team_1.b", true, "a domain and a name"),
            ("mykubernetes.io/team", true, "another domain that ends like it"),
            (&"k".repeat(63), true, "as long as EKS takes it"),
            (&"k".repeat(64), false, "longer"),
            ("", false, "nothing"),
            ("example.com/", false, "no name"),
            ("Example.com/team", false, "a domain has small letters"),
            ("a/b/c", false, "two domains"),
            ("-team", false, "begins with a hyphen"),
            ("node-role.kubernetes.io/worker", false, "nodes would not join"),
            ("k8s.io/team", false, "Kubernetes's"),
            ("eks.amazonaws.com/capacityType", false, "EKS's"),
            ("groundwork.dev/node-group", false, "Groundwork's"),
            ("nvidia.com/gpu", false, "the device plugin's"),
        ] {
            assert_eq!(of_key("$", key).is_none(), is_ours, "{reason}");
        }
    }

    #[test]
    fn a_taint_may_have_no_value_and_a_label_must() {
        let labels = |value: &str| of_labels("$", &BTreeMap::from([("team".to_owned(), value.to_owned())])).len();
        let taints = |value: &str| of_taints("$", &[Taint { key: "team".into(), value: value.into(), effect: Effect::NoExecute }]).len();
        for (value, expected) in [("a", (0, 0)), ("", (1, 0)), ("a b", (1, 1)), (&"v".repeat(64), (1, 1))] {
            assert_eq!((labels(value), taints(value)), expected, "{value:?}");
        }
    }

    #[test]
    fn a_taint_is_listed_once_for_each_effect() {
        let taint = |effect, value: &str| Taint { key: "team".into(), value: value.into(), effect };
        let faults =
            of_taints("$.taints", &[taint(Effect::NoSchedule, "a"), taint(Effect::NoExecute, "a"), taint(Effect::NoSchedule, "b")]);
        assert_eq!(faults, [Fault::new("$.taints[2]", "team is listed twice with the effect NoSchedule")]);
    }
}
