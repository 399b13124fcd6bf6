//! Who may reach a new cluster's public endpoint: only whom the request names, which may be the address that it came from.

use super::Request;
use std::net::{IpAddr, Ipv4Addr};
use wire::spec::{Fault, Ground, REQUESTER, Spec, is_public};
use wire::status::EndpointAccess;

/// Writes the ranges to the spec and says how they were decided.
///
/// # Errors
/// If the endpoint is to open to a requester whose address EKS would not let in.
pub fn decide(spec: &mut Spec, request: &Request) -> Result<EndpointAccess, Vec<Fault>> {
    let Ground::Managed(ours) = &mut spec.ground else { return Ok(EndpointAccess::Customer) };
    let ranges = ours.access.public_cidrs.get_or_insert_default();
    if ranges.is_empty() {
        return Ok(EndpointAccess::Closed);
    }
    let Some(index) = ranges.iter().position(|range| range == REQUESTER) else { return Ok(EndpointAccess::Given) };
    let address = public(request.origin).ok_or_else(|| vec![no_address(index, request)])?;
    ranges.iter_mut().filter(|range| *range == REQUESTER).for_each(|range| *range = format!("{address}/32"));
    Ok(EndpointAccess::Requester)
}

/// EKS refuses reserved ranges, and its public endpoints speak IPv4.
fn public(origin: Option<IpAddr>) -> Option<Ipv4Addr> {
    match origin? {
        IpAddr::V4(address) => is_public(address).then_some(address),
        IpAddr::V6(_) => None,
    }
}

fn no_address(index: usize, request: &Request) -> Fault {
    let why = match request.origin {
        Some(address) => format!("{address} is no public IPv4 address, and the endpoint lets nothing else in"),
        None => "a job comes from a queue, which has no address".into(),
    };
    Fault::new(format!("$.access.public_cidrs[{index}]"), format!("{why}: give the ranges instead"))
}

#[cfg(test)]
mod tests {
    use super::super::Action;
    use super::*;
    use crate::cluster::Cluster;
    use serde_json::{Value, json};

    fn from(origin: Option<&str>) -> Request {
        Request {
            tenant: "demo".into(),
            actor: "tenant:a".into(),
            from: String::new(),
            origin: origin.map(|text| text.parse().expect("an address")),
            idempotency_key: None,
            action: Action::Create(Value::Null),
        }
    }

    #[test]
    fn nothing_is_decided_for_a_customers_own_cluster() {
        let Cluster { mut spec, .. } = Cluster::self_managed(json!({}));
        assert_eq!(decide(&mut spec, &from(Some("54.240.193.129"))), Ok(EndpointAccess::Customer));
        assert_eq!(spec.public_cidrs(), None);
    }

    #[test]
    fn the_endpoint_opens_only_to_whom_the_request_names() {
        let (public, given) = (Some("54.240.193.129"), json!(["54.240.193.128/26"]));
        for (ranges, origin, mode, cidrs) in [
            (json!(null), public, EndpointAccess::Closed, vec![]),
            (json!([]), public, EndpointAccess::Closed, vec![]),
            (given, None, EndpointAccess::Given, vec!["54.240.193.128/26"]),
            (json!(["requester"]), public, EndpointAccess::Requester, vec!["54.240.193.129/32"]),
            (json!(["8.8.8.0/24", "requester"]), public, EndpointAccess::Requester, vec!["8.8.8.0/24", "54.240.193.129/32"]),
        ] {
            let Cluster { mut spec, .. } = Cluster::example(json!({"public_access_cidrs": ranges}));
            assert_eq!(decide(&mut spec, &from(origin)), Ok(mode), "{ranges}");
            assert_eq!(spec.public_cidrs().unwrap_or_default(), cidrs, "{ranges}");
        }
    }

    #[test]
    fn a_requester_whom_eks_would_not_let_in_is_told_why() {
        for (origin, words) in [
            (Some("127.0.0.1"), "127.0.0.1 is no public IPv4 address"),
            (Some("10.1.2.3"), "10.1.2.3 is no public IPv4 address"),
            (Some("100.64.0.1"), "100.64.0.1 is no public IPv4 address"),
            (Some("2001:db8::1"), "2001:db8::1 is no public IPv4 address"),
            (None, "a job comes from a queue"),
        ] {
            let Cluster { mut spec, .. } = Cluster::example(json!({"public_access_cidrs": ["8.8.8.0/24", "requester"]}));
            let faults = decide(&mut spec, &from(origin)).expect_err("it has no public address");
            assert_eq!(faults[0].path, "$.access.public_cidrs[1]");
            assert!(faults[0].message.contains(words) && faults[0].message.ends_with("give the ranges instead"), "{faults:?}");
        }
    }
}
