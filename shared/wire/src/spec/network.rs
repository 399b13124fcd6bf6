//! The network of a cluster: what Groundwork makes, or where a customer's own cluster gets its nodes.

use super::ground::is_default;
use super::schema::NEVER;
use super::{Fault, Section};
use crate::cidr::Cidr;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What Groundwork makes, or where it finds what the customer made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub struct Network {
    /// The private IPv4 range of the cluster's own VPC, /16 to /22 and nothing of 172.17.0.0/16; if absent, 10.0.0.0/16. Each zone's private
    /// subnet, from which every pod takes an address, has a quarter of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", extend("x-change" = NEVER, "pattern" = pattern("1[6-9]|2[0-2]")))]
    pub cidr: Option<Cidr>,
    /// The IPv4 range of Kubernetes' services, /12 to /24 in 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16, and nothing of the VPC's; if absent,
    /// EKS chooses 10.100.0.0/16 or 172.20.0.0/16.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", extend("x-change" = NEVER, "pattern" = pattern("1[2-9]|2[0-4]")))]
    pub service_cidr: Option<Cidr>,
    /// The 2 or 3 availability zones of the region that the cluster has, such as us-west-2a, each once; if absent, those that offer most of the
    /// instance types.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 2, max = 3), extend("uniqueItems" = true, "x-change" = NEVER), inner(regex(pattern = r"^[a-z]{2}(-[a-z]+)+-[0-9][a-z]$")))]
    pub zones: Vec<String>,
    /// Instead of cidr and zones, 2 to 16 subnets of yours, each once, such as subnet-0123456789abcdef0, in one VPC and at least two availability
    /// zones: control plane and nodes go there, and nothing is made, changed or tagged in your network. The quick-start's NetworkVpcs has to name
    /// the VPC. If absent, the cluster gets a VPC of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 2, max = 16), extend("uniqueItems" = true, "x-change" = NEVER), inner(regex(pattern = r"^subnet-[0-9a-f]{8,17}$")))]
    pub subnet_ids: Vec<String>,
    /// True if AWS is to record who talks to whom in the cluster's VPC (VPC flow logs), every ten minutes into the bucket logs, where it is data
    /// like any other and expires by the bucket's expire_days. AWS charges for what it records. Not with subnet_ids.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(extend("x-change" = NEVER))]
    pub flow_logs: bool,
}

/// Of a range with one of these prefixes.
fn pattern(prefixes: &str) -> String {
    let number = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
    format!(r"^({number}\.){{3}}{number}/({prefixes})$")
}

/// RFC 1918.
const PRIVATE: [Cidr; 3] = [Cidr::new([10, 0, 0, 0], 8), Cidr::new([172, 16, 0, 0], 12), Cidr::new([192, 168, 0, 0], 16)];
/// RFC 6598. EKS takes it for a VPC, and not for services: <https://docs.aws.amazon.com/eks/latest/APIReference/API_KubernetesNetworkConfigRequest.html>.
const SHARED: Cidr = Cidr::new([100, 64, 0, 0], 10);
/// Services of AWS such as SageMaker have it inside, and the VPC user guide asks to leave it to them:
/// <https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html>.
const DOCKER: Cidr = Cidr::new([172, 17, 0, 0], 16);

/// A VPC of the customer's is not changed, and a flow log is one of its settings.
const THEIR_FLOW_LOGS: &str = "only without subnet_ids: that VPC is yours, so create its flow log yourself (aws ec2 create-flow-logs)";

impl Network {
    /// What counts if nothing is said, as in all clusters of before.
    const CIDR: Cidr = Cidr::new([10, 0, 0, 0], 16);

    pub fn cidr(&self) -> Cidr {
        self.cidr.unwrap_or(Self::CIDR)
    }

    pub(super) fn settle(&mut self) {
        if self.subnet_ids.is_empty() {
            self.cidr = Some(self.cidr());
        }
    }

    fn vpc_fault(&self) -> Option<String> {
        let range = self.cidr?;
        let is_private = PRIVATE.iter().chain([&SHARED]).any(|all| all.contains(range));
        if !range.begins_where_it_says() {
            Some(not_the_first(range))
        } else if !is_private {
            Some(format!("{range} is not private: choose within 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or 100.64.0.0/10"))
        } else {
            let inside =
                || format!("{range} has addresses of {DOCKER}, which services of AWS such as SageMaker use inside: choose another range");
            range.overlaps(DOCKER).then(inside)
        }
    }

    fn service_fault(&self) -> Option<String> {
        let (range, vpc) = (self.service_cidr?, self.cidr());
        if !range.begins_where_it_says() {
            Some(not_the_first(range))
        } else if !PRIVATE.iter().any(|all| all.contains(range)) {
            Some(format!("EKS takes {range} for no services: choose within 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16"))
        } else {
            // Of the customer's own, only EC2 knows the ranges.
            (self.subnet_ids.is_empty() && range.overlaps(vpc)).then(|| format!("{range} overlaps {vpc}, the range of the VPC (cidr)"))
        }
    }
}

fn not_the_first(range: Cidr) -> String {
    format!("a range begins with its first address: {}", range.part(range.prefix(), 0))
}

impl Section for Network {
    fn check(&self) -> Vec<Fault> {
        let is_theirs = !self.subnet_ids.is_empty();
        let besides = |is_given: bool| (is_theirs && is_given).then(|| "only without subnet_ids, which decide about it".to_owned());
        let faults = [
            ("cidr", besides(self.cidr.is_some()).or_else(|| self.vpc_fault())),
            ("service_cidr", self.service_fault()),
            ("zones", besides(!self.zones.is_empty())),
            ("flow_logs", (is_theirs && self.flow_logs).then(|| THEIR_FLOW_LOGS.to_owned())),
        ];
        faults.into_iter().filter_map(|(field, fault)| Some(Fault::new(format!("$.network.{field}"), fault?))).collect()
    }
}

/// Where the nodes of a customer's own cluster are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub struct Subnets {
    /// 1 to 20 subnets for the nodes, such as subnet-0123456789abcdef0; if absent, the cluster's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 20), extend("x-change" = NEVER), inner(regex(pattern = r"^subnet-[0-9a-f]{8,17}$")))]
    pub subnet_ids: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(cidr: Option<&str>, service_cidr: Option<&str>) -> Vec<String> {
        let range = |text: &str| text.parse().expect("a range");
        let network = Network { cidr: cidr.map(range), service_cidr: service_cidr.map(range), ..Network::default() };
        network.check().into_iter().map(|fault| format!("{} {}", fault.path, fault.message)).collect()
    }

    #[test]
    fn a_vpc_has_a_private_range_that_nothing_of_aws_uses() {
        for (range, words) in [
            ("10.0.0.0/16", None),
            ("10.255.252.0/22", None),
            ("172.16.0.0/16", None),
            ("172.18.0.0/16", None),
            ("192.168.0.0/16", None),
            ("100.127.252.0/22", None),
            ("10.0.4.0/16", Some("$.network.cidr a range begins with its first address: 10.0.0.0/16")),
            ("8.8.0.0/16", Some("8.8.0.0/16 is not private")),
            ("172.32.0.0/16", Some("is not private")),
            ("100.128.0.0/16", Some("is not private")),
            ("172.17.0.0/16", Some("172.17.0.0/16 has addresses of 172.17.0.0/16")),
            ("172.17.252.0/22", Some("which services of AWS")),
        ] {
            let found = messages(Some(range), None);
            assert_eq!(found.len(), usize::from(words.is_some()), "{range}: {found:?}");
            assert!(found.iter().all(|message| words.is_some_and(|words| message.contains(words))), "{range}: {found:?}");
        }
    }

    #[test]
    fn services_have_a_range_that_eks_takes_beside_the_vpcs() {
        for (vpc, range, words) in [
            (None, "10.96.0.0/12", None),
            (None, "192.168.0.0/24", None),
            (Some("10.96.0.0/16"), "10.0.0.0/16", None),
            (None, "10.96.1.0/12", Some("begins with its first address: 10.96.0.0/12")),
            (None, "100.64.0.0/16", Some("EKS takes 100.64.0.0/16 for no services")),
            (None, "10.0.0.0/12", Some("10.0.0.0/12 overlaps 10.0.0.0/16, the range of the VPC")),
            (Some("172.20.0.0/16"), "172.20.255.0/24", Some("172.20.255.0/24 overlaps 172.20.0.0/16")),
        ] {
            let found = messages(vpc, Some(range));
            assert_eq!(found.len(), usize::from(words.is_some()), "{range}: {found:?}");
            assert!(found.iter().all(|message| words.is_some_and(|words| message.contains(words))), "{range}: {found:?}");
        }
    }
}
