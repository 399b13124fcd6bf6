//! The class of a volume whose claim names none: an encrypted disk, made where its pod runs.

use crate::error::{Doing, Result};
use crate::{Facts, Object, Server};
use k8s_openapi::api::storage::v1::{CSIDriver, StorageClass};
use kube::api::{Api, ListParams};
use kube::{Client, ResourceExt};
use serde_json::json;

const NAME: &str = "gp3";
const DRIVER: &str = "ebs.csi.aws.com";
const DEFAULT: &str = "storageclass.kubernetes.io/is-default-class";

pub(crate) fn objects(server: &Server) -> Vec<Object> {
    let is_default = !server.has_default_class;
    vec![Object::new(json!({
        "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass",
        "metadata": {"name": NAME, "annotations": {DEFAULT: is_default.to_string()}},
        "provisioner": DRIVER,
        // Encrypted whatever the account's default is, by its default key: no role of the driver's may use another.
        "parameters": {"type": "gp3", "encrypted": "true"},
        // A disk is in one zone: the pod's, which is not known before.
        "volumeBindingMode": "WaitForFirstConsumer",
        "allowVolumeExpansion": true,
        "reclaimPolicy": "Delete",
    }))]
}

/// Why a claim of this class waits for ever.
pub(crate) async fn trouble(client: &Client) -> Result<Option<String>> {
    let driver = Api::<CSIDriver>::all(client.clone()).get_opt(DRIVER).await.doing("look for the driver of disks")?;
    Ok(driver.is_none().then(|| format!("The cluster has no driver {DRIVER}, so nothing makes its disks.")))
}

/// Of two defaults Kubernetes takes the newer one, so that ours would take the place of a customer's.
pub(crate) async fn has_default_of_others(client: &Client, facts: &Facts) -> Result<bool> {
    let classes = Api::<StorageClass>::all(client.clone()).list(&ListParams::default()).await.doing("list the storage classes")?;
    let is_default = |class: &StorageClass| class.annotations().get(DEFAULT).is_some_and(|value| value == "true");
    let is_ours = |class: &StorageClass| class.labels().get(crate::CLUSTER_LABEL).is_some_and(|cluster| *cluster == facts.cluster);
    Ok(classes.items.iter().any(|class| is_default(class) && !is_ours(class)))
}
