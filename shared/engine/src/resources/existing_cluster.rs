//! The EKS cluster that a customer made: verified, and never made, changed, tagged or deleted.

use super::cluster::describe;
use crate::errors::{Called, Error, Result, Unless};
use crate::resource::{Context, Key, Observed, Outputs, Resource, Stage};
use async_trait::async_trait;
use aws_sdk_eks::types::{Cluster, ClusterStatus};

pub struct ExistingCluster;

#[async_trait]
impl Resource for ExistingCluster {
    fn key(&self) -> Key {
        "cluster".into()
    }

    fn stage(&self) -> Stage {
        Stage::CreateEks
    }

    fn needs(&self) -> Vec<Key> {
        vec![]
    }

    async fn observe(&self, cx: &Context) -> Result<Observed> {
        let name = cx.cluster.eks_name();
        let answer = cx.aws.eks.describe_cluster().name(&name).send().await.called("eks:DescribeCluster");
        Ok(match answer.unless(&["ResourceNotFoundException"])?.and_then(|answer| answer.cluster) {
            Some(cluster) => state(&cluster),
            None => Observed::Sick(missing(cx, &name)),
        })
    }

    async fn create(&self, _: &Context) -> Result<()> {
        Ok(())
    }

    async fn update(&self, _: &Context) -> Result<()> {
        Ok(())
    }

    async fn delete(&self, _: &Context) -> Result<()> {
        Ok(())
    }
}

fn missing(cx: &Context, name: &str) -> Error {
    let (account, region) = (&cx.cluster.account, &cx.cluster.spec.region);
    let reason = format!("There is no EKS cluster {name} in {region} of account {account}.");
    Error::customer("NoEksCluster", reason, "Make it, then retry; or delete this cluster and create it with the right eks_cluster_name.")
}

fn state(cluster: &Cluster) -> Observed {
    match cluster.status() {
        Some(ClusterStatus::Active) => Observed::Ready(outputs(cluster)),
        Some(ClusterStatus::Creating | ClusterStatus::Pending | ClusterStatus::Updating) => Observed::Pending,
        status => {
            let (name, status) = (cluster.name().unwrap_or_default(), status.map_or("without a status", ClusterStatus::as_str));
            let reason = format!("The EKS cluster {name} is {status}.");
            Observed::Sick(Error::customer("EksClusterNotActive", reason, "Bring it back to ACTIVE, then retry."))
        }
    }
}

/// Those of a cluster of ours, and the subnets that it was made with.
fn outputs(cluster: &Cluster) -> Outputs {
    let subnets = cluster.resources_vpc_config().map(|network| network.subnet_ids().join(","));
    describe(cluster).into_iter().chain(subnets.map(|ids| ("subnets".to_owned(), ids))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_eks::types::VpcConfigResponse;

    #[test]
    fn only_an_active_cluster_is_ready_and_one_that_is_at_work_is_waited_for() {
        for (status, expected) in [
            (ClusterStatus::Active, "Ready"),
            (ClusterStatus::Creating, "Pending"),
            (ClusterStatus::Pending, "Pending"),
            (ClusterStatus::Updating, "Pending"),
            (ClusterStatus::Deleting, "Sick"),
            (ClusterStatus::Failed, "Sick"),
            ("NEW".into(), "Sick"),
        ] {
            let seen = format!("{:?}", state(&Cluster::builder().name("theirs").status(status.clone()).build()));
            assert!(seen.starts_with(expected), "{status}: {seen}");
        }
    }

    #[test]
    fn its_subnets_are_known_for_the_node_groups() {
        let network = VpcConfigResponse::builder().subnet_ids("subnet-1").subnet_ids("subnet-2").build();
        let cluster = Cluster::builder().name("theirs").resources_vpc_config(network).build();
        assert_eq!((outputs(&cluster)["name"].as_str(), outputs(&cluster)["subnets"].as_str()), ("theirs", "subnet-1,subnet-2"));
    }
}
