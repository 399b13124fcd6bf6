//! Who may use a managed cluster, and from where.

use super::{Fault, Section};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::net::Ipv4Addr;

/// Who may use the cluster, and from where.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Access {
    /// The ARN of an IAM role or user that becomes the cluster's administrator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^arn:aws[a-z-]*:iam::[0-9]{12}:(role|user)/[A-Za-z0-9+=,.@_/-]+$"))]
    pub admin_principal_arn: Option<String>,
    /// IPv4 ranges such as 203.0.113.0/24 that may reach the cluster's public endpoint; an empty list closes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 40), inner(regex(pattern = r"^([0-9]{1,3}\.){3}[0-9]{1,3}/[0-9]{1,2}$")))]
    pub public_access_cidrs: Option<Vec<String>>,
}

impl Section for Access {
    fn check(&self) -> Vec<Fault> {
        let cidrs = self.public_access_cidrs.iter().flatten().enumerate();
        cidrs.filter(|(_, cidr)| !is_ipv4_network(cidr)).map(|(index, cidr)| no_network(index, cidr)).collect()
    }
}

fn no_network(index: usize, cidr: &str) -> Fault {
    let message = format!("{cidr} is not an IPv4 range: four numbers up to 255, a prefix up to 32, and no bits set after it");
    Fault::new(format!("$.public_access_cidrs[{index}]"), message)
}

fn is_ipv4_network(cidr: &str) -> bool {
    let Some((address, prefix)) = cidr.split_once('/') else {
        return false;
    };
    let (Ok(address), Ok(prefix @ 0..=32)) = (address.parse::<Ipv4Addr>(), prefix.parse::<u32>()) else {
        return false;
    };
    let host_bits = u32::MAX.checked_shr(prefix).unwrap_or(0);
    u32::from(address) & host_bits == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_has_no_bits_set_after_its_prefix() {
        for (cidr, good, reason) in [
            ("203.0.113.0/24", true, "a network"),
            ("203.0.113.9/32", true, "one address"),
            ("0.0.0.0/0", true, "everybody"),
            ("203.0.113.1/24", false, "a bit after the prefix"),
            ("300.0.0.0/8", false, "300 is more than a byte"),
            ("203.0.113.0/33", false, "IPv4 has 32 bits"),
            ("203.0.113.0", false, "no prefix"),
        ] {
            let access = Access { public_access_cidrs: Some(vec![cidr.into()]), ..Access::default() };
            assert_eq!(access.check().is_empty(), good, "{reason}");
        }
    }
}
