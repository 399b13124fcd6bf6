//! Where a tenant's people log in.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The ports that the template's client allows people to be sent back to. Fixed, because Cognito compares the whole address.
pub const LOGIN_PORTS: [u16; 3] = [8976, 8977, 8978];

/// The answer of `GET /login`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Login {
    /// The OpenID Connect issuer, whose `/.well-known/openid-configuration` says the rest.
    pub issuer: String,
    /// The public client to log in with; the ID token's audience.
    pub client_id: String,
    /// The ports of `http://localhost:<port>/callback` that the issuer may send people back to, the first one that is free to be taken.
    pub ports: Vec<u16>,
    /// The version of Groundwork that answered.
    pub version: String,
}
