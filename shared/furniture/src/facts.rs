//! What the objects depend on: what the records say of a cluster, and what its API server says.

use crate::error::{Doing, Result};
use crate::{autoscaler, storage};
use kube::Client;
use wire::spec::{Mode, Spec};

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
    /// There is a role for the autoscaler. Nobody makes one for a self-managed cluster, where it would also scale the customer's own node
    /// groups: EKS tags them like ours.
    pub autoscales: bool,
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
    pub fn of(cluster: &str, eks_name: &str, spec: &Spec) -> Self {
        Self {
            cluster: cluster.into(),
            eks_name: eks_name.into(),
            region: spec.region.clone(),
            scale_down_after_minutes: spec.scale_down_after_minutes(),
            autoscales: spec.mode() == Mode::Managed,
        }
    }
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

    #[test]
    fn a_version_is_read_however_it_is_written() {
        for (version, minor) in [(Some("1.35"), 35), (Some("1.34+"), 34), (Some("new"), autoscaler::NEWEST), (None, autoscaler::NEWEST)] {
            assert_eq!(Server::of_version(version).minor, minor, "{version:?}");
        }
    }
}
