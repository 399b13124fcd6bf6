//! What Kubernetes made and left behind: load balancers, their security groups, network interfaces and volumes.
//!
//! Removed after the cluster is gone, so that nothing makes them again, and before the network that they hold on to.

mod interfaces;
mod load_balancers;
mod security_groups;
mod target_groups;
mod volumes;

use super::owned::own_vpcs;
use super::subnet;
use crate::errors::Result;
use crate::resource::{Context, Key, Observed, Pace, Resource, Stage};
use async_trait::async_trait;
use futures::try_join;

pub struct Leftovers {
    /// How many availability zones the cluster spans.
    pub zones: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    LoadBalancer,
    TargetGroup,
    Interface,
    SecurityGroup,
    Volume,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Kind::LoadBalancer => "load balancer",
            Kind::TargetGroup => "target group",
            Kind::Interface => "network interface",
            Kind::SecurityGroup => "security group",
            Kind::Volume => "volume",
        }
    }
}

#[derive(Debug)]
pub struct Leftover {
    pub kind: Kind,
    /// The ARN of a load balancer or target group, else the id.
    pub id: String,
    /// Something else holds it: only waiting helps.
    pub busy: bool,
}

/// Where a load balancer must be to count.
pub enum Within<'a> {
    /// To remove: only what is inside our VPC is ours.
    Vpcs(&'a [String]),
    /// To report.
    Account,
}

impl Within<'_> {
    fn holds(&self, vpc_id: Option<&str>) -> bool {
        match self {
            Within::Vpcs(ours) => vpc_id.is_some_and(|vpc_id| ours.iter().any(|own| own == vpc_id)),
            Within::Account => true,
        }
    }
}

/// Everything that can be removed or must be waited for, in the order in which they let go of each other. Without a VPC of ours only
/// volumes can be left: a VPC cannot be deleted before what is inside it.
async fn find(cx: &Context) -> Result<Vec<Leftover>> {
    let vpcs = own_vpcs(cx).await?;
    if vpcs.is_empty() {
        return volumes::find(cx).await;
    }
    let inside = interfaces::inside(cx, &vpcs).await?;
    let ours = Within::Vpcs(&vpcs);
    let (balancers, groups, volumes) = try_join!(balancers(cx, &ours), security_groups::find(cx, &vpcs, &inside), volumes::find(cx))?;
    Ok([balancers, interfaces::leftovers(&cx.cluster, &inside), groups, volumes].into_iter().flatten().collect())
}

/// The load balancers and target groups that the controller made in this cluster.
pub async fn balancers(cx: &Context, within: &Within<'_>) -> Result<Vec<Leftover>> {
    let (balancers, targets) = try_join!(load_balancers::find(cx, within), target_groups::find(cx, within))?;
    Ok([balancers, targets].into_iter().flatten().collect())
}

async fn remove(cx: &Context, leftover: &Leftover) -> Result<()> {
    match leftover.kind {
        Kind::LoadBalancer => load_balancers::remove(cx, &leftover.id).await,
        Kind::TargetGroup => target_groups::remove(cx, &leftover.id).await,
        Kind::Interface => interfaces::remove(cx, &leftover.id).await,
        Kind::SecurityGroup => security_groups::remove(cx, &leftover.id).await,
        Kind::Volume => volumes::remove(cx, &leftover.id).await,
    }
}

fn observed(left: &[Leftover]) -> Observed {
    match left {
        [] => Observed::Absent,
        _ if left.iter().all(|leftover| leftover.busy) => Observed::Pending,
        _ => Observed::Drifted,
    }
}

/// What the AWS Load Balancer Controller puts on all that it makes, with the cluster's name. Nothing else makes load balancers: the
/// boundary keeps the control plane from it.
const CONTROLLER_TAG: &str = "elbv2.k8s.aws/cluster";

#[async_trait]
impl Resource for Leftovers {
    fn key(&self) -> Key {
        "leftovers".into()
    }

    fn stage(&self) -> Stage {
        Stage::CreateEks
    }

    fn needs(&self) -> Vec<Key> {
        let subnets = [true, false].into_iter().flat_map(|public| subnet::keys(public, self.zones));
        ["vpc".into(), "internet-gateway".into()].into_iter().chain(subnets).collect()
    }

    fn pace(&self) -> Pace {
        Pace::seconds(5, 10)
    }

    fn only_down(&self) -> bool {
        true
    }

    async fn observe(&self, cx: &Context) -> Result<Observed> {
        Ok(observed(&find(cx).await?))
    }

    async fn create(&self, _: &Context) -> Result<()> {
        Ok(())
    }

    async fn update(&self, _: &Context) -> Result<()> {
        Ok(())
    }

    /// Tries everything before it gives the first error, so that one thing that cannot go holds back no other.
    async fn delete(&self, cx: &Context) -> Result<()> {
        let left = find(cx).await?;
        let free: Vec<&Leftover> = left.iter().filter(|leftover| !leftover.busy).collect();
        let mut outcome = security_groups::forget(cx, &free).await;
        for leftover in free {
            outcome = outcome.and(remove(cx, leftover).await);
        }
        outcome
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub fn cluster() -> crate::resource::Cluster {
        let body = serde_json::json!({
            "name": "a", "role_arn": "arn:aws:iam::222222222222:role/groundwork", "region": "us-west-2",
            "instance_types": [{"name": "m6i.large"}]
        });
        let spec = crate::spec::parse(&body).expect("valid");
        let (id, name, tenant, account) = ("abcdefghijkl".into(), "a".into(), "demo".into(), "222222222222".into());
        crate::resource::Cluster { id, name, tenant, account, zones: vec![], spec }
    }

    fn left(busy: bool) -> Leftover {
        Leftover { kind: Kind::Interface, id: "eni-1".into(), busy }
    }

    #[test]
    fn only_what_nothing_can_be_asked_of_is_waited_for() {
        for (found, expected) in [(vec![], "Absent"), (vec![left(true)], "Pending"), (vec![left(true), left(false)], "Drifted")] {
            assert_eq!(format!("{:?}", observed(&found)), expected, "{found:?}");
        }
    }

    #[test]
    fn a_load_balancer_of_another_vpc_is_not_ours_to_remove() {
        let ours = ["vpc-1".to_owned()];
        for (vpc, holds) in [(Some("vpc-1"), true), (Some("vpc-2"), false), (None, false)] {
            assert_eq!(Within::Vpcs(&ours).holds(vpc), holds, "{vpc:?}");
        }
    }
}
