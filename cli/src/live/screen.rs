//! The tree in a terminal, drawn anew in its place.

use super::{Viewer, tree};
use crate::api::Api;
use crate::failure::{Exit, Failure, Result};
use crate::output::lasting;
use console::{Term, style, truncate_str};
use jiff::SignedDuration;
use std::time::Duration;
use wire::view::Cluster;

pub struct Screen {
    term: Term,
    drawn: Vec<String>,
}

impl Screen {
    pub fn new() -> Result<Self> {
        let term = Term::stdout();
        term.hide_cursor().map_err(unwritable)?;
        Ok(Self { term, drawn: vec![] })
    }

    fn draw(&mut self, lines: Vec<String>) -> Result<()> {
        let width = usize::from(self.term.size().1);
        let lines: Vec<String> = lines.iter().map(|line| truncate_str(line, width.saturating_sub(1), "…").into_owned()).collect();
        self.term.clear_last_lines(self.drawn.len()).map_err(unwritable)?;
        self.term.write_str(&lines.iter().map(|line| format!("{line}\n")).collect::<String>()).map_err(unwritable)?;
        self.drawn = lines;
        Ok(())
    }
}

impl Viewer for Screen {
    fn show(&mut self, _api: &Api, cluster: &Cluster) -> Result<()> {
        let height = usize::from(self.term.size().0);
        self.draw(tree::lines(cluster, height.saturating_sub(2)))
    }

    fn lost(&mut self, since: Duration, why: &Failure) -> Result<()> {
        let since = lasting(SignedDuration::try_from(since).unwrap_or_default());
        let lost =
            format!("{} for {since}; it is tried again, and the cluster goes on. {}", style("No answer").yellow(), why.why.join(" "));
        let tree = self.drawn.iter().filter(|line| !console::strip_ansi_codes(line).starts_with("No answer"));
        self.draw(tree.cloned().chain([lost]).collect())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        if let Err(error) = self.term.show_cursor() {
            eprintln!("The cursor may be hidden still: {error}");
        }
    }
}

fn unwritable(error: std::io::Error) -> Failure {
    Failure::new(Exit::Failed, "The terminal cannot be written to.").because(error)
}
