//! `groundwork`: compute clusters in AWS accounts, from the terminal. Each verb is a file in `verbs`; everything else is what they share.

mod api;
mod config;
mod context;
mod failure;
mod files;
mod http;
mod interrupt;
mod live;
mod login;
mod output;
mod timeline;
mod told;
mod verbs;

use clap::Parser;
use context::{Context, Global};
use failure::EXIT_CODES;
use std::process::ExitCode;
use verbs::Verb;

/// Compute clusters in your own AWS account: made, kept right and taken away again by Groundwork.
#[derive(Parser)]
#[command(name = "groundwork", version, after_help = EXIT_CODES, max_term_width = 100)]
struct CommandLine {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    verb: Verb,
}

fn main() -> ExitCode {
    let CommandLine { global, verb } = CommandLine::parse();
    let for_people = global.output.is_for_people();
    let done = interrupt::listen().and_then(|()| Context::new(global)).and_then(|cx| verb.run(&cx));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.print(for_people);
            ExitCode::from(failure.exit as u8)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn every_verb_has_an_example() {
        for verb in CommandLine::command().get_subcommands() {
            let help = verb.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains(&format!("groundwork {}", verb.get_name())), "{}", verb.get_name());
        }
    }
}
