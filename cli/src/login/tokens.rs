//! The tokens of a login, in a file that only the user can read, one for each operator.

use crate::failure::{Exit, Failure, Result};
use crate::files;
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::path::PathBuf;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tokens {
    /// What the service is sent: only the ID token names the tenant.
    pub id_token: String,
    pub refresh_token: Option<String>,
    /// Who gave them, and gives new ones.
    pub issuer: String,
    pub client_id: String,
}

impl Tokens {
    pub fn path(operator: &str) -> Result<PathBuf> {
        Ok(files::directory()?.join("tokens").join(format!("{operator}.json")))
    }

    /// None if the user is not logged in.
    pub fn read(operator: &str) -> Result<Option<Self>> {
        let path = Self::path(operator)?;
        let Some(text) = files::read_secret(&path)? else { return Ok(None) };
        let tokens = serde_json::from_str(&text);
        tokens
            .map(Some)
            .map_err(|error| Failure::new(Exit::Login, format!("{} is broken.", path.display())).because(error).next("groundwork login"))
    }

    pub fn write(&self, operator: &str) -> Result<()> {
        files::write(&Self::path(operator)?, &serde_json::json!(self).to_string())
    }

    /// True if there were some.
    pub fn forget(operator: &str) -> Result<bool> {
        files::remove(&Self::path(operator)?)
    }
}

/// What a JSON Web Token says (RFC 7519). Whether it is true is the service's to check.
pub fn claims(token: &str) -> Option<Map<String, Value>> {
    let payload = BASE64_URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    serde_json::from_slice(&payload).ok()
}

/// When it is over; none if it does not say so.
pub fn expires_at(token: &str) -> Option<Timestamp> {
    Timestamp::from_second(claims(token)?.get("exp")?.as_i64()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_says_when_it_is_over() {
        let payload = BASE64_URL_SAFE_NO_PAD.encode(r#"{"exp": 1700000000, "custom:tenant": "acme"}"#);
        let token = format!("x.{payload}.y");
        assert_eq!(expires_at(&token).map(Timestamp::as_second), Some(1_700_000_000));
        assert_eq!(claims(&token).and_then(|claims| claims.get("custom:tenant").cloned()), Some("acme".into()));
        for strange in ["", "x", "x.~.y", "opaque"] {
            assert_eq!(expires_at(strange), None, "{strange}");
        }
    }
}
