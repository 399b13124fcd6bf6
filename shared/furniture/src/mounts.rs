//! The cluster's buckets as folders: a claim for each, which pods mount. They reach them with their own service account's role, so that mounting
//! gives nobody more than he has.
//! <https://github.com/awslabs/mountpoint-s3-csi-driver/blob/main/docs/CONFIGURATION.md>, "Static Provisioning", "Pod-Level Credentials"

use crate::{Facts, Object};
use serde_json::{Value, json};
use wire::place::NAMESPACE;

/// Kubernetes wants one; a bucket has none.
const SIZE: &str = "1Pi";

pub(crate) fn objects(facts: &Facts) -> Vec<Object> {
    let both = |(claim, bucket): &(String, String)| [volume(facts, claim, bucket), self::claim(claim, bucket)];
    facts.mounts.iter().flat_map(both).map(Object::new).collect()
}

fn volume(facts: &Facts, claim: &str, bucket: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": bucket},
        "spec": {
            "capacity": {"storage": SIZE},
            "accessModes": ["ReadWriteMany"],
            // For nobody else's claim. It has no class: the server leaves out an empty one, which would be a difference for ever.
            "claimRef": {"namespace": NAMESPACE, "name": claim},
            // The bucket stays, whatever becomes of the claim.
            "persistentVolumeReclaimPolicy": "Retain",
            // Buckets keep old versions, so that what is written over or deleted is not lost. Whoever the container runs as reads and writes: the
            // pod's role decides, and by the defaults only root could write.
            "mountOptions": [
                format!("region {}", facts.region), "allow-delete", "allow-overwrite", "allow-other", "dir-mode=0777", "file-mode=0666",
            ],
            "csi": {
                "driver": "s3.csi.aws.com", "volumeHandle": bucket,
                "volumeAttributes": {"bucketName": bucket, "authenticationSource": "pod"},
            },
        },
    })
}

/// Of a claim that is gone, so that no other gets it. <https://kubernetes.io/docs/concepts/storage/persistent-volumes/#retain>
pub(crate) fn is_released(found: &Value) -> bool {
    found["kind"] == "PersistentVolume" && found["status"]["phase"] == "Released"
}

fn claim(name: &str, bucket: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "accessModes": ["ReadWriteMany"], "storageClassName": "", "volumeName": bucket, "resources": {"requests": {"storage": SIZE}},
        },
    })
}
