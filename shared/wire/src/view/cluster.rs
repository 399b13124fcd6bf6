//! A cluster, as a line of a list and in full.

use super::{ClusterOutputs, Progress, Resource, Trouble, Unfurnished, Warning};
use crate::error::{Code, Turn};
use crate::instances::Hardware;
use crate::inventory::Inventory;
use crate::spec::{InstanceType, Mode};
use crate::stage::Stage;
use crate::status::{EndpointAccess, Status};
use crate::stored::StoredSpec;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The answer of `GET /clusters`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Clusters {
    /// The tenant's clusters that are not deleted, by name; or with `deleted=true` those that are, the last one first.
    pub clusters: Vec<Summary>,
    /// The cursor for `after`, which returns the clusters that follow; null if there are none.
    pub next: Option<String>,
    /// The service's time as it answered. All of an answer's times are of the service's clock.
    pub at: Timestamp,
}

/// A cluster's line in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    pub name: String,
    /// Twelve characters, unique to the cluster. They are in the names and tags of everything that is made for it.
    pub id: String,
    pub status: Status,
    /// The stage that the current run is at, or the one that it failed in; null once it is over.
    pub stage: Option<Stage>,
    /// Why the cluster is parked, as a word; null if it is not parked.
    pub code: Option<Code>,
    /// Why the cluster is parked; null if it is not parked.
    pub reason: Option<String>,
    /// What to do about it; null if the cluster is not parked.
    pub hint: Option<String>,
    /// Who has to do something before it goes on; null if the cluster is not parked.
    pub turn: Option<Turn>,
    /// When Groundwork tries again by itself; null if it does not.
    pub again_at: Option<Timestamp>,
    /// The AWS region; null only if a newer version wrote the record and this one does not find it there.
    pub region: Option<String>,
    /// The AWS account, twelve digits; null only if a newer version wrote the record and this one does not find it there.
    pub account: Option<String>,
    /// Who makes the cluster; null only if a newer version wrote the record and this one does not understand it.
    pub mode: Option<Mode>,
    /// How many nodes the spec asks for; null as mode.
    pub nodes: Option<Nodes>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// How many nodes a spec asks for, the system's not counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Nodes {
    /// Kept running even when nothing asks for them.
    pub kept: u32,
    /// The most that there may be.
    pub most: u32,
}

/// The answer of `GET /clusters/{name}`, and of every request that was accepted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Cluster {
    #[serde(flatten)]
    pub summary: Summary,
    /// What was asked for, with its defaults.
    pub spec: StoredSpec,
    pub endpoint_access: Endpoint,
    pub progress: Progress,
    /// The instance types of the node groups: those of the spec, or if it names none the defaults that the zones offer.
    #[serde(default)]
    pub instance_types: Vec<InstanceType>,
    /// What EC2 says of the types of the nodes, by instance type; empty until the account was checked.
    #[serde(default)]
    pub hardware: BTreeMap<String, Hardware>,
    /// What a person would regret; nothing keeps the cluster from running.
    #[serde(default)]
    pub warnings: Vec<Warning>,
    /// The resources in the plan's order, then those that only the journal knows.
    pub resources: Vec<Resource>,
    /// What AWS refuses or does not finish in the current run, and what waits for it.
    pub troubles: Vec<Trouble>,
    /// Whether Groundwork has made inside what every cluster has: a storage class, a place to work, the autoscaler.
    #[serde(default)]
    pub furnished: bool,
    /// Why it has not; null if it has, and until it has tried.
    #[serde(default)]
    pub unfurnished: Option<Unfurnished>,
    pub outputs: ClusterOutputs,
    /// What the last look at the account found; null before a delete.
    pub inventory: Option<Inventory>,
    /// Present only if a newer version wrote the record: what this one does not understand in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<String>,
}

/// Who may reach the cluster's public endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Endpoint {
    /// Who decided that.
    pub mode: EndpointAccess,
    /// IPv4 ranges; an empty list lets nobody in, and null is for the customer to know.
    pub cidrs: Option<Vec<String>>,
    /// The operator's own address, from which the cluster is furnished; null if there is none.
    #[serde(default)]
    pub operator: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Class;
    use crate::instances::Architecture;
    use crate::inventory::Found;
    use crate::journal::{Entry, State};
    use crate::key::{Key, Side};
    use crate::view::Planned;
    use serde_json::{Value, json};

    fn at() -> Timestamp {
        "2025-01-02T03:04:05.678901Z".parse().expect("a time")
    }

    fn trouble() -> crate::trouble::Trouble {
        crate::trouble::Trouble {
            stage: Stage::CreateEks,
            class: Class::Customer,
            code: "VpcLimitExceeded".into(),
            reason: "No.".into(),
            hint: "Raise it.".into(),
            since: at(),
            given_up_at: None,
        }
    }

    fn summary() -> Summary {
        Summary {
            name: "research".into(),
            id: "abcdefghijkl".into(),
            status: Status::Provisioning,
            stage: Some(Stage::CreateEks),
            code: None,
            reason: None,
            hint: None,
            turn: None,
            again_at: None,
            region: Some("us-west-2".into()),
            account: Some("222222222222".into()),
            mode: Some(Mode::Managed),
            nodes: Some(Nodes { kept: 0, most: 10 }),
            created_at: at(),
            updated_at: at(),
        }
    }

    fn line() -> Value {
        json!({
            "name": "research", "id": "abcdefghijkl", "status": "provisioning", "stage": "create-eks", "code": null, "reason": null,
            "hint": null, "turn": null, "again_at": null, "region": "us-west-2", "account": "222222222222", "mode": "managed",
            "nodes": {"kept": 0, "most": 10}, "created_at": "2025-01-02T03:04:05.678901Z", "updated_at": "2025-01-02T03:04:05.678901Z"
        })
    }

    #[test]
    fn a_list_has_its_fields_as_ever_with_nulls() {
        let parked = Summary {
            status: Status::DeleteBlocked,
            stage: None,
            code: Some(Code::LeftBehind),
            reason: Some("left".into()),
            hint: Some("remove it".into()),
            turn: Some(Turn::Tenant),
            again_at: Some(at()),
            ..summary()
        };
        let mut other = line();
        for (field, value) in [
            ("status", json!("delete_blocked")),
            ("stage", json!(null)),
            ("code", json!("LeftBehind")),
            ("reason", json!("left")),
            ("hint", json!("remove it")),
            ("turn", json!("tenant")),
            ("again_at", json!("2025-01-02T03:04:05.678901Z")),
        ] {
            other[field] = value;
        }
        let list = Clusters { clusters: vec![summary(), parked], next: None, at: at() };
        assert_eq!(json!(list), json!({"clusters": [line(), other], "next": null, "at": "2025-01-02T03:04:05.678901Z"}));
    }

    #[test]
    fn a_cluster_has_its_fields_as_ever_with_nulls() {
        let spec = json!({
            "name": "research", "role_arn": "arn:aws:iam::222222222222:role/groundwork", "region": "us-west-2", "mode": "managed",
            "instance_types": [{"name": "g4dn.xlarge", "overprovisioned_ondemand_count": 0, "max_count": 10}],
            "access": {"public_cidrs": ["54.240.193.129/32"]}, "deletion": {"data": "keep"}
        });
        let view = Cluster {
            summary: summary(),
            spec: StoredSpec::from(spec.clone()),
            endpoint_access: Endpoint {
                mode: EndpointAccess::Requester,
                cidrs: Some(vec!["54.240.193.129/32".into()]),
                operator: Some("203.0.113.9/32".into()),
            },
            progress: Progress { at: at(), ready: 0, total: 0, seconds_elapsed: 0, seconds_expected: None },
            instance_types: vec![InstanceType::named("g4dn.xlarge")],
            hardware: BTreeMap::from([(
                "g4dn.xlarge".into(),
                Hardware { architecture: Architecture::X86, vcpus: 4, memory_mib: 16_384, gpus: 1 },
            )]),
            warnings: vec![Warning::new("$.access.administrators", "Nobody.")],
            resources: vec![Resource::planned(Key::Vpc, Planned { stage: Stage::CreateEks, needs: vec![], usual_seconds: 3 }, None)],
            troubles: vec![Trouble::new(&Key::Vpc, &trouble(), vec![Key::Subnet(Side::Public, 0)])],
            furnished: false,
            unfurnished: Some(Unfurnished { code: Code::NoDoor, reason: "No way.".into(), hint: "Do it.".into() }),
            outputs: ClusterOutputs::of("research", Some("us-west-2"), &BTreeMap::new()),
            inventory: None,
            notice: None,
        };
        let mut whole = line();
        for (field, value) in [
            ("spec", spec),
            ("endpoint_access", json!({"mode": "requester", "cidrs": ["54.240.193.129/32"], "operator": "203.0.113.9/32"})),
            (
                "progress",
                json!({
                    "at": "2025-01-02T03:04:05.678901Z", "ready": 0, "total": 0, "seconds_elapsed": 0, "seconds_expected": null
                }),
            ),
            ("instance_types", json!([{"name": "g4dn.xlarge", "overprovisioned_ondemand_count": 0, "max_count": 10}])),
            ("hardware", json!({"g4dn.xlarge": {"architecture": "x86_64", "vcpus": 4, "memory_mib": 16384, "gpus": 1}})),
            ("warnings", json!([{"path": "$.access.administrators", "message": "Nobody."}])),
            ("resources", json!([{"key": "vpc", "stage": "create-eks", "needs": [], "usual_seconds": 3, "state": "absent"}])),
            (
                "troubles",
                json!([{
                    "key": "vpc", "stage": "create-eks", "turn": "tenant", "code": "VpcLimitExceeded", "reason": "No.", "hint": "Raise it.",
                    "since": "2025-01-02T03:04:05.678901Z", "given_up_at": null, "waiting": ["subnet/public-0"], "costs_money": false
                }]),
            ),
            (
                "outputs",
                json!({"cluster_name": null, "endpoint": null, "certificate_authority": null, "buckets": {}, "node_groups": {}, "connect": null}),
            ),
            ("furnished", json!(false)),
            ("unfurnished", json!({"code": "NoDoor", "reason": "No way.", "hint": "Do it."})),
            ("inventory", json!(null)),
        ] {
            whole[field] = value;
        }
        assert_eq!(json!(view), whole);
        assert!(jsonschema::is_valid(&schemars::schema_for!(Cluster).to_value(), &whole), "the schema that is printed says so too");
        assert_eq!(serde_json::from_value::<Cluster>(whole).expect("a view"), view);
    }

    #[test]
    fn a_deleted_self_managed_cluster_shows_what_was_kept() {
        let mut view = Cluster {
            summary: summary(),
            spec: StoredSpec::from(json!({})),
            endpoint_access: Endpoint { mode: EndpointAccess::Customer, cidrs: None, operator: None },
            progress: Progress { at: at(), ready: 0, total: 0, seconds_elapsed: 0, seconds_expected: None },
            instance_types: vec![],
            hardware: BTreeMap::new(),
            warnings: vec![],
            resources: vec![Resource::unplanned(Key::Vpc, &Entry::new(State::Deleting, 1, at()))],
            troubles: vec![],
            furnished: true,
            unfurnished: None,
            outputs: ClusterOutputs::of("research", Some("us-west-2"), &BTreeMap::new()),
            inventory: Some(Inventory { left: vec![], kept: vec![Found::new("bucket", "their-data", "the customer's own")] }),
            notice: None,
        };
        let shown = json!(view);
        assert_eq!(shown["endpoint_access"], json!({"mode": "customer", "cidrs": null, "operator": null}));
        let kept = json!({"kind": "bucket", "id": "their-data", "why": "the customer's own"});
        assert_eq!(shown["inventory"], json!({"left": [], "kept": [kept]}));
        assert_eq!(shown.get("notice"), None);
        view.notice = view.spec.notice();
        assert!(json!(view)["notice"].as_str().is_some_and(|notice| notice.contains("newer version")));
    }
}
