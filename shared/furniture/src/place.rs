//! Where researchers work: a namespace whose pods cannot take a node over, and limits that stop a loop gone wild, not a day's work.

use crate::error::Result;
use crate::{Object, credentials};
use kube::Client;
use serde_json::{Value, json};
use wire::place::{NAMESPACE, SERVICE_ACCOUNT};

/// No limit on CPUs, memory or GPUs: the node groups' `max_count` is that. Numbers are as the API server writes them (5000 is "5k").
pub(crate) fn objects() -> Vec<Object> {
    let within = |name: &str| json!({"name": name, "namespace": NAMESPACE});
    [
        json!({
            "apiVersion": "v1", "kind": "Namespace",
            // "baseline" takes away what reaches the node: privileged containers, its network, its paths. GPUs, shared memory (an emptyDir) and
            // root in the container stay. Nothing is said of "restricted": each notebook would come with a warning.
            "metadata": {"name": NAMESPACE, "labels": {"pod-security.kubernetes.io/enforce": "baseline"}},
        }),
        json!({
            "apiVersion": "v1", "kind": "ServiceAccount", "metadata": within(SERVICE_ACCOUNT),
            // A run needs AWS, whose credentials come another way, and not Kubernetes. A pod that does says so itself.
            "automountServiceAccountToken": false,
        }),
        json!({
            "apiVersion": "v1", "kind": "ResourceQuota", "metadata": within(NAMESPACE),
            "spec": {"hard": {
                // A search over parameters has hundreds of jobs, finished ones included. Five thousand with their pods fill a fiftieth of the
                // 8 GiB that EKS has for objects; a loop without an end fills all of it, and then nobody can do anything.
                "count/jobs.batch": "5k",
                "count/pods": "10k",
                "count/persistentvolumeclaims": "500",
                // It would put a notebook on the Internet, and outlive the cluster. An administrator may make one in another namespace.
                "services.loadbalancers": "0",
            }},
        }),
        json!({
            "apiVersion": "v1", "kind": "LimitRange", "metadata": within(NAMESPACE),
            // Who asks for nothing counts as nothing: the scheduler would put any number of such pods on one node, and the autoscaler would bring
            // none. Half a CPU and 1 GiB fit on the smallest node. No limit is set: a pod that asks for more than a limit that it
            // does not know of would be refused.
            "spec": {"limits": [{"type": "Container", "defaultRequest": {"cpu": "500m", "memory": "1Gi"}}]},
        }),
    ]
    .map(Object::new)
    .to_vec()
}

/// Why what runs there reaches no bucket.
pub(crate) async fn trouble(client: &Client) -> Result<Option<String>> {
    match credentials::would_be_given(client, NAMESPACE, &run()).await {
        // A full quota, or a rule that this pod does not keep, says nothing about the role.
        Err(error) if !error.cause.is_of_all() => Ok(None),
        given => Ok((!given?).then(|| "It has no role in AWS, so its pods reach no bucket.".into())),
    }
}

/// A pod as the strictest policies want it to be.
fn run() -> Value {
    let closed = json!({"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}, "readOnlyRootFilesystem": true});
    let size = json!({"cpu": "1m", "memory": "1Mi"});
    json!({"spec": {
        "serviceAccountName": SERVICE_ACCOUNT,
        "securityContext": {"runAsNonRoot": true, "runAsUser": 65534, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [{
            "name": "run", "image": "registry.k8s.io/pause:3.10", "securityContext": closed, "resources": {"requests": size, "limits": size},
        }],
    }})
}
