//! What the objects depend on: what the records say of a cluster, and what its API server says.

use crate::error::{Doing, Result};
use crate::{autoscaler, storage};
use kube::Client;
use wire::names::scoped;
use wire::spec::{Mode, PerformanceProfile, Spec};

/// What the records say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The cluster's id, which is in the label of all that is ours.
    pub cluster: String,
    /// Its name in EKS, by which the autoscaler finds the node groups.
    pub eks_name: String,
    pub region: String,
    /// After which a node goes that nothing needs.
    pub scale_down_after_minutes: u32,
    pub scales: Scales,
    /// Claims by which pods mount the cluster's buckets, if it has the driver for that, and the buckets' names.
    pub mounts: Vec<(String, String)>,
}

/// Which node groups the autoscaler scales.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scales {
    /// All of the cluster's.
    All,
    /// Of a customer's own cluster those with these names in EKS, which tags the customer's like ours. Without any there is no autoscaler.
    Only(Vec<String>),
}

/// What the API server says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Server {
    /// Of its version: 35 of 1.35.
    pub minor: u32,
    /// Somebody else's storage class is the default, and stays it.
    pub has_default_class: bool,
}

impl Facts {
    /// Of a cluster with this id, this name in EKS and this spec.
    pub fn of(cluster: &str, eks_name: &str, spec: &Spec, scales: Scales) -> Self {
        Self {
            cluster: cluster.into(),
            eks_name: eks_name.into(),
            region: spec.region.clone(),
            scale_down_after_minutes: spec.scale_down_after_minutes(),
            scales,
            mounts: mounts(cluster, spec),
        }
    }
}

fn mounts(cluster: &str, spec: &Spec) -> Vec<(String, String)> {
    let has_driver = spec.mode() == Mode::Managed && spec.performance_profile() == PerformanceProfile::Standard;
    let buckets = spec.buckets().into_iter().filter(|_| has_driver);
    buckets.map(|bucket| (bucket.purpose.clone(), scoped(cluster, &bucket.purpose))).collect()
}

impl Server {
    /// Of a version such as 1.35, for whoever cannot ask it; the newest that there is an autoscaler for if it is none.
    pub fn of_version(version: Option<&str>) -> Self {
        let minor = version.and_then(|version| number(version.split('.').nth(1)?)).unwrap_or(autoscaler::NEWEST);
        Self { minor, has_default_class: false }
    }

    pub(crate) async fn ask(client: &Client, facts: &Facts) -> Result<Self> {
        let version = client.apiserver_version().await.doing("read the version")?;
        let has_default_class = storage::has_default_of_others(client, facts).await?;
        Ok(Self { minor: number(&version.minor).unwrap_or(autoscaler::NEWEST), has_default_class })
    }
}

/// EKS says "35+".
fn number(text: &str) -> Option<u32> {
    text.trim_end_matches(|character: char| !character.is_ascii_digit()).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn buckets_are_mounted_where_the_driver_for_that_is() {
        for (profile, mounts) in [("cost_saving", &[][..]), ("standard", &["artifacts", "checkpoints", "logs"])] {
            let spec = json!({
                "name": "research", "role_arn": "arn:aws:iam::222222222222:role/groundwork", "region": "us-west-2",
                "instance_types": [{"name": "m6i.large"}], "performance_profile": profile
            });
            let facts = Facts::of("abcdefghijkl", "eks", &serde_json::from_value(spec).expect("a spec"), Scales::All);
            assert_eq!(facts.mounts.iter().map(|(claim, _)| claim.as_str()).collect::<Vec<_>>(), mounts, "{profile}");
            assert!(facts.mounts.iter().all(|(claim, bucket)| *bucket == format!("groundwork-abcdefghijkl-{claim}")));
        }
    }

    #[test]
    fn a_version_is_read_however_it_is_written() {
        for (version, minor) in [(Some("1.35"), 35), (Some("1.34+"), 34), (Some("new"), autoscaler::NEWEST), (None, autoscaler::NEWEST)] {
            assert_eq!(Server::of_version(version).minor, minor, "{version:?}");
        }
    }
}
