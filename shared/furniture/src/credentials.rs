//! Whether pods get credentials of AWS. EKS adds them to a pod as it admits it, if its service account has a role by then, and never later; a
//! new association counts after some seconds. To ask for a pod without making it shows it: EKS's webhook has no side effects, so a dry run
//! goes through it. <https://github.com/aws/amazon-eks-pod-identity-webhook>

use crate::error::{Doing, Result};
use k8s_openapi::api::core::v1::Pod;
use kube::Client;
use kube::api::{Api, ApiResource, DynamicObject, PostParams};
use serde_json::{Value, json};

/// By Pod Identity, and by a role in an annotation of the service account (IRSA).
const GIVEN: [&str; 2] = ["AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_ROLE_ARN"];

/// If it were made now.
pub(crate) async fn would_be_given(client: &Client, namespace: &str, pod: &Value) -> Result<bool> {
    let resource = ApiResource::erase::<Pod>(&());
    let mut asked = DynamicObject::new("", &resource).data(json!({"spec": pod["spec"]}));
    asked.metadata = serde_json::from_value(pod["metadata"].clone()).unwrap_or_default();
    asked.metadata.generate_name = Some("groundwork-".into());
    let api = Api::<DynamicObject>::namespaced_with(client.clone(), namespace, &resource);
    let admitted = api.create(&PostParams { dry_run: true, ..PostParams::default() }, &asked).await;
    Ok(are_in(&json!(admitted.doing("ask for a pod without making it")?)))
}

/// Of a pod that was admitted.
pub(crate) fn are_in(pod: &Value) -> bool {
    let containers = pod["spec"]["containers"].as_array().into_iter().flatten();
    let variables = containers.filter_map(|container| container["env"].as_array()).flatten();
    variables.filter_map(|variable| variable["name"].as_str()).any(|name| GIVEN.contains(&name))
}
