//! Who may use a managed cluster, and from where.

use super::schema::IN_PLACE;
use super::{Fault, Section};
use crate::cidr::Cidr;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::net::Ipv4Addr;

/// Stands for the address that a request comes from.
pub const REQUESTER: &str = "requester";
/// The range of all addresses.
pub const EVERYBODY: &str = "0.0.0.0/0";

/// Who may use the cluster, and from where.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub struct Access {
    /// ARNs of up to 5 IAM roles or users in the account of role_arn, each once, that become the cluster's administrators. If absent, nobody
    /// is one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 5), extend("uniqueItems" = true, "x-change" = IN_PLACE), inner(regex(pattern = r"^arn:aws(-us-gov)?:iam::[0-9]{12}:(role|user)/[A-Za-z0-9+=,.@_/-]+$")))]
    pub administrators: Vec<String>,
    /// ARNs of up to 10 IAM roles or users in the account of role_arn, each once and none an administrator, that may work in the namespace
    /// research: run jobs, see their logs, enter their pods, and nothing outside of it. If absent, only administrators can.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10), extend("uniqueItems" = true, "x-change" = IN_PLACE), inner(regex(pattern = r"^arn:aws(-us-gov)?:iam::[0-9]{12}:(role|user)/[A-Za-z0-9+=,.@_/-]+$")))]
    pub users: Vec<String>,
    /// Up to 40 IPv4 ranges such as 54.240.193.128/26 that may reach the public endpoint, or "requester" for where the request comes from.
    /// If absent, the endpoint is closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 40), extend("x-change" = IN_PLACE), inner(regex(pattern = r"^(requester|([0-9]{1,3}\.){3}[0-9]{1,3}/[0-9]{1,2})$")))]
    pub public_cidrs: Option<Vec<String>>,
}

/// Somebody whom the cluster lets in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guest<'a> {
    /// What follows the account in the ARN: `role/ml-admin`.
    pub principal: &'a str,
    pub arn: &'a str,
    pub right: Right,
}

/// What somebody may do in a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// Everything.
    Administer,
    /// In the researchers' namespace, what researchers do.
    Work,
}

/// What the ARNs of all who are let in may have in characters without what they have in common: the policy of a session has room for it.
const ROOM: usize = 400;

impl Access {
    pub fn guests(&self) -> impl Iterator<Item = Guest<'_>> {
        let administrators = self.administrators.iter().map(|arn| (arn, Right::Administer));
        let all = administrators.chain(self.users.iter().map(|arn| (arn, Right::Work)));
        all.filter_map(|(arn, right)| Some(Guest { principal: arn.splitn(6, ':').last()?, arn, right }))
    }

    /// The JSON path and the ARN of each.
    pub(super) fn given(&self) -> impl Iterator<Item = (String, &String)> {
        let lists = [("administrators", &self.administrators), ("users", &self.users)];
        let numbered = lists.into_iter().flat_map(|(field, arns)| arns.iter().enumerate().map(move |(index, arn)| (field, index, arn)));
        numbered.map(|(field, index, arn)| (format!("$.access.{field}[{index}]"), arn))
    }

    fn room_fault(&self) -> Option<Fault> {
        let length: usize = self.guests().map(|guest| guest.principal.len()).sum();
        let message = || {
            format!(
                "the names of administrators and users have {length} characters together, and a session of Groundwork's has room for {ROOM}"
            )
        };
        (length > ROOM).then(|| Fault::new("$.access.administrators", message()))
    }

    /// EKS has one entry for each.
    fn twice(&self) -> impl Iterator<Item = Fault> {
        let twice = self.users.iter().enumerate().filter(|(_, arn)| self.administrators.contains(arn));
        twice.map(|(index, _)| Fault::new(format!("$.access.users[{index}]"), "this is an administrator already: name it once"))
    }
}

impl Section for Access {
    fn check(&self) -> Vec<Fault> {
        let given = self.public_cidrs.iter().flatten().enumerate().filter(|(_, range)| *range != REQUESTER);
        let of_ranges = given.filter_map(|(index, range)| Some(Fault::new(format!("$.access.public_cidrs[{index}]"), fault(range)?)));
        self.room_fault().into_iter().chain(self.twice()).chain(of_ranges).collect()
    }
}

/// Why EKS would not take a range. It lets everybody in, but takes no other range with reserved addresses in it:
/// <https://repost.aws/knowledge-center/eks-lock-api-access-IP-addresses>.
fn fault(text: &str) -> Option<String> {
    let range = match text.parse::<Cidr>() {
        Ok(range) if range.begins_where_it_says() => range,
        _ => return Some(format!("{text} is not an IPv4 range: four numbers up to 255, a prefix up to 32, and no bits set after it")),
    };
    let reserved = reserved(range).filter(|_| text != EVERYBODY)?;
    Some(format!(
        "{text} has addresses of {reserved} in it, which no request from the internet comes from, and EKS refuses it: give the range by which \
         your network reaches the internet"
    ))
}

/// True for an address that a request from the internet can come from.
pub fn is_public(address: Ipv4Addr) -> bool {
    reserved(address.into()).is_none()
}

/// The first of the reserved ranges that it has addresses of.
fn reserved(range: Cidr) -> Option<Cidr> {
    RESERVED.into_iter().find(|reserved| reserved.overlaps(range))
}

/// Special-purpose and multicast addresses.
/// Source: <https://www.iana.org/assignments/iana-ipv4-special-registry>.
const RESERVED: [Cidr; 15] = [
    Cidr::new([0, 0, 0, 0], 8),
    Cidr::new([10, 0, 0, 0], 8),
    Cidr::new([100, 64, 0, 0], 10),
    Cidr::new([127, 0, 0, 0], 8),
    Cidr::new([169, 254, 0, 0], 16),
    Cidr::new([172, 16, 0, 0], 12),
    Cidr::new([192, 0, 0, 0], 24),
    Cidr::new([192, 0, 2, 0], 24),
    Cidr::new([192, 88, 99, 0], 24),
    Cidr::new([192, 168, 0, 0], 16),
    Cidr::new([198, 18, 0, 0], 15),
    Cidr::new([198, 51, 100, 0], 24),
    Cidr::new([203, 0, 113, 0], 24),
    Cidr::new([224, 0, 0, 0], 4),
    Cidr::new([240, 0, 0, 0], 4),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_one_that_eks_takes() {
        for (range, words) in [
            ("54.240.193.128/26", None),
            ("54.240.193.129/32", None),
            ("0.0.0.0/0", None),
            ("requester", None),
            ("54.240.193.129/26", Some("no bits set after it")),
            ("300.0.0.0/8", Some("four numbers up to 255")),
            ("54.240.193.0/33", Some("a prefix up to 32")),
            ("10.0.0.0/8", Some("10.0.0.0/8 has addresses of 10.0.0.0/8")),
            ("10.1.2.3/32", Some("of 10.0.0.0/8 in it")),
            ("8.0.0.0/5", Some("8.0.0.0/5 has addresses of 10.0.0.0/8")),
            ("100.100.0.0/16", Some("of 100.64.0.0/10 in it")),
            ("192.0.0.0/24", Some("of 192.0.0.0/24 in it")),
            ("198.19.0.0/16", Some("of 198.18.0.0/15 in it")),
            ("203.0.113.0/24", Some("of 203.0.113.0/24 in it")),
            ("255.255.255.255/32", Some("of 240.0.0.0/4 in it")),
        ] {
            let access = Access { public_cidrs: Some(vec![range.into()]), ..Access::default() };
            let found: Vec<String> = access.check().into_iter().map(|fault| fault.message).collect();
            assert_eq!(found.len(), usize::from(words.is_some()), "{range}: {found:?}");
            assert!(found.iter().all(|message| words.is_some_and(|words| message.contains(words))), "{range}: {found:?}");
        }
    }
}
