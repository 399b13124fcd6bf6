//! VPC Block Public Access, which every account has and few have turned on; and ranges that EKS takes for no public endpoint.

use super::Rule;
use crate::answer::{Answer, Refusal};
use crate::call::Call;
use crate::world::World;
use serde_json::Value;
use std::net::Ipv4Addr;

pub struct PublicAccess;

impl Rule for PublicAccess {
    fn before(&mut self, call: &Call, world: &mut World) -> Option<Answer> {
        match call.name().as_str() {
            "ec2:DescribeVpcBlockPublicAccessOptions" => Some(options(call, world)),
            "ec2:DescribeVpcBlockPublicAccessExclusions" => Some(exclusions(call, world)),
            "eks:CreateCluster" => Some(reserved(call)?.answer(&call.service)),
            _ => None,
        }
    }
}

/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_VpcBlockPublicAccessOptions.html>
fn options(call: &Call, world: &World) -> Answer {
    let (mode, state, by) = if world.account(&call.access_key).blocks_internet {
        ("block-bidirectional", "update-complete", "declarative-policy")
    } else {
        ("off", "default-state", "account")
    };
    let (account, region) = (world.number(&call.access_key), &call.region);
    let shown = format!(
        "<awsAccountId>{account}</awsAccountId><awsRegion>{region}</awsRegion><state>{state}</state>\
         <internetGatewayBlockMode>{mode}</internetGatewayBlockMode><managedBy>{by}</managedBy><exclusionsAllowed>allowed</exclusionsAllowed>"
    );
    let name = "DescribeVpcBlockPublicAccessOptionsResponse";
    Answer::new(format!("<{name}><vpcBlockPublicAccessOptions>{shown}</vpcBlockPublicAccessOptions></{name}>").into())
}

/// A page for each: how many are on one is for EC2 to decide.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVpcBlockPublicAccessExclusions.html>
fn exclusions(call: &Call, world: &World) -> Answer {
    let (account, region) = (world.number(&call.access_key), &call.region);
    let one = |id: &String| {
        let kind = id.split('-').next().unwrap_or_default();
        format!(
            "<item><exclusionId>vpcbpa-exclude-{id}</exclusionId><internetGatewayExclusionMode>allow-egress</internetGatewayExclusionMode>\
             <resourceArn>arn:aws:ec2:{region}:{account}:{kind}/{id}</resourceArn><state>create-complete</state></item>"
        )
    };
    let exempted = &world.account(&call.access_key).exempted;
    let page = call.field("NextToken").and_then(|token| token.parse().ok()).unwrap_or(0);
    let shown = exempted.get(page).map(one).unwrap_or_default();
    let next = if page + 1 < exempted.len() { format!("<nextToken>{}</nextToken>", page + 1) } else { String::new() };
    let name = "DescribeVpcBlockPublicAccessExclusionsResponse";
    Answer::new(format!("<{name}><vpcBlockPublicAccessExclusionSet>{shown}</vpcBlockPublicAccessExclusionSet>{next}</{name}>").into())
}

/// No request from the internet comes from these. Source: the IANA IPv4 special-purpose address registry; EKS's words are in
/// many a log: "The following CIDRs are not allowed in publicAccessCidrs: [203.0.113.0/24]".
const RESERVED: [(Ipv4Addr, u32); 14] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

fn reserved(call: &Call) -> Option<Refusal> {
    let network = &call.json["resourcesVpcConfig"];
    if network["endpointPublicAccess"] == false {
        return None;
    }
    let given = network["publicAccessCidrs"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let refused: Vec<&str> = given.filter(|range| is_reserved(range)).collect();
    let message = format!("The following CIDRs are not allowed in publicAccessCidrs: [{}]", refused.join(", "));
    (!refused.is_empty()).then(|| Refusal::new(400, "InvalidParameterException", message))
}

fn is_reserved(range: &str) -> bool {
    let parsed = range.split_once('/').and_then(|(address, prefix)| Some((address.parse::<Ipv4Addr>().ok()?, prefix.parse::<u32>().ok()?)));
    parsed.is_some_and(|(address, prefix)| RESERVED.iter().any(|(network, length)| prefix >= *length && is_in(address, *network, *length)))
}

fn is_in(address: Ipv4Addr, network: Ipv4Addr, length: u32) -> bool {
    (u32::from(address) ^ u32::from(network)) >> (32 - length) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_lies_in_a_reserved_range_is_refused() {
        for (range, refused, why) in [
            ("10.0.0.0/8", true, "a private network"),
            ("10.1.2.3/32", true, "an address of one"),
            ("203.0.113.0/24", true, "for documentation"),
            ("100.100.0.0/16", true, "behind a carrier's NAT"),
            ("255.255.255.255/32", true, "broadcast"),
            ("54.240.193.0/24", false, "public"),
            ("0.0.0.0/0", false, "everybody"),
            ("8.0.0.0/5", false, "most of it is public"),
        ] {
            assert_eq!(is_reserved(range), refused, "{range}: {why}");
        }
    }
}
