//! What Kubernetes made in the network and left behind: load balancers, their security groups and network interfaces; and what GuardDuty put
//! into our VPC.
//!
//! Removed after the cluster, so that nothing makes them again, and before the network, which they hold. In a network of the customer's only by
//! this cluster's tags; GuardDuty's endpoint there serves the customer's VPC, and stays.

mod endpoints;
mod interfaces;
mod load_balancers;
mod security_groups;
mod target_groups;

use super::owned::own_vpcs;
use crate::context::Context;
use crate::errors::Result;
use crate::resource::{Leftover, LeftoverKind as Kind, Pace, Planned, Removed};
use async_trait::async_trait;
use futures::try_join;
use wire::key::{Key, Side};
use wire::stage::Stage;

pub struct Leftovers {
    /// The number of the cluster's availability zones.
    pub zones: usize,
    /// The network is the customer's.
    pub in_theirs: bool,
}

/// Where a load balancer must be to count.
pub enum Within<'a> {
    /// To remove: only inside our VPC.
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

/// Everything that can be removed or must be waited for, in the order in which things let go of each other.
async fn find(cx: &Context) -> Result<Vec<Leftover>> {
    if cx.cluster.is_in_their_network() { find_tagged(cx).await } else { find_inside(cx).await }
}

/// In a network of the customer's: only what carries this cluster's tags, wherever it is, because the subnets may be gone; and the interfaces
/// that hold its security groups and the groups with rules that name them, whosever they are, so that a person reads what has to let go.
async fn find_tagged(cx: &Context) -> Result<Vec<Leftover>> {
    let (balancers, own) = try_join!(balancers(cx, &Within::Account), security_groups::tagged(cx))?;
    let (interfaces, named) = try_join!(interfaces::tagged(cx, &own), security_groups::named(cx, &own))?;
    let groups = security_groups::leftovers(&cx.cluster, own, &interfaces, &named);
    Ok([balancers, interfaces::leftovers(&cx.cluster, &interfaces), groups].concat())
}

/// Without a VPC of ours nothing can be left, because a VPC is deleted after what is inside it.
async fn find_inside(cx: &Context) -> Result<Vec<Leftover>> {
    let vpcs = own_vpcs(cx).await?;
    if vpcs.is_empty() {
        return Ok(vec![]);
    }
    let inside = interfaces::inside(cx, &vpcs).await?;
    let ours = Within::Vpcs(&vpcs);
    let (balancers, endpoints, groups) =
        try_join!(balancers(cx, &ours), endpoints::find(cx, &vpcs), security_groups::find(cx, &vpcs, &inside))?;
    Ok([balancers, endpoints, interfaces::leftovers(&cx.cluster, &inside), groups].into_iter().flatten().collect())
}

/// The load balancers and target groups that the controller made for this cluster.
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
        Kind::Endpoint => endpoints::remove(cx, &leftover.id).await,
        // Disks are another resource's.
        Kind::Volume | Kind::Snapshot => Ok(()),
    }
}

/// Removes our own free interfaces, which may hold what EKS could not delete. A session that may not do that leaves them to the teardown.
pub async fn let_go(cx: &Context) -> Result<()> {
    match interfaces::remove_free(cx).await {
        Err(error) if error.is_denial() => Ok(()),
        outcome => outcome,
    }
}

/// The AWS Load Balancer Controller puts this on everything that it makes, with the cluster's name. Nothing else makes load balancers,
/// because the boundary forbids it to the control plane.
pub const CONTROLLER_TAG: &str = "elbv2.k8s.aws/cluster";

impl Planned for Leftovers {
    fn key(&self) -> Key {
        Key::Leftovers
    }

    fn stage(&self) -> Stage {
        Stage::CreateEks
    }

    fn needs(&self) -> Vec<Key> {
        if self.in_theirs {
            return vec![Key::Network];
        }
        let subnets = [Side::Public, Side::Private].into_iter().flat_map(|side| Key::subnets(side, self.zones));
        [Key::Vpc, Key::InternetGateway].into_iter().chain(subnets).collect()
    }

    fn pace(&self) -> Pace {
        Pace::seconds(5, 10)
    }
}

#[async_trait]
impl Removed for Leftovers {
    async fn find(&self, cx: &Context) -> Result<Vec<Leftover>> {
        find(cx).await
    }

    /// Tries everything before it returns the first error, so that one thing that cannot go does not hold up the others.
    async fn remove(&self, cx: &Context, left: &[Leftover]) -> Result<()> {
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

    #[test]
    fn a_load_balancer_of_another_vpc_is_not_ours_to_remove() {
        let ours = ["vpc-1".to_owned()];
        for (vpc, holds) in [(Some("vpc-1"), true), (Some("vpc-2"), false), (None, false)] {
            assert_eq!(Within::Vpcs(&ours).holds(vpc), holds, "{vpc:?}");
        }
    }
}
