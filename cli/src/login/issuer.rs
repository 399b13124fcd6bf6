//! The issuer: where its pages are, and how it is asked.

use super::tokens::Tokens;
use super::{Answer, Client};
use crate::failure::{Exit, Failure, Result};
use crate::http;
use oauth2::{ClientId, HttpRequest, HttpResponse, RefreshToken, Scope, TokenResponse, TokenUrl};
use serde::Deserialize;
use wire::view::Login;

/// What an issuer says about itself (OpenID Connect Discovery 1.0, 3).
#[derive(Clone, Debug, Deserialize)]
pub struct Issuer {
    pub issuer: String,
    pub authorization_endpoint: String,
    pub token_endpoint: String,
    /// RFC 8628; not every issuer has it, Cognito for one has not.
    pub device_authorization_endpoint: Option<String>,
    #[serde(default)]
    scopes_supported: Vec<String>,
}

impl Issuer {
    /// # Errors
    /// The issuer cannot be reached, or is not the one that it says it is.
    pub fn discover(login: &Login) -> Result<Self> {
        http::check_scheme(&login.issuer)?;
        let url = format!("{}/.well-known/openid-configuration", login.issuer.trim_end_matches('/'));
        let found: Self = http::read_json(http::agent().get(&url).call(), &url)?;
        if found.issuer.trim_end_matches('/') != login.issuer.trim_end_matches('/') {
            return Err(Failure::new(Exit::Login, format!("{url} speaks for another issuer, {}.", found.issuer)).next("Ask the operator."));
        }
        Ok(found)
    }

    /// The ID token comes with `openid`. Some give a token to refresh it with only if asked; Cognito refuses to be asked.
    pub fn scopes(&self) -> Vec<Scope> {
        let offline = self.scopes_supported.iter().any(|scope| scope == "offline_access").then_some("offline_access");
        ["openid"].into_iter().chain(offline).map(|scope| Scope::new(scope.into())).collect()
    }

    pub fn client(&self, login: &Login) -> Client {
        Client::new(ClientId::new(login.client_id.clone()))
    }

    /// A new ID token for one that is over.
    pub fn refresh(tokens: &Tokens) -> Result<Tokens> {
        let over = || Failure::new(Exit::Login, "Your login is over.").next("groundwork login");
        let refresh_token = tokens.refresh_token.clone().ok_or_else(over)?;
        let login = Login { issuer: tokens.issuer.clone(), client_id: tokens.client_id.clone(), ports: vec![], version: String::new() };
        let issuer = Self::discover(&login)?;
        let client = issuer.client(&login).set_token_uri(endpoint(TokenUrl::new(issuer.token_endpoint.clone()))?);
        let answer = client.exchange_refresh_token(&RefreshToken::new(refresh_token)).request(&send).map_err(|error| match error {
            oauth2::RequestTokenError::Request(error) => http::unreachable(&issuer.issuer, &error),
            refused => over().because(explained(&refused)),
        })?;
        // One that is not renewed stays good.
        let renewed = issuer.tokens(&login, &answer)?;
        Ok(Tokens { refresh_token: renewed.refresh_token.or_else(|| tokens.refresh_token.clone()), ..renewed })
    }

    pub fn tokens(&self, login: &Login, answer: &Answer) -> Result<Tokens> {
        let id_token = answer.extra_fields().id_token.clone();
        Ok(Tokens {
            id_token: id_token.ok_or_else(|| Failure::new(Exit::Login, "The issuer gave no ID token.").next("groundwork login"))?,
            refresh_token: answer.refresh_token().map(|token| token.secret().clone()),
            issuer: login.issuer.clone(),
            client_id: login.client_id.clone(),
        })
    }
}

/// One of the issuer's addresses.
pub fn endpoint<T>(parsed: std::result::Result<T, url::ParseError>) -> Result<T> {
    parsed.map_err(|error| Failure::new(Exit::Login, "The issuer names an address that is none.").because(error).next("Ask the operator."))
}

/// The OAuth library's way to send.
pub fn send(request: HttpRequest) -> std::result::Result<HttpResponse, ureq::Error> {
    let (parts, mut body) = http::agent().run(request)?.into_parts();
    Ok(HttpResponse::from_parts(parts, body.read_to_vec()?))
}

/// What the issuer said, or why it said nothing.
pub fn refused<E: std::error::Error + 'static>(
    issuer: &Issuer,
    error: &oauth2::RequestTokenError<E, oauth2::basic::BasicErrorResponse>,
) -> Failure {
    Failure::new(Exit::Login, format!("{} did not log you in.", issuer.issuer)).because(explained(error)).next("groundwork login")
}

fn explained<E: std::error::Error + 'static, R: oauth2::ErrorResponse + std::fmt::Display>(
    error: &oauth2::RequestTokenError<E, R>,
) -> String {
    match error {
        oauth2::RequestTokenError::ServerResponse(said) => said.to_string(),
        oauth2::RequestTokenError::Request(error) => error.to_string(),
        other => other.to_string(),
    }
}
