//! A spec as a record holds it. Only the door is strict: what is stored was once accepted, perhaps by a newer version that has since been
//! rolled back, and it must be possible to read, write and show it whatever it says.

use crate::spec::{self, Spec};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A spec as it is stored and shown: all fields as they were written, and as much as this version understands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(from = "Value", into = "Value")]
#[schemars(with = "Spec")]
pub struct StoredSpec {
    written: Value,
    understood: Result<Spec, String>,
}

impl StoredSpec {
    /// What this version understands of it.
    ///
    /// # Errors
    /// Why this version does not understand it, such as an unknown mode.
    pub fn read(&self) -> Result<&Spec, &str> {
        self.understood.as_ref().map_err(String::as_str)
    }

    /// All of it, as it was written.
    pub fn written(&self) -> &Value {
        &self.written
    }

    /// The JSON paths of the fields that this version does not know, or not in this mode. They are kept when the record is written.
    pub fn unknown(&self) -> Vec<String> {
        let modern = spec::modern(&self.written);
        let foreign = spec::foreign(&modern).into_iter().map(|(name, _)| format!("$.{name}"));
        spec::unknown_fields(&modern).into_iter().chain(foreign).collect()
    }

    /// What a tenant should know if this version does not understand all of it.
    pub fn notice(&self) -> Option<String> {
        let newer = "This cluster's record was written by a newer version of Groundwork";
        let unknown = self.unknown();
        match &self.understood {
            Err(why) => Some(format!("{newer}: this one cannot understand it ({why}).")),
            Ok(_) if unknown.is_empty() => None,
            Ok(_) => Some(format!("{newer}: the fields {} are not understood.", unknown.join(", "))),
        }
    }

    /// Under the names of now, as people see it. What is stored keeps the names that it was written with, so that the version that wrote it
    /// understands it if it comes back.
    pub fn shown(&self) -> Self {
        spec::modern(&self.written).into()
    }

    /// The AWS region, known even if nothing else is understood.
    pub fn region(&self) -> Option<&str> {
        self.written.get("region")?.as_str()
    }

    /// The cluster's account, twelve digits, known even if nothing else is understood.
    pub fn account(&self) -> Option<&str> {
        spec::account(self.written.get("role_arn")?.as_str()?)
    }
}

impl From<Value> for StoredSpec {
    fn from(written: Value) -> Self {
        let understood = Spec::deserialize(spec::modern(&written)).map_err(|error| error.to_string());
        Self { written, understood }
    }
}

impl From<StoredSpec> for Value {
    fn from(spec: StoredSpec) -> Self {
        spec.written
    }
}

impl From<Spec> for StoredSpec {
    #[expect(clippy::expect_used, reason = "texts, numbers and lists of them always have a JSON text")]
    fn from(spec: Spec) -> Self {
        let written = serde_json::to_value(&spec).expect("a spec is JSON");
        Self { written, understood: Ok(spec) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{BucketsAfter, Data, Ground, SelfManaged, Subnets, parse};
    use serde_json::json;

    /// As written by the last version without modes as types.
    const MANAGED: &str = r#"{
        "name": "research", "role_arn": "arn:aws:iam::222222222222:role/groundwork", "region": "us-west-2", "mode": "managed",
        "instance_types": [{"name": "g4dn.xlarge", "overprovisioned_ondemand_count": 1, "max_count": 10}],
        "admin_principal_arn": "arn:aws:iam::222222222222:role/admin", "public_access_cidrs": ["54.240.193.129/32"],
        "deletion": {"buckets": "retain"}
    }"#;
    const SELF_MANAGED: &str = r#"{
        "name": "research", "role_arn": "arn:aws:iam::222222222222:role/groundwork", "region": "us-west-2", "mode": "self_managed",
        "instance_types": [{"name": "m6i.large", "overprovisioned_ondemand_count": 0, "max_count": 10}],
        "eks_cluster_name": "theirs", "buckets": ["their-data"], "node_role_arn": "arn:aws:iam::222222222222:role/nodes",
        "subnet_ids": ["subnet-0123456789abcdef0"]
    }"#;
    const WITHOUT_NODES: &str = r#"{
        "name": "research", "role_arn": "arn:aws:iam::222222222222:role/groundwork", "region": "us-west-2", "mode": "self_managed",
        "instance_types": [], "eks_cluster_name": "theirs", "buckets": ["their-data"]
    }"#;

    fn value(text: &str) -> Value {
        serde_json::from_str(text).expect("JSON")
    }

    fn stored(text: &str) -> StoredSpec {
        serde_json::from_str(text).expect("whatever is stored is read")
    }

    #[test]
    fn rows_of_the_last_version_are_read_and_written_with_the_same_text() {
        for row in [MANAGED, SELF_MANAGED, WITHOUT_NODES] {
            let stored = stored(row);
            assert_eq!((stored.notice(), stored.unknown()), (None, vec![]), "{row}");
            assert_eq!(json!(stored), value(row));
            assert!(parse(stored.written()).is_ok(), "the door lets it in too");
        }
    }

    #[test]
    fn rows_of_the_last_version_are_shown_under_the_names_of_now() {
        let managed = stored(MANAGED).shown();
        let access = json!({"administrators": ["arn:aws:iam::222222222222:role/admin"], "public_cidrs": ["54.240.193.129/32"]});
        assert_eq!((json!(managed)["access"].clone(), json!(managed).get("admin_principal_arn")), (access, None));
        assert_eq!(json!(stored(SELF_MANAGED).shown())["network"], json!({"subnet_ids": ["subnet-0123456789abcdef0"]}));
        for row in [MANAGED, SELF_MANAGED, WITHOUT_NODES] {
            let stored = stored(row);
            assert_eq!(json!(stored.read().expect("understood")), json!(stored.shown()), "and written so when it is written anew");
        }
    }

    #[test]
    fn every_field_of_the_last_versions_rows_is_understood() {
        let managed = stored(MANAGED);
        let ours = managed.read().expect("understood").managed().expect("managed");
        assert_eq!(ours.access.administrators, ["arn:aws:iam::222222222222:role/admin"]);
        assert_eq!(ours.access.public_cidrs, Some(vec!["54.240.193.129/32".to_owned()]));
        assert_eq!((ours.deletion.data, ours.deletion.buckets), (None, Some(BucketsAfter::Retain)));
        let expected = SelfManaged {
            eks_cluster_name: "theirs".into(),
            buckets: vec!["their-data".into()],
            node_role_arn: Some("arn:aws:iam::222222222222:role/nodes".into()),
            network: Subnets { subnet_ids: vec!["subnet-0123456789abcdef0".into()] },
        };
        assert_eq!(stored(SELF_MANAGED).read().expect("understood").ground, Ground::SelfManaged(expected));
    }

    #[test]
    fn a_row_without_a_mode_is_managed_and_gets_no_new_fields() {
        let mut row = value(MANAGED);
        for field in ["mode", "deletion", "admin_principal_arn", "public_access_cidrs"] {
            row.as_object_mut().expect("a row").remove(field);
        }
        let stored = StoredSpec::from(row.clone());
        assert_eq!(stored.read().expect("understood").managed(), Some(&Default::default()));
        assert_eq!((json!(stored), stored.notice()), (row, None));
    }

    /// It wrote its default out, so that nobody can tell whether the tenant had asked for it.
    #[test]
    fn a_row_of_the_version_that_deleted_by_default_keeps_the_data_and_its_text() {
        let mut row = value(MANAGED);
        row["deletion"] = json!({"buckets": "delete"});
        let stored = StoredSpec::from(row.clone());
        assert_eq!(stored.read().map(Spec::data), Ok(Data::Keep));
        assert_eq!((json!(stored), json!(stored.read().expect("understood"))["deletion"].clone()), (row.clone(), row["deletion"].clone()));
    }

    #[test]
    fn a_newer_versions_fields_are_kept_and_named_and_the_rest_understood() {
        for (row, field, value_of_it, path, reason) in [
            (MANAGED, "/backup", json!({"plan": "daily"}), "$.backup", "a new section"),
            (MANAGED, "/deletion/volumes", json!("retain"), "$.deletion.volumes", "a field of a section"),
            (MANAGED, "/instance_types/0/spot", json!(true), "$.instance_types[0].spot", "a field of one of a list"),
            (SELF_MANAGED, "/deletion", json!({"buckets": "retain"}), "$.deletion", "a field that has reached this mode since"),
        ] {
            let mut newer = value(row);
            let (parent, name) = field.rsplit_once('/').expect("a pointer");
            newer.pointer_mut(parent).expect("it is there")[name] = value_of_it;
            let stored = stored(&newer.to_string());
            assert_eq!(stored.read(), self::stored(row).read(), "{reason}: what is known is read");
            assert_eq!(json!(stored), newer, "{reason}: kept when it is written again");
            assert_eq!(stored.unknown(), [path], "{reason}");
            assert!(stored.notice().is_some_and(|notice| notice.contains("newer version") && notice.contains(path)), "{reason}");
            assert!(parse(&newer).is_err(), "{reason}: the door stays shut");
        }
    }

    #[test]
    fn a_row_that_is_not_understood_is_shown_unchanged_with_the_reason() {
        for (field, newer, why) in [
            ("mode", json!("fargate"), "unknown variant `fargate`"),
            ("instance_types", json!({"g4dn.xlarge": {}}), "invalid type"),
            ("deletion", json!({"buckets": "archive"}), "unknown variant `archive`"),
        ] {
            let mut row = value(MANAGED);
            row[field] = newer;
            let stored = stored(&row.to_string());
            assert!(stored.read().expect_err(field).contains(why), "{:?}", stored.read());
            assert!(stored.notice().is_some_and(|notice| notice.contains(why)));
            assert_eq!(json!(stored), row, "kept when it is written again");
            assert_eq!((stored.region(), stored.account()), (Some("us-west-2"), Some("222222222222")));
        }
        for nothing in [json!(null), json!([]), json!({})] {
            let stored = StoredSpec::from(nothing.clone());
            assert!(stored.read().is_err() && stored.region().is_none() && stored.account().is_none());
            assert_eq!(json!(stored), nothing);
        }
    }

    #[test]
    fn a_parsed_spec_is_stored_as_it_is_shown_with_what_counts_where_nothing_was_said() {
        let mut managed = json!(stored(MANAGED).shown());
        managed["performance_profile"] = json!("cost_saving");
        managed["network"] = json!({"cidr": "10.0.0.0/16"});
        managed["kubernetes"] =
            json!({"version": "1.35", "logs": ["audit", "authenticator"], "log_retention_days": 90, "upgrade_policy": "standard"});
        managed["buckets"] = json!([{"purpose": "artifacts"}, {"purpose": "checkpoints"}, {"purpose": "logs"}]);
        for (row, mut expected) in [(MANAGED, managed), (SELF_MANAGED, json!(stored(SELF_MANAGED).shown()))] {
            expected["scale_down_after_minutes"] = json!(10);
            let parsed = StoredSpec::from(parse(&value(row)).expect("valid"));
            assert_eq!((json!(parsed), json!(parsed.shown())), (expected.clone(), expected));
        }
    }
}
