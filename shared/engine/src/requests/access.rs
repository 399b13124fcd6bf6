//! Who may reach a new cluster's public endpoint: the ranges given, else the address the request came from, else nobody.

use std::net::{IpAddr, Ipv4Addr};
use wire::spec::{Access, Ground, Spec};
use wire::status::EndpointAccess;

/// Writes the decision to the spec and says how it was made.
pub fn decide(spec: &mut Spec, origin: Option<IpAddr>) -> EndpointAccess {
    match &mut spec.ground {
        Ground::Managed(ours) => of_ours(&mut ours.access, origin),
        Ground::SelfManaged(_) => EndpointAccess::Customer,
    }
}

fn of_ours(access: &mut Access, origin: Option<IpAddr>) -> EndpointAccess {
    if let Some(given) = &access.public_access_cidrs {
        return if given.is_empty() { EndpointAccess::Closed } else { EndpointAccess::Given };
    }
    // EKS refuses reserved ranges, and its public endpoints speak IPv4.
    match origin {
        Some(IpAddr::V4(address)) if is_public(address) => {
            access.public_access_cidrs = Some(vec![format!("{address}/32")]);
            EndpointAccess::Requester
        }
        _ => {
            access.public_access_cidrs = Some(vec![]);
            EndpointAccess::Closed
        }
    }
}

fn is_public(address: Ipv4Addr) -> bool {
    let carrier_grade_nat = address.octets()[0] == 100 && address.octets()[1] & 0xc0 == 64;
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_unspecified()
        || address.is_multicast()
        || address.is_broadcast()
        || carrier_grade_nat)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::Cluster;
    use serde_json::json;

    #[test]
    fn nothing_is_decided_for_a_customers_own_cluster() {
        let Cluster { mut spec, .. } = Cluster::self_managed(json!({}));
        assert_eq!(decide(&mut spec, "203.0.113.9".parse().ok()), EndpointAccess::Customer);
        assert_eq!(spec.public_access_cidrs(), None);
    }

    #[test]
    fn the_endpoint_opens_to_the_ranges_given_else_to_the_requester() {
        let none = json!(null);
        for (given, origin, expected, cidrs) in [
            (json!(["198.51.100.0/24"]), Some("203.0.113.9"), EndpointAccess::Given, vec!["198.51.100.0/24"]),
            (json!([]), Some("203.0.113.9"), EndpointAccess::Closed, vec![]),
            (none.clone(), Some("203.0.113.9"), EndpointAccess::Requester, vec!["203.0.113.9/32"]),
            (none.clone(), Some("127.0.0.1"), EndpointAccess::Closed, vec![]),
            (none.clone(), Some("10.1.2.3"), EndpointAccess::Closed, vec![]),
            (none.clone(), Some("100.64.0.1"), EndpointAccess::Closed, vec![]),
            (none.clone(), Some("2001:db8::1"), EndpointAccess::Closed, vec![]),
            (none, None, EndpointAccess::Closed, vec![]),
        ] {
            let Cluster { mut spec, .. } = Cluster::example(json!({"public_access_cidrs": given}));
            let origin = origin.map(|text| text.parse().expect("an address"));
            assert_eq!(decide(&mut spec, origin), expected, "{origin:?}");
            assert_eq!(spec.public_access_cidrs().unwrap_or_default(), cidrs, "{origin:?}");
        }
    }
}
