use crate::CommandLine;
use crate::failure::{Exit, Failure, Result};
use clap::{Args, CommandFactory};
use std::path::PathBuf;

/// Write the manual pages into a directory.
///
/// One for each command.
#[derive(Args)]
#[command(after_help = "Example:\n  groundwork man ~/.local/share/man/man1")]
pub struct Man {
    /// Where to; it is made if it is not there.
    directory: PathBuf,
}

impl Man {
    pub fn run(&self) -> Result<()> {
        let written =
            std::fs::create_dir_all(&self.directory).and_then(|()| clap_mangen::generate_to(CommandLine::command(), &self.directory));
        written.map_err(|error| Failure::new(Exit::Failed, format!("{} cannot be written to.", self.directory.display())).because(error))
    }
}
