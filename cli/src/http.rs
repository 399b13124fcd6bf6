//! The way out: one client for the service and the issuer, which trusts whom the machine trusts and goes through the machine's proxy.

use crate::failure::{Exit, Failure, Result};
use serde::de::DeserializeOwned;
use std::time::Duration;
use ureq::http::Response;
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Body};
use url::{Host, Url};

/// Longer than the longest poll, which API Gateway ends after 30 s.
const PATIENCE: Duration = Duration::from_secs(40);

pub fn agent() -> Agent {
    Agent::config_builder()
        .user_agent(concat!("groundwork/", env!("CARGO_PKG_VERSION")))
        .timeout_connect(Some(Duration::from_secs(10)))
        .timeout_global(Some(PATIENCE))
        // What an error says is in its body.
        .http_status_as_error(false)
        // A token goes only where it was meant for.
        .max_redirects(0)
        .tls_config(TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build())
        .build()
        .new_agent()
}

/// # Errors
/// The address is none, or would send a token in the clear to another machine.
pub fn check_scheme(address: &str) -> Result<Url> {
    let url = Url::parse(address).map_err(|error| Failure::new(Exit::Usage, format!("{address:?} is not an address.")).because(error))?;
    let here = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    };
    match url.scheme() {
        "https" => Ok(url),
        "http" if here => Ok(url),
        _ => Err(Failure::new(Exit::Usage, format!("{address} is not https, so that anybody on the way could read your login."))
            .next("Use the https address that the operator gave you.")),
    }
}

pub fn unreachable(who: &str, error: &impl ToString) -> Failure {
    Failure::new(Exit::Unreachable, format!("{who} cannot be reached."))
        .because(error.to_string())
        .next("Look whether this machine is online and the address is right: groundwork doctor")
}

/// The answer of a server that we know no more of than that it should speak JSON.
pub fn read_json<T: DeserializeOwned>(answer: std::result::Result<Response<Body>, ureq::Error>, url: &str) -> Result<T> {
    let mut answer = answer.map_err(|error| unreachable(url, &error))?;
    let strange = |said: String| {
        Failure::new(Exit::Unreachable, format!("{url} does not answer as it should.")).because(said).next("Ask the operator.")
    };
    if !answer.status().is_success() {
        return Err(strange(format!("It answered {}.", answer.status())));
    }
    answer.body_mut().read_json().map_err(|error| strange(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_not_sent_in_the_clear_to_another_machine() {
        for (address, good, reason) in [
            ("https://api.example", true, "encrypted"),
            ("http://127.0.0.1:4566/x", true, "this machine"),
            ("http://[::1]:4566", true, "this machine"),
            ("http://api.localhost:4566", true, "this machine"),
            ("http://api.example", false, "in the clear"),
            ("http://127.0.0.1.example", false, "another machine"),
            ("ftp://api.example", false, "another protocol"),
            ("api.example", false, "no address"),
        ] {
            assert_eq!(check_scheme(address).is_ok(), good, "{reason}");
        }
    }
}
