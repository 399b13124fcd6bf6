use crate::api::{Api, Identity};
use crate::config::{Config, Operator};
use crate::context::{Context, name_of, variable};
use crate::failure::{Exit, Failure, Result};
use crate::login::issuer::Issuer;
use crate::login::tokens::{self, Tokens};
use crate::login::{code, device};
use clap::Args;
use serde_json::{Value, json};
use wire::view;

/// Log in to an operator's Groundwork.
///
/// Your browser opens the operator's page to log in. The operator is whoever runs Groundwork for you, and tells you its address. You stay
/// logged in on this machine until groundwork logout, or until the operator wants to see you again.
#[derive(Args)]
#[command(after_help = "\
Examples:
  groundwork login https://abc123.execute-api.us-west-2.amazonaws.com
  groundwork login https://groundwork.example.com --name acme --device

Programs put an ID token into GROUNDWORK_TOKEN, and the address into \
GROUNDWORK_API_URL, in place of logging in.")]
pub struct Login {
    /// The API's address, which the operator tells you; by default that of the operator that you logged in to last.
    address: Option<String>,
    /// What to call the operator, where you know several; by default the address's host.
    #[arg(long)]
    name: Option<String>,
    /// For a machine without a browser: show a code to type in on another one, if the operator's issuer offers that.
    #[arg(long)]
    device: bool,
}

impl Login {
    pub fn run(&self, cx: &Context) -> Result<()> {
        let (name, address) = self.whom(cx)?;
        let service = Api::new(&address, Identity::Nobody)?;
        let login = service.login()?;
        let issuer = Issuer::discover(&login)?;
        let tokens = self.tokens(&issuer, &login)?;
        tokens.write(&name)?;
        choose(&mut cx.config.borrow_mut(), &name, &address);
        cx.config.borrow().write()?;
        warn_of_variables();
        let who = who(&tokens.id_token);
        cx.output().print(&json!({"operator": name, "url": address, "user": who}), |_| {
            format!(
                "You are logged in to {name}{}.\nNext: groundwork onboard, or groundwork list",
                who.as_ref().map_or(String::new(), |who| format!(" as {who}"))
            )
        })
    }

    /// The operator's name and address.
    fn whom(&self, cx: &Context) -> Result<(String, String)> {
        let known = |name: &String| cx.config.borrow().operators.get(name).map(|operator| operator.url.clone());
        let named = self.name.as_ref().or(cx.global.operator.as_ref());
        if let Some(name) = named {
            check_name(name)?;
        }
        match (&self.address, named) {
            (Some(address), Some(name)) => Ok((name.clone(), address.clone())),
            (Some(address), None) => {
                let config = cx.config.borrow();
                let known = config.operators.iter().find(|(_, operator)| operator.url == *address).map(|(name, _)| name.clone());
                Ok((known.unwrap_or_else(|| name_of(address)), address.clone()))
            }
            (None, Some(name)) => known(name).map(|url| (name.clone(), url)).ok_or_else(no_address),
            (None, None) => cx.operator().map(|(name, operator)| (name, operator.url)).map_err(|_| no_address()),
        }
    }

    fn tokens(&self, issuer: &Issuer, login: &view::Login) -> Result<Tokens> {
        if self.device {
            return device::log_in(issuer, login, |page, code| eprintln!("On any machine, open {page} and type in the code {code}"));
        }
        code::log_in(issuer, login, |page| {
            eprintln!("Your browser opens the page to log in. If it does not, open it yourself:\n  {page}");
            // Without a browser the user opens the page, or ends this and uses --device.
            if let Err(error) = webbrowser::open(page) {
                eprintln!("No browser was opened: {error}");
            }
        })
    }
}

fn choose(config: &mut Config, name: &str, address: &str) {
    let operator = config.operators.entry(name.into()).or_insert_with(|| Operator { url: String::new(), cluster: None, role_arn: None });
    if operator.url != address {
        *operator = Operator { url: address.into(), cluster: None, role_arn: None };
    }
    config.operator = Some(name.into());
}

/// It becomes a file's name.
fn check_name(name: &str) -> Result<()> {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "._-".contains(character);
    if !name.is_empty() && name.len() <= 100 && !name.starts_with('.') && name.chars().all(is_plain) {
        return Ok(());
    }
    Err(Failure::new(Exit::Usage, format!("{name:?} is no name for an operator."))
        .next("Use letters, digits, '.', '_' and '-', with no '.' first."))
}

fn no_address() -> Failure {
    Failure::new(Exit::Usage, "Say where to log in.").next("groundwork login <the address that the operator gave you>")
}

/// What is in the environment is used in place of the login.
fn warn_of_variables() {
    for name in ["GROUNDWORK_API_URL", "GROUNDWORK_TOKEN"].into_iter().filter(|name| variable(name).is_some()) {
        eprintln!("{name} is set, and is used in place of this login: unset {name}");
    }
}

/// Whom a token is of, by the friendliest of its claims.
pub fn who(token: &str) -> Option<String> {
    let claims = tokens::claims(token)?;
    ["email", "preferred_username", "cognito:username", "sub"]
        .into_iter()
        .find_map(|name| claims.get(name).and_then(Value::as_str))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operators_name_is_a_files_name() {
        for (name, good) in [("acme", true), ("api.example-1", true), ("", false), ("..", false), ("a/b", false), (".acme", false)] {
            assert_eq!(check_name(name).is_ok(), good, "{name}");
        }
    }

    #[test]
    fn another_address_under_a_name_forgets_what_was_chosen_there() {
        let mut config = Config::default();
        choose(&mut config, "acme", "https://a.example");
        config.operators.get_mut("acme").expect("known").cluster = Some("research".into());
        choose(&mut config, "acme", "https://a.example");
        assert_eq!(config.operators["acme"].cluster.as_deref(), Some("research"));
        choose(&mut config, "acme", "https://b.example");
        assert_eq!((config.operators["acme"].url.as_str(), &config.operators["acme"].cluster), ("https://b.example", &None));
    }
}
