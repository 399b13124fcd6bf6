//! A client that gives up in time. Who tries again, and how often, is for whoever uses it.

use crate::error::Result;
use kube::{Client, Config};
use std::time::Duration;

const TO_CONNECT: Duration = Duration::from_secs(10);
/// A webhook may take 30 s, and an API server ends a call after 60.
const TO_ANSWER: Duration = Duration::from_secs(35);

/// kube itself would wait for an answer without end, and try again 15 times, up to a quarter of an hour apart.
///
/// # Errors
/// The configuration has no usable credentials or certificates.
pub fn connect(mut config: Config) -> Result<Client> {
    config.connect_timeout = Some(TO_CONNECT);
    config.read_timeout = Some(TO_ANSWER);
    config.reset_reader_on_write = true;
    config.write_timeout = Some(TO_ANSWER);
    config.default_retry = false;
    Ok(Client::try_from(config)?)
}
