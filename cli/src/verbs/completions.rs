use crate::CommandLine;
use crate::failure::Result;
use clap::{Args, CommandFactory};
use clap_complete::Shell;

/// Print the completions for a shell.
#[derive(Args)]
#[command(after_help = "\
Examples:
  echo 'source <(groundwork completions bash)' >> ~/.bashrc
  groundwork completions zsh > \"${fpath[1]}/_groundwork\"
  groundwork completions fish > ~/.config/fish/completions/groundwork.fish")]
pub struct Completions {
    /// Whose completions.
    shell: Shell,
}

impl Completions {
    pub fn run(&self) -> Result<()> {
        clap_complete::generate(self.shell, &mut CommandLine::command(), "groundwork", &mut std::io::stdout());
        Ok(())
    }
}
