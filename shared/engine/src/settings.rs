//! What the template sets in the functions' environment.

use std::time::Duration;

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
