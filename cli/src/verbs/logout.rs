use crate::context::{Context, variable};
use crate::failure::Result;
use crate::login::tokens::Tokens;
use clap::Args;
use serde_json::json;

/// Forget the login on this machine.
#[derive(Args)]
#[command(after_help = "Examples:\n  groundwork logout\n  groundwork logout --operator acme")]
pub struct Logout;

impl Logout {
    pub fn run(&self, cx: &Context) -> Result<()> {
        let (name, _) = cx.operator()?;
        let was = Tokens::forget(&name)?;
        if variable("GROUNDWORK_TOKEN").is_some() {
            eprintln!("GROUNDWORK_TOKEN is still set: unset GROUNDWORK_TOKEN");
        }
        cx.output().print(&json!({"operator": name, "was_logged_in": was}), |_| {
            if was { format!("You are logged out of {name} on this machine.") } else { format!("You were not logged in to {name}.") }
        })
    }
}
