//! What is refused, by example: a request for each rule of each field. The words are those of [`super::parse`].

use super::{Fault, Mode, older, parse};
use serde_json::{Value, json};

/// Fields that are given beside the smallest request of a mode.
pub type Refused = (Mode, Value);

use Mode::{Managed, SelfManaged};

/// An example for each rule.
pub fn all() -> Vec<Refused> {
    let of_sections = [of_nodes(), of_network(), of_access(), of_kubernetes(), of_encryption(), of_buckets(), of_deletion()];
    let parts = [of_every_mode(), of_older_systems()].into_iter().chain(of_sections).chain([of_self_managed()]);
    parts.flatten().collect()
}

fn of_every_mode() -> Vec<Refused> {
    let fields = [
        json!({"flavour": "sour"}),
        json!({"mode": "ours"}),
        json!({"name": null, "role_arn": null}),
        json!({"name": "Research"}),
        json!({"role_arn": role("admin")}),
        json!({"region": "Oregon"}),
        json!({"performance_profile": "fast"}),
        json!({"tags": (0..41).map(|index| (format!("tag-{index}"), json!(""))).collect::<Value>()}),
        json!({"tags": {"a,b": "", "team": "a, b", "team/name ": "c"}}),
        json!({"tags": {"groundwork:cluster": "mine", "CostCenter": "1", "costcenter": "2"}}),
    ];
    fields.map(|fields| (Managed, fields)).into()
}

fn of_older_systems() -> Vec<Refused> {
    older::WORDS.iter().map(|(word, _)| (Managed, json!({*word: "…"}))).collect()
}

fn of_nodes() -> Vec<Refused> {
    let one = |field: &str, value: Value| json!({"name": "m6i.large", field: value});
    let types = [
        json!(["m6i.large"]),
        many(21, |index| json!({"name": format!("m{index}.large")})),
        json!([{"name": "large"}]),
        json!([{"name": format!("m6i.{}", "x".repeat(29))}]),
        json!([{"name": "g4ad.xlarge"}, {"name": "t9.huge"}]),
        json!([{"name": "m6i.large"}, {"name": "m6i.large"}]),
        json!([one("max_count", json!(0))]),
        json!([one("max_count", json!(451))]),
        json!([one("max_count", json!(10.0))]),
        json!([one("overprovisioned_ondemand_count", json!(-1))]),
        json!([one("overprovisioned_ondemand_count", json!(451))]),
        json!([one("overprovisioned_ondemand_count", json!(11))]),
        json!([one("capacity", json!("reserved"))]),
        json!([one("alternatives", json!(["m7i.large"]))]),
        json!([spot(json!(["m6i.large", "m7g.large", "g4ad.xlarge"]))]),
        json!([spot(json!(["large"]))]),
        json!([spot(json!([format!("m7i.{}", "x".repeat(29))]))]),
        json!([spot(json!(["m7i.large", "m7i.large"]))]),
        json!([spot(many(6, |index| json!(format!("m{index}.large"))))]),
        json!([one("labels", json!({"kubernetes.io/role": "worker", "two words": "two words"}))]),
        json!([one("labels", (0..31).map(|index| (format!("label-{index}"), json!("a"))).collect::<serde_json::Map<_, _>>().into())]),
        json!([one("taints", json!([taint("nvidia.com/gpu"), taint("team"), taint("team")]))]),
        json!([one("taints", json!([{"key": "team", "value": "two words", "effect": "NoSchedule"}]))]),
        json!([one("taints", json!([{"key": "team", "effect": "Never"}]))]),
        json!([one("taints", many(21, |index| taint(&format!("taint-{index}"))))]),
        json!([one("disk_gib", json!(19))]),
        json!([one("disk_gib", json!(16385))]),
    ];
    let minutes = [0, 1441].map(|minutes| (Managed, json!({"scale_down_after_minutes": minutes})));
    types.map(|types| (Managed, json!({"instance_types": types}))).into_iter().chain(minutes).collect()
}

fn spot(alternatives: Value) -> Value {
    json!({"name": "m6i.large", "capacity": "spot", "alternatives": alternatives})
}

fn taint(key: &str) -> Value {
    json!({"key": key, "effect": "NoSchedule"})
}

fn of_network() -> Vec<Refused> {
    let networks = [
        json!({"cidr": "10.0.0.0/8", "service_cidr": "10.96.0.0/8"}),
        json!({"cidr": "10.0.4.0/16", "service_cidr": "10.96.4.0/16"}),
        json!({"cidr": "8.8.0.0/16", "service_cidr": "100.64.0.0/16"}),
        json!({"cidr": "172.17.0.0/16"}),
        json!({"service_cidr": "10.0.0.0/12"}),
        json!({"zones": ["us-west-2a"]}),
        json!({"zones": ["us-west-2a", "us-west-2a"]}),
        json!({"zones": ["us-west-2a", "us-west-2b", "us-west-2c", "us-west-2d"]}),
        json!({"zones": ["usw2-az1", "us-west-2b"]}),
        json!({"zones": ["us-west-2a", "us-east-1a"]}),
        json!({"subnet_ids": ["subnet-0123456789abcdef0"]}),
        json!({"subnet_ids": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef0"]}),
        json!({"subnet_ids": ["subnet-0123456789abcdef0", "subnet-of-mine"]}),
        json!({"subnet_ids": many(17, |index| json!(format!("subnet-{index:08x}")))}),
        json!({"cidr": "10.0.0.0/16", "zones": ["us-west-2a", "us-west-2b"], "subnet_ids": ["subnet-0000000a", "subnet-0000000b"]}),
        json!({"flow_logs": true, "subnet_ids": ["subnet-0000000a", "subnet-0000000b"]}),
    ];
    let networks = networks.map(|network| (Managed, json!({"network": network}))).into_iter();
    networks.chain([(Managed, json!({"network": {"flow_logs": true}, "buckets": [{"purpose": "artifacts"}]}))]).collect()
}

fn of_access() -> Vec<Refused> {
    let administrators = [
        json!(["ada"]),
        json!(["arn:aws:iam::333333333333:role/admin"]),
        json!([role("groundwork")]),
        json!([role("admin"), role("admin")]),
        many(6, |index| json!(role(&format!("admin-{index}")))),
        many(5, |index| json!(role(&format!("{}/{index}", "a".repeat(80))))),
    ];
    let ranges = [json!(["home"]), json!(["54.240.193.129/26", "10.0.0.0/8"]), many(41, |index| json!(format!("8.8.{index}.0/24")))];
    let users = [
        json!(["ada"]),
        json!(["arn:aws:iam::333333333333:role/ada"]),
        json!([role("groundwork")]),
        json!([role("ada"), role("ada")]),
        many(11, |index| json!(role(&format!("user-{index}")))),
        json!([role("ada"), role("bob")]),
    ];
    let users = users.map(|arns| json!({"access": {"administrators": [role("bob")], "users": arns}}));
    let both = json!({"admin_principal_arn": role("ada"), "access": {"administrators": [role("bob")]}});
    let fields = administrators.map(|arns| json!({"access": {"administrators": arns}})).into_iter();
    let fields = fields.chain(ranges.map(|ranges| json!({"access": {"public_cidrs": ranges}}))).chain(users).chain([both]);
    fields.map(|fields| (Managed, fields)).collect()
}

fn of_encryption() -> Vec<Refused> {
    let key = |place: &str| format!("arn:aws:kms:{place}:key/1234abcd-12ab-34cd-56ef-1234567890ab");
    let keys = ["alias/data".to_owned(), key("us-west-2:333333333333"), key("us-east-1:222222222222")];
    keys.map(|arn| (Managed, json!({"encryption": {"kms_key_arn": arn}}))).into()
}

fn of_kubernetes() -> Vec<Refused> {
    let fields = [
        json!({"version": "v1.35.2"}),
        json!({"logs": []}),
        json!({"logs": ["kubelet"]}),
        json!({"logs": ["audit", "audit"]}),
        json!({"log_retention_days": 100}),
        json!({"upgrade_policy": "never"}),
    ];
    fields.map(|fields| (Managed, json!({"kubernetes": fields}))).into()
}

fn of_buckets() -> Vec<Refused> {
    let one = |field: &str, value: Value| json!({"purpose": "logs", field: value});
    let buckets = [
        json!(["their-data"]),
        json!([{"purpose": "Logs"}]),
        json!([{"purpose": "logs"}, {"purpose": "logs"}]),
        many(11, |index| json!({"purpose": format!("data-{index}")})),
        json!([one("expire_days", json!(0)), one("old_versions_days", json!(0))]),
        json!([one("expire_days", json!(3651)), one("old_versions_days", json!(3651))]),
    ];
    buckets.map(|buckets| (Managed, json!({"buckets": buckets}))).into()
}

fn of_deletion() -> Vec<Refused> {
    let deletions = [json!({"data": "archive", "buckets": "burn"}), json!({"data": "keep", "buckets": "retain"})];
    deletions.map(|deletion| (Managed, json!({"deletion": deletion}))).into()
}

fn of_self_managed() -> Vec<Refused> {
    let nodes = |arn: String| json!({"instance_types": [{"name": "m6i.large"}], "node_role_arn": arn});
    let subnets = |ids: Value| json!({"network": {"subnet_ids": ids}});
    let fields = [
        json!({"access": {}, "deletion": {}}),
        json!({"eks_cluster_name": null, "buckets": []}),
        json!({"eks_cluster_name": "their cluster"}),
        json!({"buckets": ["Data"]}),
        json!({"buckets": ["data", "data"]}),
        json!({"buckets": many(11, |index| json!(format!("data-{index}")))}),
        json!({"instance_types": [{"name": "m6i.large"}]}),
        nodes("nodes".into()),
        nodes("arn:aws:iam::333333333333:role/nodes".into()),
        nodes(role(&"n".repeat(160))),
        json!({"node_role_arn": role("nodes"), "network": {"subnet_ids": ["subnet-0123456789abcdef0"]}}),
        subnets(json!([])),
        subnets(json!(["subnet-of-mine"])),
        subnets(many(21, |index| json!(format!("subnet-{index:08x}")))),
    ];
    let theirs = fields.map(|fields| (SelfManaged, fields));
    [(Managed, json!({"eks_cluster_name": "theirs"}))].into_iter().chain(theirs).collect()
}

fn role(name: &str) -> String {
    format!("arn:aws:iam::222222222222:role/{name}")
}

fn many(count: usize, one: impl Fn(usize) -> Value) -> Value {
    (0..count).map(one).collect()
}

/// The smallest request of a mode, with the given fields in it and without those that are null.
fn body((mode, fields): &Refused) -> Value {
    let mut body = match mode {
        Managed => json!({"instance_types": [{"name": "m6i.large"}]}),
        SelfManaged => json!({"mode": "self_managed", "eks_cluster_name": "theirs", "buckets": ["their-data"]}),
    };
    for (name, value) in [("name", "research"), ("role_arn", "arn:aws:iam::222222222222:role/groundwork"), ("region", "us-west-2")] {
        body[name] = json!(value);
    }
    for (name, value) in fields.as_object().into_iter().flatten() {
        body[name] = value.clone();
    }
    body.as_object()
        .into_iter()
        .flatten()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// What is said of it.
pub fn faults(refused: &Refused) -> Vec<Fault> {
    parse(&body(refused)).err().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::fault::places;
    use super::super::{fields, schema};
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_example_is_refused() {
        for refused in all() {
            assert_ne!(faults(&refused), [], "{refused:?}");
        }
    }

    /// What a schema says beside that something is there and of which type.
    const RULES: [&str; 9] = ["pattern", "minimum", "maximum", "minItems", "maxItems", "uniqueItems", "maxLength", "maxProperties", "enum"];

    #[test]
    fn there_is_an_example_for_every_rule_of_the_schema() {
        let hit: BTreeSet<String> = all().iter().flat_map(broken).collect();
        for mode in [Managed, SelfManaged] {
            let schema = &fields::of(&body(&(mode, json!({})))).schema;
            let properties =
                schema::fields(mode).into_iter().flat_map(|name| rules(&schema["properties"][name], format!("/properties/{name}")));
            let missing: Vec<String> =
                properties.chain(rules(&schema["$defs"], "/$defs".into())).filter(|rule| !hit.contains(rule)).collect();
            assert_eq!(missing, [""; 0], "{mode}");
        }
    }

    /// The rules that an example breaks, by where the schema has them.
    fn broken(refused: &Refused) -> Vec<String> {
        let body = body(refused);
        let body = super::super::modern(&body);
        fields::of(&body).validator.iter_errors(&body).map(|error| error.schema_path().as_str().to_owned()).collect()
    }

    fn rules(schema: &Value, path: String) -> Vec<String> {
        let Some(fields) = schema.as_object() else { return vec![] };
        let below = fields.iter().filter(|(name, _)| !["oneOf"].contains(&name.as_str()));
        let below = below.flat_map(|(name, part)| rules(part, format!("{path}/{name}")));
        let own = RULES.into_iter().filter(|rule| fields.contains_key(*rule)).map(|rule| format!("{path}/{rule}"));
        own.chain(below).collect()
    }

    /// By where the source makes a fault: of what only the code knows, no list can be made that nobody forgets.
    #[test]
    fn there_is_an_example_for_every_fault_of_the_code() {
        let made = places::of(|| all().iter().for_each(|refused| drop(faults(refused))));
        let missing: Vec<String> = places::all().into_iter().filter(|site| !made.contains(site)).collect();
        assert_eq!(missing, [""; 0]);
    }
}
