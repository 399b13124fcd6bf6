//! The verbs, in the order in which a user meets them.

mod completions;
mod create;
mod delete;
mod doctor;
mod forget;
mod furnish;
mod kubeconfig;
mod list;
mod login;
mod logout;
mod logs;
mod man;
mod onboard;
mod retry;
mod show;
mod timeline;
mod use_cluster;
mod watch;
mod whoami;

use crate::context::Context;
use crate::failure::Result;
use clap::Subcommand;

#[derive(Subcommand)]
pub enum Verb {
    Login(login::Login),
    Logout(logout::Logout),
    Whoami(whoami::Whoami),
    Onboard(onboard::Onboard),
    Create(create::Create),
    List(list::List),
    Show(show::Show),
    Watch(watch::Watch),
    Logs(logs::Logs),
    Timeline(timeline::Timeline),
    Kubeconfig(kubeconfig::Kubeconfig),
    Furnish(furnish::Furnish),
    Use(use_cluster::Use),
    Retry(retry::Retry),
    Delete(delete::Delete),
    Forget(forget::Forget),
    Doctor(doctor::Doctor),
    Completions(completions::Completions),
    Man(man::Man),
}

impl Verb {
    pub fn run(&self, cx: &Context) -> Result<()> {
        match self {
            Verb::Login(verb) => verb.run(cx),
            Verb::Logout(verb) => verb.run(cx),
            Verb::Whoami(verb) => verb.run(cx),
            Verb::Onboard(verb) => verb.run(cx),
            Verb::Create(verb) => verb.run(cx),
            Verb::List(verb) => verb.run(cx),
            Verb::Show(verb) => verb.run(cx),
            Verb::Watch(verb) => verb.run(cx),
            Verb::Logs(verb) => verb.run(cx),
            Verb::Timeline(verb) => verb.run(cx),
            Verb::Kubeconfig(verb) => verb.run(cx),
            Verb::Furnish(verb) => verb.run(cx),
            Verb::Use(verb) => verb.run(cx),
            Verb::Retry(verb) => verb.run(cx),
            Verb::Delete(verb) => verb.run(cx),
            Verb::Forget(verb) => verb.run(cx),
            Verb::Doctor(verb) => verb.run(cx),
            Verb::Completions(verb) => verb.run(),
            Verb::Man(verb) => verb.run(),
        }
    }
}
