//! An object as we want it: only the fields that are ours to say.

use kube::Client;
use kube::api::{Api, ApiResource, DynamicObject};
use kube::core::GroupVersionKind;
use serde_json::{Value, json};
use std::fmt::{Display, Formatter};
use wire::place::NAMESPACE;

/// Whose an object is: the cluster's id.
pub const CLUSTER_LABEL: &str = "groundwork.dev/cluster";

#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    wanted: Value,
}

impl Object {
    pub(crate) fn new(wanted: Value) -> Self {
        Self { wanted }
    }

    /// With the labels that make it that cluster's.
    pub(crate) fn of(mut self, cluster: &str) -> Self {
        let labels = &mut self.wanted["metadata"]["labels"];
        labels[CLUSTER_LABEL] = json!(cluster);
        labels["app.kubernetes.io/managed-by"] = json!("groundwork");
        self
    }

    /// As it is sent to be applied, and as kubectl applies it.
    pub fn wanted(&self) -> &Value {
        &self.wanted
    }

    pub fn kind(&self) -> &str {
        self.wanted["kind"].as_str().unwrap_or_default()
    }

    pub fn name(&self) -> &str {
        self.wanted["metadata"]["name"].as_str().unwrap_or_default()
    }

    pub fn namespace(&self) -> Option<&str> {
        self.wanted["metadata"]["namespace"].as_str()
    }

    /// Whose cluster it has in its label.
    pub(crate) fn cluster(&self) -> Option<&str> {
        self.wanted["metadata"]["labels"][CLUSTER_LABEL].as_str()
    }

    /// What it makes pods of.
    pub(crate) fn pod(&self) -> Option<&Value> {
        self.wanted["spec"].get("template")
    }

    pub(crate) fn is_the_namespace(&self) -> bool {
        self.kind() == "Namespace" && self.name() == NAMESPACE
    }

    pub(crate) fn api(&self, client: &Client) -> Api<DynamicObject> {
        let api_version = self.wanted["apiVersion"].as_str().unwrap_or_default();
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, self.kind()));
        match self.namespace() {
            Some(namespace) => Api::namespaced_with(client.clone(), namespace, &resource),
            None => Api::all_with(client.clone(), &resource),
        }
    }
}

/// "StorageClass gp3", "ServiceAccount research/run".
impl Display for Object {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        match self.namespace() {
            Some(namespace) => write!(f, "{} {namespace}/{}", self.kind(), self.name()),
            None => write!(f, "{} {}", self.kind(), self.name()),
        }
    }
}
