//! A subnet: one public and one private for each availability zone.

use super::owned::{ec2_filters, ec2_tags, id, is_this};
use crate::errors::{Called, Error, Result, Unless};
use crate::names::kubernetes_tag;
use crate::resource::{Cluster, Context, Key, Observed, Resource, Stage};
use async_trait::async_trait;
use aws_sdk_ec2::types::{AttributeBooleanValue, ResourceType, SubnetState};

pub struct Subnet {
    pub public: bool,
    /// Which of the cluster's zones, from 0.
    pub index: usize,
}

impl Subnet {
    async fn find(&self, cx: &Context) -> Result<Option<aws_sdk_ec2::types::Subnet>> {
        let found =
            cx.aws.ec2.describe_subnets().set_filters(ec2_filters(&cx.cluster, &self.key())).send().await.called("ec2:DescribeSubnets")?;
        let mut ours = found.subnets.unwrap_or_default().into_iter();
        Ok(ours.find(|subnet| is_this(&cx.cluster, &self.key(), subnet.tags())))
    }

    fn zone<'a>(&self, cluster: &'a Cluster) -> Result<&'a String> {
        let missing = || Error::permanent("MissingZone", format!("The cluster has no zone for {}.", self.key()));
        cluster.zones.get(self.index).ok_or_else(missing)
    }

    /// The tags by which load balancer controllers choose subnets. `shared` says that the subnet is not Kubernetes' to delete.
    fn role_tags(&self, cluster: &Cluster) -> [(String, String); 2] {
        let role = if self.public { "kubernetes.io/role/elb" } else { "kubernetes.io/role/internal-elb" };
        [(role.into(), "1".into()), (kubernetes_tag(&cluster.name, &cluster.id), "shared".into())]
    }
}

/// Every pod takes an address of a private subnet, so these are large: three /18, and the fourth /18 for the public /22s.
fn cidr(public: bool, index: usize) -> String {
    if public { format!("10.0.{}.0/22", 192 + 4 * index) } else { format!("10.0.{}.0/18", 64 * index) }
}

#[async_trait]
impl Resource for Subnet {
    fn key(&self) -> Key {
        key(self.public, self.index)
    }

    fn stage(&self) -> Stage {
        Stage::CreateEks
    }

    fn needs(&self) -> Vec<Key> {
        vec!["vpc".into()]
    }

    async fn observe(&self, cx: &Context) -> Result<Observed> {
        let Some(subnet) = self.find(cx).await? else {
            return Ok(Observed::Absent);
        };
        if subnet.state() == Some(&SubnetState::Pending) {
            return Ok(Observed::Pending);
        }
        if self.public && !subnet.map_public_ip_on_launch().unwrap_or_default() {
            return Ok(Observed::Drifted);
        }
        Ok(Observed::Ready(id(subnet.subnet_id.unwrap_or_default())))
    }

    async fn create(&self, cx: &Context) -> Result<()> {
        cx.aws
            .ec2
            .create_subnet()
            .vpc_id(cx.output("vpc", "id")?)
            .availability_zone(self.zone(&cx.cluster)?)
            .cidr_block(cidr(self.public, self.index))
            .tag_specifications(ec2_tags(&cx.cluster, &self.key(), ResourceType::Subnet, self.role_tags(&cx.cluster)))
            .send()
            .await
            .called("ec2:CreateSubnet")
            .unless(&["InvalidSubnet.Conflict"])?;
        Ok(())
    }

    async fn update(&self, cx: &Context) -> Result<()> {
        let Some(subnet) = self.find(cx).await? else { return Ok(()) };
        cx.aws
            .ec2
            .modify_subnet_attribute()
            .set_subnet_id(subnet.subnet_id)
            .map_public_ip_on_launch(AttributeBooleanValue::builder().value(true).build())
            .send()
            .await
            .called("ec2:ModifySubnetAttribute")?;
        Ok(())
    }

    async fn delete(&self, cx: &Context) -> Result<()> {
        let Some(subnet) = self.find(cx).await? else { return Ok(()) };
        cx.aws
            .ec2
            .delete_subnet()
            .set_subnet_id(subnet.subnet_id)
            .send()
            .await
            .called("ec2:DeleteSubnet")
            .unless(&["InvalidSubnetID.NotFound"])?;
        Ok(())
    }
}

/// `subnet/public-0`
pub fn key(public: bool, index: usize) -> Key {
    format!("subnet/{}-{index}", if public { "public" } else { "private" }).into()
}

/// The keys of all public or all private subnets of a cluster over so many zones.
pub fn keys(public: bool, zones: usize) -> impl Iterator<Item = Key> {
    (0..zones).map(move |index| key(public, index))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first_and_last(cidr: &str) -> (u32, u32) {
        let (address, prefix) = cidr.split_once('/').expect("a prefix");
        let first = u32::from(address.parse::<std::net::Ipv4Addr>().expect("an address"));
        (first, first + (u32::MAX >> prefix.parse::<u32>().expect("a number")))
    }

    #[test]
    fn no_two_subnets_overlap_and_all_lie_in_the_vpc() {
        let cidrs: Vec<String> = [true, false].into_iter().flat_map(|public| (0..3).map(move |index| cidr(public, index))).collect();
        let vpc = first_and_last(super::super::vpc::CIDR);
        for (position, one) in cidrs.iter().enumerate() {
            let (first, last) = first_and_last(one);
            assert!(vpc.0 <= first && last <= vpc.1, "{one} is outside the VPC");
            for other in &cidrs[position + 1..] {
                let (other_first, other_last) = first_and_last(other);
                assert!(last < other_first || other_last < first, "{one} overlaps {other}");
            }
        }
    }
}
