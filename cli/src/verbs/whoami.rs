use crate::api::not_logged_in;
use crate::context::Context;
use crate::failure::Result;
use crate::login::tokens;
use crate::verbs::login::who;
use clap::Args;
use serde::Serialize;
use serde_json::Value;

/// Tell who you are for the operator.
///
/// The user and the tenant that your token names, at which operator, and until when the token is good.
#[derive(Args)]
#[command(after_help = "Example:\n  groundwork whoami")]
pub struct Whoami;

#[derive(Serialize)]
struct Identity {
    operator: String,
    url: String,
    user: Option<String>,
    /// The claims of the token, which the service checks and this program does not.
    claims: Value,
}

impl Whoami {
    pub fn run(&self, cx: &Context) -> Result<()> {
        let (operator, known) = cx.operator()?;
        let token = cx.api()?.token()?.ok_or_else(not_logged_in)?;
        let claims = tokens::claims(&token).map(Value::Object).unwrap_or_default();
        let identity = Identity { operator, url: known.url, user: who(&token), claims };
        cx.output().print(&identity, |identity| {
            let tenant = identity.claims.as_object().into_iter().flatten().find(|(name, _)| name.ends_with("tenant"));
            let tenant = tenant.and_then(|(_, value)| value.as_str()).map_or(String::new(), |tenant| format!(", of the tenant {tenant}"));
            let user = identity.user.as_deref().unwrap_or("nobody that the token names");
            let until = tokens::expires_at(&token).map_or(String::new(), |end| format!("\nThe token is good until {end}."));
            format!("You are {user}{tenant}, at {} ({}).{until}", identity.operator, identity.url)
        })
    }
}
