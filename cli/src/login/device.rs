//! The device flow (RFC 8628): for a machine without a browser, the code is typed in on another one.

use super::issuer::{self, Issuer};
use super::tokens::Tokens;
use crate::failure::{Exit, Failure, Result};
use oauth2::{DeviceAuthorizationUrl, StandardDeviceAuthorizationResponse, TokenUrl};
use std::thread::sleep;
use wire::view::Login;

/// Says with `tell` where to type which code, and waits until somebody has.
pub fn log_in(issuer: &Issuer, login: &Login, tell: impl FnOnce(&str, &str)) -> Result<Tokens> {
    let endpoint = issuer.device_authorization_endpoint.clone().ok_or_else(|| {
        Failure::new(Exit::Login, format!("{} has no login by code for machines without a browser.", issuer.issuer))
            .next("Log in where there is a browser, or set GROUNDWORK_TOKEN to an ID token.")
    })?;
    let client = issuer
        .client(login)
        .set_device_authorization_url(issuer::endpoint(DeviceAuthorizationUrl::new(endpoint))?)
        .set_token_uri(issuer::endpoint(TokenUrl::new(issuer.token_endpoint.clone()))?);
    let asked = client.exchange_device_code().add_scopes(issuer.scopes()).request(&issuer::send);
    let asked: StandardDeviceAuthorizationResponse = asked.map_err(|error| issuer::refused(issuer, &error))?;
    tell(asked.verification_uri().as_str(), asked.user_code().secret());
    let answer = client.exchange_device_access_token(&asked).request(&issuer::send, sleep, None).map_err(|error| {
        Failure::new(Exit::Login, format!("{} did not log you in.", issuer.issuer)).because(error).next("groundwork login --device")
    })?;
    issuer.tokens(login, &answer)
}
