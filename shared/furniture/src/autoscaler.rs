//! The Kubernetes Cluster Autoscaler, which brings a node for a pod that waits and takes away nodes that nothing needs.
//!
//! The rules are those of its own chart, less what its AWS provider with our flags does not ask for. Its informers are all or nothing: without the
//! right to list one of their kinds it stands there, healthy, and never scales (kubernetes/autoscaler#7663, #8678).
//! No disruption budget: of one replica it either says nothing, or keeps the system's nodes from being replaced.

use crate::error::{Doing, Result};
use crate::{Facts, Object, Scales, Server};
use k8s_openapi::api::core::v1::Pod;
use kube::Client;
use kube::api::{Api, ListParams};
use serde_json::{Value, json};
use wire::place::{AUTOSCALER, AUTOSCALER_NAMESPACE, GROUP_LABEL};

/// The newest minor of Kubernetes that there is an image for.
pub(crate) const NEWEST: u32 = 36;
const RBAC: &str = "rbac.authorization.k8s.io";
/// nobody's.
const USER: u32 = 65534;
const PORT: u16 = 8085;
/// Names of its own: a customer's cluster may have an autoscaler of the customer's, and of two with the same lease only one is at work.
const LEASE: &str = "groundwork-autoscaler";
const STATUS: &str = "groundwork-autoscaler-status";

pub(crate) fn objects(facts: &Facts, server: &Server) -> Vec<Object> {
    [service_account(), cluster_role(), binding("ClusterRole"), role(), binding("Role"), deployment(facts, server)]
        .map(Object::new)
        .to_vec()
}

/// The pods of the deployment.
pub(crate) async fn pods(client: &Client) -> Result<Vec<Pod>> {
    let selected = ListParams::default().labels(&format!("app={AUTOSCALER}"));
    let pods = Api::namespaced(client.clone(), AUTOSCALER_NAMESPACE).list(&selected).await.doing("look at the autoscaler's pod")?;
    Ok(pods.items)
}

/// It simulates the scheduler, so it is of the cluster's own minor version.
fn image(minor: u32) -> String {
    let patch = match minor {
        ..=33 => "33.6",
        34 => "34.5",
        35 => "35.2",
        NEWEST.. => "36.1",
    };
    format!("registry.k8s.io/autoscaling/cluster-autoscaler:v1.{patch}")
}

fn named() -> Value {
    json!({"name": AUTOSCALER})
}

fn within() -> Value {
    json!({"name": AUTOSCALER, "namespace": AUTOSCALER_NAMESPACE})
}

fn service_account() -> Value {
    json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": within()})
}

/// What it has to know of the whole cluster, and the three things that it does there: it tells, marks nodes, and drains them.
fn cluster_role() -> Value {
    let look = |group: &str, resources: &[&str]| json!({"apiGroups": [group], "resources": resources, "verbs": ["get", "list", "watch"]});
    json!({
        "apiVersion": format!("{RBAC}/v1"), "kind": "ClusterRole", "metadata": named(),
        "rules": [
            look("", &["namespaces", "nodes", "persistentvolumeclaims", "persistentvolumes", "pods", "replicationcontrollers", "services"]),
            look("apps", &["daemonsets", "replicasets", "statefulsets"]),
            look("batch", &["jobs"]),
            look("policy", &["poddisruptionbudgets"]),
            look("resource.k8s.io", &["deviceclasses", "resourceclaims", "resourceslices"]),
            look("storage.k8s.io", &["csidrivers", "csinodes", "csistoragecapacities", "storageclasses", "volumeattachments"]),
            {"apiGroups": [""], "resources": ["events"], "verbs": ["create", "patch"]},
            {"apiGroups": [""], "resources": ["nodes"], "verbs": ["update"]},
            {"apiGroups": [""], "resources": ["pods/eviction"], "verbs": ["create"]},
        ],
    })
}

/// In its own namespace: its status, and the lease of whoever of two is at work. A name cannot limit what is created.
fn role() -> Value {
    let of = |group: &str, resource: &str, names: Option<&str>, verbs: &[&str]| {
        let mut rule = json!({"apiGroups": [group], "resources": [resource], "verbs": verbs});
        if let Some(name) = names {
            rule["resourceNames"] = json!([name]);
        }
        rule
    };
    json!({
        "apiVersion": format!("{RBAC}/v1"), "kind": "Role", "metadata": within(),
        "rules": [
            of("", "configmaps", None, &["create"]),
            of("", "configmaps", Some(STATUS), &["delete", "get", "update"]),
            of("coordination.k8s.io", "leases", None, &["create"]),
            of("coordination.k8s.io", "leases", Some(LEASE), &["get", "update"]),
        ],
    })
}

/// Of a role, or a cluster role, to the service account.
fn binding(kind: &str) -> Value {
    json!({
        "apiVersion": format!("{RBAC}/v1"), "kind": format!("{kind}Binding"),
        "metadata": if kind == "Role" { within() } else { named() },
        "roleRef": {"apiGroup": RBAC, "kind": kind, "name": AUTOSCALER},
        "subjects": [{"kind": "ServiceAccount", "name": AUTOSCALER, "namespace": AUTOSCALER_NAMESPACE}],
    })
}

fn deployment(facts: &Facts, server: &Server) -> Value {
    let labels = json!({"app": AUTOSCALER});
    let mut deployment = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": within(),
        "spec": {
            "replicas": 1,
            // There is no use in a second one that waits for the first one's lease.
            "strategy": {"type": "Recreate"},
            "selector": {"matchLabels": labels},
            "template": {
                // Of the system's nodes, the one that it is on stays.
                "metadata": {"labels": labels, "annotations": {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false"}},
                "spec": {
                    "serviceAccountName": AUTOSCALER,
                    "priorityClassName": "system-cluster-critical",
                    "securityContext": {"runAsNonRoot": true, "runAsUser": USER, "seccompProfile": {"type": "RuntimeDefault"}},
                    "containers": [container(facts, server)],
                },
            },
        },
    });
    let (field, nodes) = nodes(&facts.scales);
    deployment["spec"]["template"]["spec"][field] = nodes;
    deployment
}

/// Where it runs: never on a node that comes and goes, if there are others.
fn nodes(scales: &Scales) -> (&'static str, Value) {
    let theirs = json!({"matchExpressions": [{"key": GROUP_LABEL, "operator": "DoesNotExist"}]});
    match scales {
        Scales::All => ("nodeSelector", json!({GROUP_LABEL: "system"})),
        // A customer's cluster may have no other nodes than ours; one of them then stays for it.
        Scales::Only(_) => (
            "affinity",
            json!({"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 100, "preference": theirs}]}}),
        ),
    }
}

fn container(facts: &Facts, server: &Server) -> Value {
    json!({
        "name": AUTOSCALER,
        "image": image(server.minor),
        "command": ["./cluster-autoscaler"],
        // So that it can be read from outside why it ended.
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "args": flags(facts),
        "env": [{"name": "AWS_REGION", "value": facts.region}],
        "ports": [{"name": "http", "containerPort": PORT}],
        "livenessProbe": {"httpGet": {"path": "/health-check", "port": PORT}},
        "resources": {"requests": {"cpu": "100m", "memory": "600Mi"}, "limits": {"memory": "600Mi"}},
        "securityContext": {"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]}},
    })
}

fn flags(facts: &Facts) -> Vec<String> {
    let flags = [
        "--cloud-provider=aws".into(),
        format!("--namespace={AUTOSCALER_NAMESPACE}"),
        format!("--leader-elect-resource-name={LEASE}"),
        format!("--status-config-map-name={STATUS}"),
        "--expander=least-waste".into(),
        format!("--scale-down-unneeded-time={}m", facts.scale_down_after_minutes),
        "--max-node-provision-time=15m".into(),
        // What every node runs, and scratch files, do not hold a node.
        "--skip-nodes-with-system-pods=false".into(),
        "--skip-nodes-with-local-storage=false".into(),
        // Two types are two groups, however much alike they are.
        "--balance-similar-node-groups=false".into(),
    ];
    let discovery = tags(facts).into_iter().map(|tags| format!("--node-group-auto-discovery=asg:tag={tags}"));
    flags.into_iter().chain(discovery).collect()
}

/// By which it finds the Auto Scaling groups of the node groups; EKS puts them there.
/// <https://docs.aws.amazon.com/eks/latest/userguide/eks-using-tags.html>
fn tags(facts: &Facts) -> Vec<String> {
    let (cluster, all) = (&facts.eks_name, "k8s.io/cluster-autoscaler");
    match &facts.scales {
        Scales::All => vec![format!("{all}/enabled,{all}/{cluster}")],
        Scales::Only(groups) => groups.iter().map(|group| format!("eks:cluster-name={cluster},eks:nodegroup-name={group}")).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_image_is_of_the_cluster_s_version_or_the_nearest() {
        for (minor, tag) in [(30, "v1.33.6"), (33, "v1.33.6"), (34, "v1.34.5"), (35, "v1.35.2"), (36, "v1.36.1"), (40, "v1.36.1")] {
            assert_eq!(image(minor), format!("registry.k8s.io/autoscaling/cluster-autoscaler:{tag}"));
        }
    }
}
