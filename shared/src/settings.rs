//! What the template sets in the functions' environment.

use std::time::Duration;

/// # Errors
/// Names the variable that is missing.
pub fn text(name: &str) -> Result<String, String> {
    std::env::var(name).map_err(|_| format!("the environment variable {name} is not set; template.yaml sets it"))
}

/// # Errors
/// Names the variable that is missing or not a number.
pub fn seconds(name: &str) -> Result<Duration, String> {
    let text = text(name)?;
    text.parse().map(Duration::from_secs).map_err(|_| format!("{name} is {text:?}, not a whole number of seconds"))
}

/// JSON lines, as the functions' LoggingConfig asks for.
pub fn log() {
    lambda_runtime::tracing::init_default_subscriber();
}
