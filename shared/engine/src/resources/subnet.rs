//! A subnet: one public and one private for each availability zone. No subnet gives public addresses by itself: in the public ones are only
//! the NAT gateway, with an address of its own, and load balancers, which get theirs from AWS.

use super::owned::{check_free, ec2_filters, ec2_tags, has_tag, id, in_vpcs, is_this};
use crate::cluster::Cluster;
use crate::context::Context;
use crate::errors::{Called, Error, Result, Unless};
use crate::names::{OWNER_TAG, kubernetes_tag};
use crate::resource::{Difference, How, Made, Planned, Seen};
use async_trait::async_trait;
use aws_sdk_ec2::types::{ResourceType, SubnetState};
use wire::cidr::Cidr;
use wire::error::Code;
use wire::journal::Outputs;
use wire::key::{Key, Side};
use wire::stage::Stage;

pub struct Subnet {
    pub side: Side,
    /// Which of the cluster's zones, from 0.
    pub index: usize,
}

type Found = aws_sdk_ec2::types::Subnet;

impl Subnet {
    fn zone<'a>(&self, cluster: &'a Cluster) -> Result<&'a String> {
        let missing = || Error::of(Code::MissingZone, format!("The cluster has no zone for {}.", self.key()));
        cluster.zones.get(self.index).ok_or_else(missing)
    }

    fn range(&self, cluster: &Cluster) -> Cidr {
        cidr(cluster.spec.cidr(), self.side, self.index)
    }

    /// The range is in use: by what an earlier call of ours made, or by somebody else's subnet.
    async fn check_range(&self, cx: &Context) -> Result<()> {
        let call = cx.aws.ec2.describe_subnets().filters(in_vpcs(&[cx.output(&Key::Vpc, "id")?]));
        let found = call.send().await.called("ec2:DescribeSubnets")?.subnets.unwrap_or_default();
        let range = self.range(&cx.cluster);
        let foreign = found.iter().filter(|subnet| !has_tag(subnet.tags(), OWNER_TAG, &cx.cluster.id));
        let named = |subnet: &Found| Some(format!("the subnet {} ({})", subnet.subnet_id()?, subnet.cidr_block()?));
        let overlapping =
            foreign.filter(|subnet| subnet.cidr_block().and_then(|other| other.parse().ok()).is_some_and(|other| range.overlaps(other)));
        check_free(&format!("The range {range}"), &overlapping.filter_map(named).collect::<Vec<_>>())
    }

    /// The tags by which load balancer controllers choose subnets. `shared` means that Kubernetes must not delete the subnet.
    fn role_tags(&self, cluster: &Cluster) -> [(String, String); 2] {
        let role = match self.side {
            Side::Public => "kubernetes.io/role/elb",
            Side::Private => "kubernetes.io/role/internal-elb",
        };
        [(role.into(), "1".into()), (kubernetes_tag(&cluster.name, &cluster.id), "shared".into())]
    }
}

/// An Application Load Balancer wants no smaller subnet:
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html#subnets-load-balancer>.
const SMALLEST_PUBLIC: u8 = 27;

/// Every pod takes an address from a private subnet, so these are large: a quarter of the VPC's range each. In the fourth quarter are the
/// public ones.
fn cidr(vpc: Cidr, side: Side, index: usize) -> Cidr {
    let quarter = |index| vpc.part(vpc.prefix() + 2, index);
    match side {
        Side::Public => quarter(3).part((vpc.prefix() + 6).min(SMALLEST_PUBLIC), index),
        Side::Private => quarter(index),
    }
}

impl Planned for Subnet {
    fn key(&self) -> Key {
        Key::Subnet(self.side, self.index)
    }

    fn stage(&self) -> Stage {
        Stage::CreateEks
    }

    fn needs(&self) -> Vec<Key> {
        vec![Key::Vpc]
    }
}

#[async_trait]
impl Made for Subnet {
    type Thing = Found;

    async fn find(&self, cx: &Context) -> Result<Option<Found>> {
        let call = cx.aws.ec2.describe_subnets().set_filters(ec2_filters(&cx.cluster, &self.key()));
        let found = call.send().await.called("ec2:DescribeSubnets")?.subnets.unwrap_or_default();
        Ok(found.into_iter().find(|subnet| is_this(&cx.cluster, &self.key(), subnet.tags())))
    }

    fn judge(&self, cluster: &Cluster, subnet: &Found) -> Seen {
        if subnet.state() == Some(&SubnetState::Pending) {
            return Seen::Busy;
        }
        let range = self.range(cluster).to_string();
        Seen::but_for([Difference::between("cidr", subnet.cidr_block().unwrap_or_default(), &range, How::Never)])
    }

    fn outputs(&self, _: &Cluster, subnet: &Found) -> Outputs {
        id(subnet.subnet_id().unwrap_or_default())
    }

    async fn create(&self, cx: &Context) -> Result<()> {
        let tags = ec2_tags(&cx.cluster, &self.key(), ResourceType::Subnet, self.role_tags(&cx.cluster));
        let call = cx.aws.ec2.create_subnet().vpc_id(cx.output(&Key::Vpc, "id")?).cidr_block(self.range(&cx.cluster));
        let call = call.availability_zone(self.zone(&cx.cluster)?).tag_specifications(tags);
        match call.send().await.called("ec2:CreateSubnet").unless(&["InvalidSubnet.Conflict"])? {
            Some(_) => Ok(()),
            None => self.check_range(cx).await,
        }
    }

    async fn delete(&self, cx: &Context, subnet: &Found) -> Result<()> {
        let call = cx.aws.ec2.delete_subnet().set_subnet_id(subnet.subnet_id.clone());
        call.send().await.called("ec2:DeleteSubnet").done_if(&["InvalidSubnetID.NotFound"])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_subnets_overlap_and_all_lie_in_the_vpc() {
        for vpc in ["10.0.0.0/16", "172.20.0.0/17", "192.168.128.0/20", "100.64.8.0/21", "10.255.252.0/22"] {
            let vpc: Cidr = vpc.parse().expect("a range");
            let all = |side| (0..3).map(move |index| cidr(vpc, side, index));
            let cidrs: Vec<Cidr> = [Side::Public, Side::Private].into_iter().flat_map(all).collect();
            for (position, one) in cidrs.iter().enumerate() {
                assert!(vpc.contains(*one), "{one} is outside the VPC {vpc}");
                for other in &cidrs[position + 1..] {
                    assert!(!one.overlaps(*other), "{one} overlaps {other}");
                }
            }
        }
    }

    #[test]
    fn the_ranges_are_those_of_versions_before_and_large_enough_for_load_balancers() {
        for (vpc, side, index, expected, reason) in [
            ([10, 0, 0, 0], Side::Private, 2, "10.0.128.0/18", "as versions before made it"),
            ([10, 0, 0, 0], Side::Public, 1, "10.0.196.0/22", "as versions before made it"),
        ] {
            assert_eq!(cidr(Cidr::new(vpc, 16), side, index).to_string(), expected, "{reason}");
        }
        assert_eq!(cidr(Cidr::new([10, 0, 0, 0], 22), Side::Public, 2).to_string(), "10.0.3.64/27");
    }

    #[test]
    fn a_subnet_is_judged_by_its_range_and_not_by_whether_it_gives_public_addresses() {
        let cluster = Cluster::example(serde_json::json!({}));
        let subnet = Subnet { side: Side::Public, index: 1 };
        let right = subnet.range(&cluster).to_string();
        let wrong = Difference::between("cidr", "10.9.0.0/22", &right, How::Never);
        for (gives_addresses, range, expected, reason) in [
            (false, &right[..], Seen::Ready, "as EC2 makes it"),
            (true, &right, Seen::Ready, "as versions before made it"),
            (false, "10.9.0.0/22", Seen::but_for([wrong]), "somebody made it"),
        ] {
            let found = Found::builder().map_public_ip_on_launch(gives_addresses).cidr_block(range).build();
            assert_eq!(subnet.judge(&cluster, &found), expected, "{reason}");
        }
    }
}
