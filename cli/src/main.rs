//! `groundwork`: compute clusters in AWS accounts, from the terminal. Each verb is a file in `verbs`; everything else is what they share.

mod api;
mod config;
mod context;
mod failure;
mod files;
mod http;
mod interrupt;
mod kubernetes;
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

/// Compute clusters in your own AWS account.
///
/// Groundwork makes them, keeps them right and takes them away again. groundwork COMMAND --help has examples of each command.
#[derive(Parser)]
#[command(name = "groundwork", version, after_help = format!("{FIRST_STEPS}\n\n{EXIT_CODES}"), max_term_width = 100)]
struct CommandLine {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    verb: Verb,
}

const FIRST_STEPS: &str = "\
Your first cluster:
  groundwork login https://abc123.execute-api.us-west-2.amazonaws.com
  groundwork onboard
  groundwork create --wait
  groundwork kubeconfig research";

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
    use clap::{Command, CommandFactory};

    const NARROW: usize = 80;

    #[test]
    fn the_command_line_is_sound() {
        CommandLine::command().debug_assert();
    }

    /// Of each verb. A terminal may be as narrow as this.
    fn verbs() -> Vec<(String, Command)> {
        let mut whole = CommandLine::command().term_width(NARROW);
        whole.build();
        whole.get_subcommands().filter(|verb| verb.get_name() != "help").map(|verb| (verb.get_name().to_owned(), verb.clone())).collect()
    }

    #[test]
    fn the_list_of_commands_has_a_short_line_for_each() {
        for (name, verb) in verbs() {
            let about = verb.get_about().map(ToString::to_string).unwrap_or_default();
            assert!((10..=60).contains(&about.len()) && !about.contains(['\n', '.']), "{name}: {about:?}");
        }
        let help = CommandLine::command().term_width(NARROW).render_long_help().to_string();
        let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
        assert_eq!(listed.filter(|line| line.starts_with("   ")).collect::<Vec<_>>(), [""; 0], "no line goes on in the next");
    }

    #[test]
    fn every_help_has_examples_that_can_be_copied() {
        for (name, mut verb) in verbs() {
            let examples = verb.get_after_help().map(ToString::to_string).unwrap_or_default();
            let examples: Vec<String> = examples.lines().filter(|line| line.starts_with("  ")).map(str::to_owned).collect();
            assert!(examples.iter().any(|line| line.starts_with(&format!("  groundwork {name}"))), "{name}");
            let help = verb.render_long_help().to_string();
            for example in examples {
                assert!(help.lines().any(|line| line == example), "{name}: {example} is not on one line of {NARROW} columns");
            }
        }
    }

    #[test]
    fn every_example_is_understood() {
        for (name, verb) in verbs() {
            let examples = verb.get_after_help().map(ToString::to_string).unwrap_or_default();
            for example in examples.lines().filter(|line| line.starts_with("  groundwork ")) {
                assert!(CommandLine::try_parse_from(words(example)).is_ok(), "{name}: {example}");
            }
        }
    }

    /// As a shell reads them, up to a pipe or a redirection.
    fn words(line: &str) -> Vec<String> {
        let parts = line.split(['|', '>']).next().unwrap_or_default().split('"').enumerate();
        let words = |(place, part): (usize, &str)| match place % 2 {
            0 => part.split_whitespace().map(str::to_owned).collect(),
            _ => vec![part.to_owned()],
        };
        parts.flat_map(words).collect()
    }

    #[test]
    fn every_argument_is_explained() {
        for (name, verb) in verbs() {
            let silent = verb.get_arguments().filter(|argument| argument.get_help().is_none());
            assert_eq!(silent.map(|argument| argument.get_id().to_string()).collect::<Vec<_>>(), [""; 0], "{name}");
        }
    }
}
