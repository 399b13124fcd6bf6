//! What a command works with: which operator is meant, who the user is for it, and how to answer.

use crate::api::{Api, Identity, not_logged_in};
use crate::config::{Config, Operator};
use crate::failure::{Exit, Failure, Result};
use crate::login::tokens::Tokens;
use crate::output::Format;
use clap::Args;
use console::{Term, user_attended, user_attended_stderr};
use std::cell::RefCell;
use url::Url;

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Options of every command")]
pub struct Global {
    /// How to print the answer.
    #[arg(long, short, global = true, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: Format,
    /// Which operator is meant; by default the one that you logged in to last.
    #[arg(long, global = true, env = "GROUNDWORK_OPERATOR", value_name = "NAME")]
    pub operator: Option<String>,
}

pub struct Context {
    pub global: Global,
    pub config: RefCell<Config>,
}

impl Context {
    pub fn new(global: Global) -> Result<Self> {
        Ok(Self { global, config: RefCell::new(Config::read()?) })
    }

    pub fn output(&self) -> Format {
        self.global.output
    }

    /// True if somebody can be asked, and wants to read text.
    pub fn is_attended(&self) -> bool {
        self.output().is_for_people() && Term::stdout().is_term() && user_attended() && user_attended_stderr()
    }

    /// The operator that is meant, with its name: the one named, or that of `GROUNDWORK_API_URL`, or the last one.
    pub fn operator(&self) -> Result<(String, Operator)> {
        let config = self.config.borrow();
        if let Some(name) = &self.global.operator {
            let known = config.operators.get(name).cloned();
            return known.map(|operator| (name.clone(), operator)).ok_or_else(|| self.no_operator(name));
        }
        if let Some(url) = variable("GROUNDWORK_API_URL") {
            let known = config.operators.iter().find(|(_, operator)| operator.url == url);
            let known = known.map(|(name, operator)| (name.clone(), operator.clone()));
            return Ok(known.unwrap_or_else(|| (name_of(&url), Operator { url, cluster: None, role_arn: None })));
        }
        let named = config.operator.clone().or_else(|| config.operators.keys().next().cloned()).ok_or_else(not_logged_in)?;
        let operator = config.operators.get(&named).cloned().ok_or_else(|| self.no_operator(&named))?;
        Ok((named, operator))
    }

    fn no_operator(&self, name: &str) -> Failure {
        let known: Vec<String> = self.config.borrow().operators.keys().cloned().collect();
        let known = if known.is_empty() { "You know none yet.".into() } else { format!("You know {}.", known.join(", ")) };
        Failure::new(Exit::Usage, format!("You know no operator {name:?}."))
            .because(known)
            .next(format!("groundwork login <address> --name {name}"))
    }

    /// Changes what is kept about the operator that is meant.
    pub fn remember(&self, change: impl FnOnce(&mut Operator)) -> Result<()> {
        let (name, operator) = self.operator()?;
        let mut config = self.config.borrow_mut();
        change(config.operators.entry(name).or_insert(operator));
        config.write()
    }

    /// # Errors
    /// The user is not logged in.
    pub fn api(&self) -> Result<Api> {
        let (name, operator) = self.operator()?;
        let identity = match variable("GROUNDWORK_TOKEN") {
            Some(token) => Identity::Given(token),
            None => {
                let again = || not_logged_in().next(format!("groundwork login {}", operator.url));
                let tokens = Tokens::read(&name)?.ok_or_else(again)?;
                Identity::LoggedIn { operator: name, tokens: RefCell::new(tokens) }
            }
        };
        Api::new(&operator.url, identity)
    }

    /// The cluster that is named, or else the one that `groundwork use` chose.
    pub fn cluster(&self, named: Option<&String>) -> Result<String> {
        let chosen = || self.operator().ok().and_then(|(_, operator)| operator.cluster);
        named.cloned().or_else(chosen).ok_or_else(|| {
            Failure::new(Exit::Usage, "Say which cluster.").next("Give its name, or choose one for all commands: groundwork use NAME")
        })
    }
}

/// None if it is not set, or empty.
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// What to call an operator that nobody has named: its host.
pub fn name_of(url: &str) -> String {
    let url = Url::parse(url).ok();
    let host = url.as_ref().and_then(Url::host_str).unwrap_or("operator");
    host.chars().map(|character| if character.is_ascii_alphanumeric() || ".-".contains(character) { character } else { '-' }).collect()
}
