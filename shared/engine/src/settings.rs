//! What the template sets in the functions' environment.

use std::time::Duration;
use wire::cidr::Cidr;

/// # Errors
/// Names the variable that is missing.
pub fn text(name: &str) -> Result<String, String> {
    std::env::var(name).map_err(|_| format!("the environment variable {name} is not set; template.yaml sets it"))
}

/// # Errors
/// Names the variable that is missing or not a number.
pub fn number(name: &str) -> Result<u32, String> {
    let text = text(name)?;
    text.parse().map_err(|_| format!("{name} is {text:?}, not a whole number"))
}

/// # Errors
/// Names the variable that is missing or not a number.
pub fn seconds(name: &str) -> Result<Duration, String> {
    number(name).map(|seconds| Duration::from_secs(seconds.into()))
}

/// None if it is not set, or empty.
///
/// # Errors
/// Names the variable that is no IPv4 address.
pub fn address(name: &str) -> Result<Option<Cidr>, String> {
    let text = std::env::var(name).unwrap_or_default();
    let read = || format!("{text}/32").parse().map_err(|_| format!("{name} is {text:?}, not an IPv4 address"));
    (!text.is_empty()).then(read).transpose()
}
