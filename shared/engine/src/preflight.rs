//! What is checked before anything is made.

pub mod permissions;
pub mod trust;

use crate::context::Context;
use crate::errors::{Called, Error, Result};
use crate::resources::owned::filter;
use aws_config::SdkConfig;
use aws_sdk_ec2::types::AvailabilityZone;
use wire::error::Code;

/// Zones where EKS cannot create control planes, by id, because names differ between accounts (row 16 of docs/failures.md).
const WITHOUT_CONTROL_PLANES: [&str; 3] = ["use1-az3", "usw1-az2", "cac1-az3"];

/// # Errors
/// `Customer` if AWS has no such region. Without this check a typo would look like a host that does not answer.
pub async fn region(operator: &SdkConfig, name: &str) -> Result<()> {
    let ec2 = aws_sdk_ec2::Client::new(operator);
    let answer = ec2.describe_regions().all_regions(true).send().await.called("ec2:DescribeRegions")?;
    if answer.regions().iter().any(|region| region.region_name() == Some(name)) {
        return Ok(());
    }
    Err(Error::of(Code::NoSuchRegion, format!("AWS has no region {name}.")))
}

/// The cluster's availability zones: three where the region has them, else two.
///
/// # Errors
/// `Customer` if the region is not enabled or has fewer than two zones that EKS can use.
pub async fn zones(cx: &Context) -> Result<Vec<String>> {
    let answer = cx
        .aws
        .ec2
        .describe_availability_zones()
        .filters(filter("zone-type", "availability-zone"))
        .filters(filter("state", "available"))
        .send()
        .await
        .called("ec2:DescribeAvailabilityZones")?;
    choose(answer.availability_zones()).ok_or_else(|| {
        let region = &cx.cluster.spec.region;
        Error::of(Code::TooFewZones, format!("{region} has fewer than two availability zones that EKS can use."))
    })
}

fn choose(zones: &[AvailabilityZone]) -> Option<Vec<String>> {
    let usable = zones.iter().filter(|zone| !WITHOUT_CONTROL_PLANES.contains(&zone.zone_id().unwrap_or_default()));
    let mut names: Vec<String> = usable.filter_map(|zone| zone.zone_name().map(str::to_owned)).collect();
    names.sort();
    names.truncate(3);
    (names.len() >= 2).then_some(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(name: &str, id: &str) -> AvailabilityZone {
        AvailabilityZone::builder().zone_name(name).zone_id(id).build()
    }

    #[test]
    fn three_zones_are_chosen_from_those_with_control_planes() {
        let zones = [
            zone("us-east-1c", "use1-az6"),
            zone("us-east-1a", "use1-az1"),
            zone("us-east-1b", "use1-az3"),
            zone("us-east-1d", "use1-az2"),
            zone("us-east-1e", "use1-az4"),
        ];
        assert_eq!(choose(&zones), Some(vec!["us-east-1a".into(), "us-east-1c".into(), "us-east-1d".into()]));
    }

    #[test]
    fn two_zones_are_enough_and_one_is_not() {
        let zones = [zone("us-west-1a", "usw1-az1"), zone("us-west-1b", "usw1-az2"), zone("us-west-1c", "usw1-az3")];
        assert_eq!(choose(&zones).map(|names| names.len()), Some(2));
        assert_eq!(choose(&zones[..2]), None);
    }
}
