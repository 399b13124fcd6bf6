//! What a tenant may ask for: the types, the JSON schema generated from them, and every fault of a request at once.

use crate::instances;
use crate::permissions::document::Names;
use jsonschema::error::ValidationErrorKind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::LazyLock;

/// The body of `POST /clusters`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// 1-63 lower-case letters, digits and hyphens, a letter or digit at both ends.
    #[schemars(regex(pattern = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"))]
    pub name: String,
    /// The ARN of the role that the quick-start made; its name begins with "groundwork", has at most 32 characters and no path.
    #[schemars(regex(pattern = r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/groundwork[A-Za-z0-9+=,.@_-]{0,22}$"))]
    pub role_arn: String,
    /// An AWS region such as us-west-2.
    #[schemars(regex(pattern = r"^[a-z]{2}(-[a-z]+)+-[0-9]$"))]
    pub region: String,
    /// "managed" (Groundwork makes everything) or "self_managed" (the customer made the EKS cluster and the buckets).
    #[serde(default)]
    pub mode: Mode,
    /// At least one and at most 20 instance types, each once; in the mode self_managed also none.
    #[serde(default)]
    #[schemars(length(max = 20))]
    pub instance_types: Vec<InstanceType>,
    /// The ARN of an IAM role or user that becomes the cluster's administrator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^arn:aws[a-z-]*:iam::[0-9]{12}:(role|user)/[A-Za-z0-9+=,.@_/-]+$"))]
    pub admin_principal_arn: Option<String>,
    /// IPv4 ranges such as 203.0.113.0/24 that may reach the cluster's public endpoint; an empty list closes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 40), inner(regex(pattern = r"^([0-9]{1,3}\.){3}[0-9]{1,3}/[0-9]{1,2}$")))]
    pub public_access_cidrs: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Deletion")]
    pub deletion: Option<Deletion>,
    /// The name of the customer's EKS cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[0-9A-Za-z][A-Za-z0-9_-]{0,99}$"))]
    pub eks_cluster_name: Option<String>,
    /// At least one and at most 10 names of the customer's S3 buckets, each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10), extend("uniqueItems" = true), inner(regex(pattern = r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")))]
    pub buckets: Vec<String>,
    /// The ARN of the customer's role for nodes, at most 160 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]+$"), length(max = 160))]
    pub node_role_arn: Option<String>,
    /// At least one and at most 20 subnets for the nodes, such as subnet-0123456789abcdef0; absent: the cluster's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 20), inner(regex(pattern = r"^subnet-[0-9a-f]{8,17}$")))]
    pub subnet_ids: Vec<String>,
}

/// Who makes the cluster and its buckets: Groundwork; or the customer, and Groundwork verifies them and adds node groups.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    #[default]
    Managed,
    SelfManaged,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InstanceType {
    /// An EC2 instance type such as g4dn.xlarge.
    #[schemars(regex(pattern = r"^[a-z][a-z0-9-]*\.[a-z0-9-]+$"), length(max = 32))]
    pub name: String,
    /// Nodes that are kept running even when nothing asks for them, 0 to 450.
    #[serde(default)]
    #[schemars(range(max = 450))]
    pub overprovisioned_ondemand_count: u32,
    /// The most nodes that the group may have, 1 to 450 (AWS's default quota for a node group).
    #[serde(default = "default_max_count")]
    #[schemars(range(min = 1, max = 450))]
    pub max_count: u32,
}

fn default_max_count() -> u32 {
    10
}

/// What becomes of the data when the cluster is deleted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Deletion {
    /// "delete" empties and removes the buckets, "retain" keeps them.
    #[serde(default)]
    pub buckets: BucketsAfter,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum BucketsAfter {
    #[default]
    Delete,
    Retain,
}

/// True for what the schema takes as a cluster's name.
pub fn is_name(text: &str) -> bool {
    let plain = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = text.as_bytes();
    let ends = bytes.first().is_some_and(plain) && bytes.last().is_some_and(plain);
    ends && bytes.len() <= 63 && bytes.iter().all(|byte| plain(byte) || *byte == b'-')
}

impl Spec {
    /// The account that the role lives in. The schema has made sure that it is there.
    pub fn account(&self) -> &str {
        self.role_arn.split(':').nth(4).unwrap_or_default()
    }

    /// The role's own name, without its path.
    pub fn role_name(&self) -> &str {
        self.role_arn.rsplit('/').next().unwrap_or_default()
    }

    /// True if the buckets and what is in them stay when the cluster is deleted.
    pub fn keeps_buckets(&self) -> bool {
        self.mode == Mode::SelfManaged || self.deletion.as_ref().is_some_and(|deletion| deletion.buckets == BucketsAfter::Retain)
    }

    /// What the policies of the quick-start are named after.
    pub fn names(&self) -> Names<'_> {
        Names { partition: self.partition(), account: self.account(), role: self.role_name() }
    }

    /// `aws`, `aws-cn`, `aws-us-gov`.
    pub fn partition(&self) -> &str {
        self.role_arn.split(':').nth(1).unwrap_or("aws")
    }
}

/// One thing that is wrong with a request.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Fault {
    /// A JSON path: `$.instance_types[0].name`.
    pub path: String,
    pub message: String,
}

static SCHEMA: LazyLock<Value> = LazyLock::new(|| schemars::schema_for!(Spec).to_value());

#[expect(clippy::expect_used, reason = "the schema is generated from the types above; a test compiles it")]
static VALIDATOR: LazyLock<jsonschema::Validator> =
    LazyLock::new(|| jsonschema::validator_for(&SCHEMA).expect("the schema of Spec is valid"));

/// Reads a spec, or names every fault.
pub fn parse(body: &Value) -> Result<Spec, Vec<Fault>> {
    let mut faults: Vec<Fault> = VALIDATOR.iter_errors(body).flat_map(|error| schema_faults(&error)).collect();
    faults.extend(mode_faults(body));
    if !faults.is_empty() {
        return Err(faults);
    }
    let mut spec: Spec = serde_json::from_value(body.clone()).map_err(|error| vec![fault("$", error.to_string())])?;
    if spec.mode == Mode::Managed {
        // What becomes of the data is shown, also to those who said nothing.
        spec.deletion.get_or_insert_default();
    }
    faults.extend(instance_faults(&spec));
    faults.extend(cidr_faults(&spec));
    if faults.is_empty() { Ok(spec) } else { Err(faults) }
}

fn fault(path: impl Into<String>, message: impl Into<String>) -> Fault {
    Fault { path: path.into(), message: message.into() }
}

fn schema_faults(error: &jsonschema::ValidationError<'_>) -> Vec<Fault> {
    let path = json_path(error.instance_path().as_str());
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            unexpected.iter().map(|name| fault(format!("{path}.{name}"), "there is no such field")).collect()
        }
        ValidationErrorKind::Required { property } => {
            vec![fault(format!("{path}.{}", property.as_str().unwrap_or_default()), "this field is required")]
        }
        _ => vec![fault(path, with_rule(error))],
    }
}

/// The schema's own description says what is right in words; the validator only shows the pattern.
fn with_rule(error: &jsonschema::ValidationError<'_>) -> String {
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

/// What a mode makes of a field.
enum Rule {
    Needed,
    Allowed,
    /// It means something only together with this.
    Only(&'static str),
}

/// Nothing is ignored silently: what the mode needs and is not there is a fault, and so is what means nothing in it.
fn mode_faults(body: &Value) -> Vec<Fault> {
    let Some(fields) = body.as_object() else { return vec![] };
    let given = |name: &str| fields.get(name).is_some_and(|value| !value.is_null());
    let filled = |name: &str| given(name) && fields[name].as_array().is_none_or(|items| !items.is_empty());
    let rules = match fields.get("mode").map_or(Some("managed"), Value::as_str) {
        Some("managed") => managed_rules(),
        Some("self_managed") => self_managed_rules(filled("instance_types")),
        _ => return vec![],
    };
    let faults = rules.into_iter().filter_map(|(name, rule)| {
        let message = match rule {
            Rule::Needed if !filled(name) => "this field is required".to_owned(),
            Rule::Only(with) if given(name) => format!("only with {with}"),
            Rule::Needed | Rule::Allowed | Rule::Only(_) => return None,
        };
        Some(fault(format!("$.{name}"), message))
    });
    faults.collect()
}

fn managed_rules() -> Vec<(&'static str, Rule)> {
    let theirs = ["eks_cluster_name", "buckets", "node_role_arn", "subnet_ids"].map(|name| (name, Rule::Only("mode self_managed")));
    [("instance_types", Rule::Needed)].into_iter().chain(theirs).collect()
}

fn self_managed_rules(has_nodes: bool) -> Vec<(&'static str, Rule)> {
    let of_nodes = |rule| if has_nodes { rule } else { Rule::Only("instance_types") };
    let ours = ["admin_principal_arn", "public_access_cidrs", "deletion"].map(|name| (name, Rule::Only("mode managed")));
    let theirs = [
        ("eks_cluster_name", Rule::Needed),
        ("buckets", Rule::Needed),
        ("node_role_arn", of_nodes(Rule::Needed)),
        ("subnet_ids", of_nodes(Rule::Allowed)),
    ];
    theirs.into_iter().chain(ours).collect()
}

fn instance_faults(spec: &Spec) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (index, wanted) in spec.instance_types.iter().enumerate() {
        let path = format!("$.instance_types[{index}]");
        if let Err(message) = instances::image(&wanted.name) {
            faults.push(fault(format!("{path}.name"), message));
        }
        if wanted.overprovisioned_ondemand_count > wanted.max_count {
            let message = format!("{} is more than max_count ({})", wanted.overprovisioned_ondemand_count, wanted.max_count);
            faults.push(fault(format!("{path}.overprovisioned_ondemand_count"), message));
        }
        if spec.instance_types[..index].iter().any(|earlier| earlier.name == wanted.name) {
            faults.push(fault(format!("{path}.name"), format!("{} is listed twice", wanted.name)));
        }
    }
    faults
}

fn cidr_faults(spec: &Spec) -> Vec<Fault> {
    let cidrs = spec.public_access_cidrs.iter().flatten().enumerate();
    cidrs
        .filter(|(_, cidr)| !is_ipv4_network(cidr))
        .map(|(index, cidr)| {
            fault(
                format!("$.public_access_cidrs[{index}]"),
                format!("{cidr} is not an IPv4 range: four numbers up to 255, a prefix up to 32, and no bits set behind it"),
            )
        })
        .collect()
}

fn is_ipv4_network(cidr: &str) -> bool {
    let Some((address, prefix)) = cidr.split_once('/') else {
        return false;
    };
    let (Ok(address), Ok(prefix @ 0..=32)) = (address.parse::<std::net::Ipv4Addr>(), prefix.parse::<u32>()) else {
        return false;
    };
    let host_bits = u32::MAX.checked_shr(prefix).unwrap_or(0);
    u32::from(address) & host_bits == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn smallest() -> Value {
        json!({
            "name": "research",
            "role_arn": "arn:aws:iam::222222222222:role/groundwork",
            "region": "us-west-2",
            "instance_types": [{"name": "g4dn.xlarge"}]
        })
    }

    fn paths(body: &Value) -> Vec<String> {
        let mut paths: Vec<String> = parse(body).expect_err("must be refused").into_iter().map(|fault| fault.path).collect();
        paths.sort();
        paths
    }

    #[test]
    fn the_smallest_body_gets_the_documented_defaults() {
        let spec = parse(&smallest()).expect("valid");
        assert_eq!(spec.account(), "222222222222");
        assert_eq!((spec.instance_types[0].overprovisioned_ondemand_count, spec.instance_types[0].max_count), (0, 10));
        assert_eq!((spec.mode, spec.deletion), (Mode::Managed, Some(Deletion { buckets: BucketsAfter::Delete })));
    }

    #[test]
    fn every_fault_is_named_by_its_path_at_once() {
        let body = json!({
            "name": "-Research", "region": "us-west-2", "flavour": "sour", "deletion": {"buckets": "burn"},
            "instance_types": [{"name": "g4dn.xlarge", "count": 1}, {"name": 7}]
        });
        let expected = ["$.deletion.buckets", "$.flavour", "$.instance_types[0].count", "$.instance_types[1].name", "$.name", "$.role_arn"];
        assert_eq!(paths(&body), expected);
    }

    #[test]
    fn names_are_what_the_documents_say() {
        for (name, valid) in [("a", true), ("9-a", true), ("a-", false), ("-a", false), ("a.b", false), ("A", false), ("", false)] {
            let mut body = smallest();
            body["name"] = json!(name);
            assert_eq!((parse(&body).is_ok(), is_name(name)), (valid, valid), "{name:?}");
        }
        for (length, valid) in [(63, true), (64, false)] {
            let mut body = smallest();
            let name = "a".repeat(length);
            body["name"] = json!(name);
            assert_eq!((parse(&body).is_ok(), is_name(&name)), (valid, valid), "{length} characters");
        }
    }

    #[test]
    fn what_a_schema_cannot_say_is_checked_too() {
        let mut body = smallest();
        body["instance_types"] = json!([
            {"name": "g4dn.xlarge", "overprovisioned_ondemand_count": 3, "max_count": 2},
            {"name": "g4dn.xlarge"},
            {"name": "g4ad.xlarge"}
        ]);
        body["public_access_cidrs"] = json!(["203.0.113.0/24", "203.0.113.1/24", "300.0.0.0/8"]);
        let expected = [
            "$.instance_types[0].overprovisioned_ondemand_count",
            "$.instance_types[1].name",
            "$.instance_types[2].name",
            "$.public_access_cidrs[1]",
            "$.public_access_cidrs[2]",
        ];
        assert_eq!(paths(&body), expected);
    }

    fn self_managed() -> Value {
        json!({
            "name": "research", "role_arn": "arn:aws:iam::222222222222:role/groundwork", "region": "us-west-2", "mode": "self_managed",
            "eks_cluster_name": "theirs", "buckets": ["their-data"], "node_role_arn": "arn:aws:iam::222222222222:role/nodes",
            "instance_types": [{"name": "m6i.large"}]
        })
    }

    #[test]
    fn each_mode_has_its_fields_and_refuses_those_of_the_other() {
        let none = json!(null);
        for (base, field, value, expected) in [
            (self_managed(), "subnet_ids", json!(["subnet-0123456789abcdef0"]), ""),
            (self_managed(), "eks_cluster_name", none.clone(), "this field is required"),
            (self_managed(), "buckets", json!([]), "this field is required"),
            (self_managed(), "node_role_arn", none.clone(), "this field is required"),
            (self_managed(), "admin_principal_arn", json!("arn:aws:iam::222222222222:role/admin"), "only with mode managed"),
            (self_managed(), "public_access_cidrs", json!([]), "only with mode managed"),
            (self_managed(), "deletion", json!({}), "only with mode managed"),
            (smallest(), "eks_cluster_name", json!("theirs"), "only with mode self_managed"),
            (smallest(), "buckets", json!(["their-data"]), "only with mode self_managed"),
            (smallest(), "node_role_arn", json!("arn:aws:iam::222222222222:role/nodes"), "only with mode self_managed"),
            (smallest(), "subnet_ids", json!(["subnet-0123456789abcdef0"]), "only with mode self_managed"),
            (smallest(), "instance_types", json!([]), "this field is required"),
        ] {
            let mut body = base;
            body[field] = value.clone();
            let messages: Vec<Fault> = parse(&body).err().unwrap_or_default();
            let wanted = if expected.is_empty() { vec![] } else { vec![fault(format!("$.{field}"), expected)] };
            assert_eq!(messages, wanted, "{field}: {value}");
        }
    }

    #[test]
    fn a_self_managed_cluster_may_be_without_node_groups_and_then_their_role_and_subnets_mean_nothing() {
        let mut body = self_managed();
        body["subnet_ids"] = json!(["subnet-0123456789abcdef0"]);
        body["instance_types"] = json!([]);
        assert_eq!(paths(&body), ["$.node_role_arn", "$.subnet_ids"]);
        body["node_role_arn"] = json!(null);
        body["subnet_ids"] = json!(null);
        assert!(parse(&body).is_err(), "a list is not null");
        body.as_object_mut().expect("a body").remove("subnet_ids");
        assert_eq!(parse(&body).expect("valid").instance_types, []);
    }

    #[test]
    fn faults_of_the_mode_stand_beside_all_others() {
        let mut body = self_managed();
        body["buckets"] = json!(["their-data", "their-data", "No"]);
        body["deletion"] = json!({"buckets": "burn"});
        assert_eq!(paths(&body), ["$.buckets", "$.buckets[2]", "$.deletion", "$.deletion.buckets"]);
        body["mode"] = json!("managed by nobody");
        assert_eq!(paths(&body), ["$.buckets", "$.buckets[2]", "$.deletion.buckets", "$.mode"]);
    }

    #[test]
    fn a_spec_is_read_again_as_it_was_written() {
        for body in [smallest(), self_managed()] {
            let spec = parse(&body).expect("valid");
            assert_eq!(parse(&serde_json::to_value(&spec).expect("a value")), Ok(spec));
        }
    }

    #[test]
    fn a_fault_says_what_would_be_right() {
        let mut body = smallest();
        body["name"] = json!("Research");
        let faults = parse(&body).expect_err("must be refused");
        assert_eq!(
            faults[0].message,
            "\"Research\" is not valid: 1-63 lower-case letters, digits and hyphens, a letter or digit at both ends."
        );
    }
}
