//! What is checked before anything is made.

mod alternatives;
pub mod hardware;
pub mod key;
mod key_policy;
pub mod network;
pub mod permissions;
mod simulation;
pub mod trust;
pub mod version;
pub mod way_out;
pub mod zones;

use crate::errors::{Called, Error, Result};
use aws_config::SdkConfig;
use wire::error::Code;

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
