use crate::CommandLine;
use crate::failure::Result;
use clap::{Args, CommandFactory};
use clap_complete::Shell;

/// Print the completions for a shell.
#[derive(Args)]
#[command(after_help = "\
Examples:
  groundwork completions bash > ~/.local/share/bash-completion/completions/groundwork
  groundwork completions zsh > \"${fpath[1]}/_groundwork\"")]
pub struct Completions {
    shell: Shell,
}

impl Completions {
    pub fn run(&self) -> Result<()> {
        clap_complete::generate(self.shell, &mut CommandLine::command(), "groundwork", &mut std::io::stdout());
        Ok(())
    }
}
