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

fn self_managed() -> Value {
    json!({
        "name": "research", "role_arn": "arn:aws:iam::222222222222:role/groundwork", "region": "us-west-2", "mode": "self_managed",
        "eks_cluster_name": "theirs", "buckets": ["their-data"], "node_role_arn": "arn:aws:iam::222222222222:role/nodes",
        "instance_types": [{"name": "m6i.large"}]
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
    assert_eq!((spec.instance_types[0].overprovisioned_ondemand_count, spec.instance_types[0].max_count), (0, 10));
    let deletion = Deletion { data: Some(Data::Keep), buckets: None };
    let performance_profile = Some(PerformanceProfile::CostSaving);
    let network = Network { cidr: Some(Cidr::new([10, 0, 0, 0], 16)), ..Network::default() };
    let buckets = Some(buckets::usual());
    let mut expected = Managed { performance_profile, network, buckets, deletion, ..Managed::default() };
    expected.kubernetes.settle();
    assert_eq!(spec.ground, Ground::Managed(expected));
}

#[test]
fn every_fault_is_named_by_its_path_at_once() {
    let body = json!({
        "name": "-Research", "region": "us-west-2", "flavour": "sour", "deletion": {"buckets": "burn", "data": "archive"},
        "instance_types": [{"name": "g4dn.xlarge", "count": 1}, {"name": 7}]
    });
    let of_nodes = ["$.instance_types[0].count", "$.instance_types[1].name"];
    let expected = [["$.deletion.buckets", "$.deletion.data", "$.flavour"].as_slice(), &of_nodes, &["$.name", "$.role_arn"]].concat();
    assert_eq!(paths(&body), expected);
}

#[test]
fn names_are_as_documented() {
    let longest = "a".repeat(63);
    let longer = "a".repeat(64);
    for (name, valid) in [
        ("a", true),
        ("9-a", true),
        (longest.as_str(), true),
        (longer.as_str(), false),
        ("a-", false),
        ("-a", false),
        ("a.b", false),
        ("A", false),
        ("", false),
    ] {
        let mut body = smallest();
        body["name"] = json!(name);
        assert_eq!((parse(&body).is_ok(), is_name(name)), (valid, valid), "{name:?}");
    }
}

#[test]
fn faults_that_a_schema_cannot_find_are_found_in_every_section() {
    let mut body = smallest();
    body["instance_types"] = json!([
        {"name": "g4dn.xlarge", "overprovisioned_ondemand_count": 3, "max_count": 2},
        {"name": "g4dn.xlarge"},
        {"name": "g4ad.xlarge"}
    ]);
    body["access"] = json!({"public_cidrs": ["54.240.193.0/24", "54.240.193.1/24", "10.0.0.0/8"]});
    body["deletion"] = json!({"data": "keep", "buckets": "retain"});
    let expected = [
        "$.access.public_cidrs[1]",
        "$.access.public_cidrs[2]",
        "$.deletion.buckets",
        "$.instance_types[0].overprovisioned_ondemand_count",
        "$.instance_types[1].name",
        "$.instance_types[2].name",
    ];
    assert_eq!(paths(&body), expected);
}

#[test]
fn a_fault_of_one_field_hides_none_of_the_others() {
    let mut body = smallest();
    body["name"] = json!("No");
    body["role_arn"] = json!("no role");
    body["admin_principal_arn"] = json!("arn:aws:iam::222222222222:role/admin");
    body["instance_types"] = json!([{"name": "t9.huge"}, {"name": "g4dn.xlarge"}, {"name": "g4dn.xlarge"}]);
    assert_eq!(paths(&body), ["$.instance_types[0].name", "$.instance_types[2].name", "$.name", "$.role_arn"]);
    body["role_arn"] = json!("arn:aws:iam::333333333333:role/groundwork");
    assert_eq!(paths(&body)[0], "$.admin_principal_arn");
    body["instance_types"][1]["max_count"] = json!("many");
    assert_eq!(paths(&body), ["$.admin_principal_arn", "$.instance_types[1].max_count", "$.name"]);
    body["access"] = json!({"public_cidrs": ["10.0.0.0/8"], "from": "home"});
    let of_access = ["$.access.from", "$.access.public_cidrs[0]"];
    assert_eq!(paths(&body)[..2], of_access, "nor does one of a section");
}

#[test]
fn each_mode_has_its_fields_and_refuses_the_others() {
    let none = json!(null);
    for (base, field, value, expected) in [
        (self_managed(), "subnet_ids", json!(["subnet-0123456789abcdef0"]), ""),
        (self_managed(), "network", json!({"subnet_ids": ["subnet-0123456789abcdef0"]}), ""),
        (self_managed(), "access", json!({}), "only with mode managed"),
        (self_managed(), "admin_principal_arn", none.clone(), ""),
        (self_managed(), "eks_cluster_name", none.clone(), "this field is required"),
        (self_managed(), "buckets", json!([]), "an empty list is not enough: at least one is required"),
        (self_managed(), "node_role_arn", none.clone(), "this field is required"),
        (self_managed(), "deletion", json!({}), "only with mode managed"),
        (smallest(), "mode", json!("managed"), ""),
        (smallest(), "eks_cluster_name", none, ""),
        (smallest(), "eks_cluster_name", json!("theirs"), "only with mode self_managed"),
        (smallest(), "node_role_arn", json!("arn:aws:iam::222222222222:role/nodes"), "only with mode self_managed"),
        (smallest(), "subnet_ids", json!(["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]), ""),
        (smallest(), "network", json!({"subnet_ids": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]}), ""),
        (smallest(), "instance_types", json!([]), ""),
    ] {
        let mut body = base;
        body[field] = value.clone();
        let found = parse(&body).err().unwrap_or_default();
        let wanted = if expected.is_empty() { vec![] } else { vec![Fault::new(format!("$.{field}"), expected)] };
        assert_eq!(found, wanted, "{field}: {value}");
    }
}

#[test]
fn a_self_managed_cluster_may_be_without_node_groups() {
    let mut body = self_managed();
    body["instance_types"] = json!([]);
    body["node_role_arn"] = json!(null);
    assert_eq!(parse(&body).expect("valid").instance_types, []);
    body.as_object_mut().expect("a body").remove("instance_types");
    assert_eq!(parse(&body).expect("valid").instance_types, []);
}

#[test]
fn without_node_groups_their_role_and_subnets_are_refused() {
    let mut body = self_managed();
    body["subnet_ids"] = json!(["subnet-0123456789abcdef0"]);
    body["instance_types"] = json!([]);
    let only = |field: &str| Fault::new(field, "only with instance_types");
    assert_eq!(parse(&body), Err(vec![only("$.node_role_arn"), only("$.subnet_ids")]));
    body["node_role_arn"] = json!(null);
    body["subnet_ids"] = json!(null);
    assert!(parse(&body).is_ok(), "they are not given");
}

#[test]
fn faults_of_the_mode_are_named_with_all_others() {
    let mut body = self_managed();
    body["buckets"] = json!(["their-data", "their-data", "No"]);
    body["deletion"] = json!({"buckets": "burn"});
    assert_eq!(paths(&body), ["$.buckets", "$.buckets[2]", "$.deletion", "$.deletion.buckets"]);
    body["mode"] = json!("managed by nobody");
    assert_eq!(paths(&body), ["$.buckets[0]", "$.buckets[1]", "$.buckets[2]", "$.deletion.buckets", "$.mode"]);
}

#[test]
fn buckets_are_made_by_purpose_and_the_customers_are_named() {
    let says = |base: Value, buckets: Value| {
        let mut body = base;
        body["buckets"] = buckets;
        parse(&body).err().unwrap_or_default().into_iter().map(|fault| (fault.path, fault.message)).collect::<Vec<_>>()
    };
    for (base, buckets, reason) in [
        (smallest(), json!([{"purpose": "datasets", "expire_days": 90, "old_versions_days": 7}]), "made"),
        (smallest(), json!([]), "none is made"),
        (self_managed(), json!(["their-data"]), "named"),
    ] {
        assert_eq!(says(base, buckets), [], "{reason}");
    }
    let [(path, message)] = &says(smallest(), json!(["their-data"]))[..] else { panic!("one fault") };
    assert!(path == "$.buckets[0]" && message.ends_with("names of buckets of your own belong to the mode self_managed."), "{message}");
    assert_eq!(says(self_managed(), json!([{"purpose": "logs"}])).len(), 1, "the customer made theirs");
    assert_eq!(Spec::deserialize(smallest()).expect("of before").buckets(), buckets::usual());
}

#[test]
fn the_door_fills_in_a_region_where_none_is_named() {
    let mut none = smallest();
    none.as_object_mut().expect("a body").remove("region");
    assert_eq!(paths(&none), ["$.region"], "nothing is made in a region that nobody knows");
    for (body, expected, reason) in [(none, "eu-west-1", "the default"), (smallest(), "us-west-2", "the tenant's")] {
        assert_eq!(parse(&in_region(body, "eu-west-1")).expect("valid").region, expected, "{reason}");
    }
    assert_eq!(paths(&in_region(json!([]), "eu-west-1")), ["$"]);
}

#[test]
fn a_body_that_is_no_object_or_has_no_field_is_refused() {
    assert_eq!(paths(&json!([])), ["$"]);
    assert_eq!(paths(&json!({})), ["$.name", "$.region", "$.role_arn"]);
}

#[test]
fn a_written_spec_is_read_the_same() {
    for body in [smallest(), self_managed()] {
        let spec = parse(&body).expect("valid");
        assert_eq!(parse(&json!(spec)), Ok(spec));
    }
}

#[test]
fn a_spec_is_shown_only_with_the_fields_of_its_mode() {
    let mut managed = smallest();
    managed["mode"] = json!("managed");
    managed["performance_profile"] = json!("cost_saving");
    managed["network"] = json!({"cidr": "10.0.0.0/16"});
    managed["kubernetes"] =
        json!({"version": "1.35", "logs": ["audit", "authenticator"], "log_retention_days": 90, "upgrade_policy": "standard"});
    managed["buckets"] = json!([{"purpose": "artifacts"}, {"purpose": "checkpoints"}, {"purpose": "logs"}]);
    managed["deletion"] = json!({"data": "keep"});
    managed["scale_down_after_minutes"] = json!(10);
    managed["instance_types"][0] = json!({"name": "g4dn.xlarge", "overprovisioned_ondemand_count": 0, "max_count": 10});
    assert_eq!(json!(parse(&smallest()).expect("valid")), managed);
    let mut theirs = self_managed();
    theirs["instance_types"][0] = json!({"name": "m6i.large", "overprovisioned_ondemand_count": 0, "max_count": 10});
    theirs["scale_down_after_minutes"] = json!(10);
    assert_eq!(json!(parse(&self_managed()).expect("valid")), theirs);
}

#[test]
fn a_fault_says_what_would_be_valid() {
    for (field, value, message) in [
        (
            "name",
            json!("Research"),
            "\"Research\" is not valid: 1-63 lower-case letters, digits and hyphens, a letter or digit at both ends.",
        ),
        ("region", json!(null), "null is not of type \"string\": An AWS region such as us-west-2; if absent, the operator's default."),
        ("flavour", json!("sour"), "there is no such field"),
        (
            "tags",
            json!({"a,b": ""}),
            "\"a,b\" is not valid: Up to 40 tags, such as {\"CostCenter\": \"4711\"}, on everything that is made, nodes, volumes and interfaces \
             included; with the mode self_managed on the node groups, from which EKS gives nodes none. A key has 1 to 127 letters, digits, \
             spaces and _.:/+@-, a value up to 255 and = too; no space at an end.",
        ),
        (
            "mode",
            json!("self-managed"),
            "\"self-managed\" is not one of \"managed\" or \"self_managed\": Who makes the cluster and its buckets: Groundwork; \
             or the customer, and Groundwork verifies them and adds node groups.",
        ),
    ] {
        let mut body = smallest();
        body[field] = value;
        assert_eq!(parse(&body), Err(vec![Fault::new(format!("$.{field}"), message)]));
    }
}

#[test]
fn a_number_that_is_not_written_as_an_integer_is_named_at_its_own_path() {
    for (text, path) in [
        ("10.0", "$.instance_types[0].max_count"),
        ("1e1", "$.instance_types[0].max_count"),
        ("10.5", "$.instance_types[0].max_count"),
        ("-1", "$.instance_types[0].max_count"),
        ("4294967296", "$.instance_types[0].max_count"),
        ("1e99", "$.instance_types[0].max_count"),
    ] {
        let mut body = smallest();
        body["instance_types"][0]["max_count"] = serde_json::from_str(text).expect("a number");
        assert_eq!(paths(&body), [path], "{text}");
    }
    let mut elsewhere = smallest();
    elsewhere["name"] = json!(1.0);
    elsewhere["flavour"] = json!({"sour": 1.0});
    assert_eq!(paths(&elsewhere), ["$.flavour", "$.name"], "where a schema names it, it is named once");
}

#[test]
fn names_where_objects_belong_are_answered_with_what_to_write() {
    let wanted = |name: &str| format!("\"{name}\" is not an object: write [{{\"name\": \"{name}\"}}]");
    for (value, faults) in [
        (json!(["g4dn.xlarge"]), vec![Fault::new("$.instance_types[0]", wanted("g4dn.xlarge"))]),
        (json!("g4dn.xlarge"), vec![Fault::new("$.instance_types", wanted("g4dn.xlarge"))]),
        (json!([{"name": "g4dn.xlarge"}, "m6i.large"]), vec![Fault::new("$.instance_types[1]", wanted("m6i.large"))]),
    ] {
        let mut body = smallest();
        body["instance_types"] = value;
        assert_eq!(parse(&body), Err(faults));
    }
    let mut count = smallest();
    count["instance_types"][0]["max_count"] = json!("many");
    assert!(parse(&count).expect_err("no number")[0].message.contains("is not of type \"integer\""));
}

#[test]
fn what_was_sent_is_shown_shortened() {
    let long = "N".repeat(60_000);
    let mut body = smallest();
    body["name"] = json!(long);
    body["region"] = json!([long]);
    body["instance_types"] = json!([long, {"name": long, "max_count": long}]);
    body[&long] = json!(1);
    let faults = parse(&body).expect_err("all of it is wrong");
    assert_eq!(faults.len(), 7, "{faults:?}");
    for Fault { path, message } in faults {
        assert!(path.chars().count() <= 101 && message.chars().count() <= 400, "{path}: {message}");
    }
}

#[test]
fn the_printed_schema_has_a_closed_object_for_each_mode() {
    let schema = schemars::schema_for!(Spec).to_value();
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let mut both = self_managed();
    both["deletion"] = json!({});
    let mut open = smallest();
    open["flavour"] = json!("sour");
    for (body, valid, reason) in [
        (smallest(), true, "managed is the default"),
        (self_managed(), true, "self-managed by its name"),
        (both, false, "a field of the other mode"),
        (open, false, "a field of no mode"),
        (json!({"name": "a"}), false, "required fields are missing"),
    ] {
        assert_eq!(validator.is_valid(&body), valid, "{reason}");
    }
}

#[test]
fn account_and_names_come_from_the_roles_arn() {
    let mut body = smallest();
    body["role_arn"] = json!("arn:aws-us-gov:iam::222222222222:role/groundwork-2");
    let spec = parse(&body).expect("valid");
    assert_eq!((spec.partition(), spec.account(), spec.role_name()), ("aws-us-gov", "222222222222", "groundwork-2"));
    assert_eq!(spec.names(), Names { partition: "aws-us-gov", account: "222222222222", role: "groundwork-2" });
}

#[test]
fn principals_are_in_the_roles_account() {
    let foreign = Some("this must be in the account of role_arn, 222222222222");
    let ours = Some("this must be a principal of yours, and not a role of Groundwork's");
    for (base, field, arn, fault, reason) in [
        (smallest(), "admin_principal_arn", "arn:aws:iam::222222222222:user/team/ada", None, "the role's account"),
        (smallest(), "admin_principal_arn", "arn:aws:iam::222222222222:role/groundwork-admins", None, "a name like ours"),
        (smallest(), "admin_principal_arn", "arn:aws:iam::333333333333:role/admin", foreign, "another account"),
        (smallest(), "admin_principal_arn", "arn:aws-us-gov:iam::222222222222:role/admin", foreign, "another partition's account"),
        (smallest(), "admin_principal_arn", "arn:aws:iam::222222222222:role/groundwork", ours, "the role itself"),
        (smallest(), "admin_principal_arn", "arn:aws:iam::222222222222:role/groundwork/groundwork-x-node", ours, "made by us"),
        (self_managed(), "node_role_arn", "arn:aws:iam::333333333333:role/nodes", foreign, "EKS takes roles of its own account only"),
    ] {
        let mut body = base;
        body[field] = json!(arn);
        let wanted: Vec<Fault> = fault.into_iter().map(|message| Fault::new(format!("$.{field}"), message)).collect();
        assert_eq!(parse(&body).err().unwrap_or_default(), wanted, "{reason}");
    }
}

#[test]
fn only_partitions_that_are_supported_are_let_in_and_others_stay_readable() {
    for (partition, supported) in [("aws", true), ("aws-us-gov", true), ("aws-cn", false), ("aws-iso", false)] {
        let mut body = smallest();
        body["role_arn"] = json!(format!("arn:{partition}:iam::222222222222:role/groundwork"));
        let faults = parse(&body).err().unwrap_or_default();
        assert_eq!(faults.is_empty(), supported, "{partition}");
        assert!(faults.iter().all(|fault| fault.message.contains("in the partition aws or aws-us-gov")), "{faults:?}");
        assert_eq!(Spec::deserialize(&body).expect("stored, it is read").partition(), partition);
    }
}

#[test]
fn data_goes_only_if_the_tenant_says_so() {
    for (deletion, data, retains_buckets, stored) in [
        (json!({}), Data::Keep, false, json!({"data": "keep"})),
        (json!({"data": null, "buckets": null}), Data::Keep, false, json!({"data": "keep"})),
        (json!({"data": "keep"}), Data::Keep, false, json!({"data": "keep"})),
        (json!({"data": "delete"}), Data::Delete, false, json!({"data": "delete"})),
        (json!({"buckets": "delete"}), Data::Delete, false, json!({"data": "delete"})),
        (json!({"buckets": "retain"}), Data::Keep, true, json!({"buckets": "retain"})),
    ] {
        let mut body = smallest();
        body["deletion"] = deletion.clone();
        let spec = parse(&body).expect("valid");
        assert_eq!((spec.data(), spec.retains_buckets()), (data, retains_buckets), "{deletion}");
        assert_eq!(json!(spec)["deletion"], stored, "{deletion}");
    }
}

#[test]
fn a_field_that_is_given_as_a_parameter_has_the_rules_of_the_body() {
    let role = "arn:aws:iam::222222222222:role/groundwork";
    for (role_arn, region, expected, reason) in [
        (Some(role), "us-west-2", &[][..], "both are valid, and nothing else of a spec is asked for"),
        (None, "us-west-2", &["?role_arn"], "it is needed"),
        (Some(""), "us-west-2", &["?role_arn"], "empty"),
        (Some("arn:aws:iam::222222222222:role/admin"), "Oregon", &["?role_arn", "?region"], "both faults at once"),
    ] {
        let mut faults = parameter_faults(&[("role_arn", role_arn), ("region", Some(region))]);
        faults.sort_by(|one, other| other.path.cmp(&one.path));
        assert_eq!(faults.iter().map(|fault| fault.path.as_str()).collect::<Vec<_>>(), expected, "{reason}");
        let says = |fault: &Fault| {
            ["\"groundwork\" and up to", "such as us-west-2", fields::REQUIRED].iter().any(|rule| fault.message.contains(rule))
        };
        assert!(faults.iter().all(says), "{faults:?}");
    }
}
