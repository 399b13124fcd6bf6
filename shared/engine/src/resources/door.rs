//! The operator's address among the ranges of the public endpoint. Of a cluster that its tenant wants closed it is the only one, and goes once
//! the cluster is furnished.

use super::cluster::ours;
use crate::context::Context;
use crate::errors::{Called, Error, Result};
use crate::resource::{Made, Pace, Planned, Seen, Usual};
use async_trait::async_trait;
use aws_sdk_eks::types::{Cluster, ClusterStatus, VpcConfigRequest};
use wire::error::Code;
use wire::journal::Outputs;
use wire::key::Key;
use wire::stage::Stage;

pub struct Door;

pub struct Found {
    status: Option<ClusterStatus>,
    /// Who else is let in.
    others: Vec<String>,
}

/// Whom the public endpoint lets in.
fn admitted(cluster: &Cluster) -> Vec<String> {
    let network = cluster.resources_vpc_config().filter(|network| network.endpoint_public_access());
    network.map(|network| network.public_access_cidrs().to_vec()).unwrap_or_default()
}

fn address(cx: &Context) -> Result<String> {
    let missing = || Error::of(Code::NoDoor, "This Groundwork has no address of its own.");
    cx.cluster.door.map(|door| door.to_string()).ok_or_else(missing)
}

/// EKS changes nothing that is not named.
/// <https://docs.aws.amazon.com/eks/latest/userguide/config-cluster-endpoint.html>
async fn admit(cx: &Context, ranges: Vec<String>) -> Result<()> {
    let network = VpcConfigRequest::builder().endpoint_private_access(true).endpoint_public_access(!ranges.is_empty());
    let network = network.set_public_access_cidrs((!ranges.is_empty()).then_some(ranges)).build();
    let call = cx.aws.eks.update_cluster_config().name(cx.cluster.eks_name()).resources_vpc_config(network);
    call.send().await.called("eks:UpdateClusterConfig").map(drop)
}

/// AWS does not say which of a policy's conditions denied; tags are none of them here.
fn explain(error: Error) -> Error {
    if !error.is_denied_by_organization() {
        return error;
    }
    error.with_hint("Your organization may forbid public endpoints, also for minutes: an administrator of it can exempt this account.")
}

impl Planned for Door {
    fn key(&self) -> Key {
        Key::Door
    }

    fn stage(&self) -> Stage {
        Stage::Furnish
    }

    fn needs(&self) -> Vec<Key> {
        vec![Key::Cluster]
    }

    fn pace(&self) -> Pace {
        Pace::seconds(60, 10)
    }

    fn usual(&self) -> Usual {
        Usual { made: 180, removed: 180 }
    }
}

#[async_trait]
impl Made for Door {
    type Thing = Found;

    async fn find(&self, cx: &Context) -> Result<Option<Found>> {
        let address = address(cx)?;
        let Some(cluster) = ours(cx).await? else { return Ok(None) };
        let (mine, others): (Vec<String>, _) = admitted(&cluster).into_iter().partition(|range| *range == address);
        Ok((!mine.is_empty()).then_some(Found { status: cluster.status, others }))
    }

    fn judge(&self, _: &crate::cluster::Cluster, found: &Found) -> Seen {
        match found.status {
            Some(ClusterStatus::Active) => Seen::Ready,
            _ => Seen::Busy,
        }
    }

    fn outputs(&self, _: &crate::cluster::Cluster, _: &Found) -> Outputs {
        Outputs::new()
    }

    async fn create(&self, cx: &Context) -> Result<()> {
        let others = ours(cx).await?.map(|cluster| admitted(&cluster)).unwrap_or_default();
        admit(cx, others.into_iter().chain([address(cx)?]).collect()).await.map_err(explain)
    }

    async fn delete(&self, cx: &Context, found: &Found) -> Result<()> {
        admit(cx, found.others.clone()).await
    }
}
