//! Logging in with OpenID Connect: the tokens, and the flows that get them.

pub mod code;
pub mod device;
pub mod issuer;
pub mod tokens;

use oauth2::basic::{BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse, BasicTokenType};
use oauth2::{ExtraTokenFields, StandardRevocableToken, StandardTokenResponse};
use serde::{Deserialize, Serialize};

/// What the issuer answers besides OAuth's own fields. An issuer may leave the ID token out when it refreshes (OpenID Connect Core, 12.2).
#[derive(Debug, Serialize, Deserialize)]
pub struct WithIdToken {
    id_token: Option<String>,
}

impl ExtraTokenFields for WithIdToken {}

type Answer = StandardTokenResponse<WithIdToken, BasicTokenType>;
type Client =
    oauth2::Client<BasicErrorResponse, Answer, BasicTokenIntrospectionResponse, StandardRevocableToken, BasicRevocationErrorResponse>;
