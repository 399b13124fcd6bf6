//! The EKS cluster that a customer made: verified, and never created, changed, tagged or deleted.

use super::cluster::describe;
use crate::context::Context;
use crate::errors::table::GONE_IN_EKS;
use crate::errors::{Called, Error, Result, Unless};
use crate::resource::{LookedAt, Planned, Seen};
use async_trait::async_trait;
use aws_sdk_eks::types::{Cluster, ClusterStatus};
use wire::error::Code;
use wire::journal::Outputs;
use wire::key::Key;
use wire::stage::Stage;

pub struct ExistingCluster;

impl Planned for ExistingCluster {
    fn key(&self) -> Key {
        Key::Cluster
    }

    fn stage(&self) -> Stage {
        Stage::CreateEks
    }
}

#[async_trait]
impl LookedAt for ExistingCluster {
    async fn look(&self, cx: &Context) -> Result<(Seen, Outputs)> {
        let name = cx.cluster.eks_name();
        let answer = cx.aws.eks.describe_cluster().name(&name).send().await.called("eks:DescribeCluster");
        Ok(match answer.unless(GONE_IN_EKS)?.and_then(|answer| answer.cluster) {
            Some(cluster) => (judge(&cluster), outputs(&cluster)),
            None => (Seen::Sick(missing(cx, &name)), Outputs::new()),
        })
    }
}

fn missing(cx: &Context, name: &str) -> Error {
    let (account, region) = (&cx.cluster.account, &cx.cluster.spec.region);
    let reason = format!("There is no EKS cluster {name} in {region} of account {account}.");
    Error::of(Code::NoEksCluster, reason)
}

fn judge(cluster: &Cluster) -> Seen {
    match cluster.status() {
        Some(ClusterStatus::Active) => Seen::Ready,
        Some(ClusterStatus::Creating | ClusterStatus::Pending | ClusterStatus::Updating) => Seen::Busy,
        status => Seen::Sick(not_active(cluster.name().unwrap_or_default(), status.map_or("without a status", ClusterStatus::as_str))),
    }
}

fn not_active(name: &str, status: &str) -> Error {
    let reason = format!("The EKS cluster {name} is {status}.");
    Error::of(Code::EksClusterNotActive, reason)
}

/// The outputs of a cluster of ours, plus the subnets that it was made with.
fn outputs(cluster: &Cluster) -> Outputs {
    let subnets = cluster.resources_vpc_config().map(|network| network.subnet_ids().join(","));
    describe(cluster).into_iter().chain(subnets.map(|ids| ("subnets".to_owned(), ids))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_eks::types::VpcConfigResponse;

    #[test]
    fn an_active_cluster_is_ready_and_a_busy_one_is_waited_for() {
        let sick = |status: &str| Seen::Sick(not_active("theirs", status));
        for (status, expected) in [
            (ClusterStatus::Active, Seen::Ready),
            (ClusterStatus::Creating, Seen::Busy),
            (ClusterStatus::Pending, Seen::Busy),
            (ClusterStatus::Updating, Seen::Busy),
            (ClusterStatus::Deleting, sick("DELETING")),
            (ClusterStatus::Failed, sick("FAILED")),
            ("NEW".into(), sick("NEW")),
        ] {
            assert_eq!(judge(&Cluster::builder().name("theirs").status(status.clone()).build()), expected, "{status}");
        }
    }

    #[test]
    fn its_subnets_are_outputs_for_the_node_groups() {
        let network = VpcConfigResponse::builder().subnet_ids("subnet-1").subnet_ids("subnet-2").build();
        let cluster = Cluster::builder().name("theirs").resources_vpc_config(network).build();
        assert_eq!((outputs(&cluster)["name"].as_str(), outputs(&cluster)["subnets"].as_str()), ("theirs", "subnet-1,subnet-2"));
    }
}
