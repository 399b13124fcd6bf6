//! What a command prints: a table for people, or all that the service said as JSON or YAML for programs.

use crate::failure::{Exit, Failure, Result};
use clap::ValueEnum;
use comfy_table::{ContentArrangement, Table, presets};
use console::Term;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use std::io::Write;
use textwrap::{Options, WordSplitter, fill};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Text for people.
    #[default]
    Table,
    /// All that the service said, for programs.
    Json,
    /// The same, as YAML.
    Yaml,
}

impl Format {
    pub fn is_for_people(self) -> bool {
        self == Format::Table
    }

    /// Prints a value as it is, or what `text` makes of it for people.
    pub fn print<T: Serialize>(self, value: &T, text: impl FnOnce(&T) -> String) -> Result<()> {
        let written = match self {
            Format::Table => text(value),
            Format::Json => serde_json::to_string_pretty(value).map_err(unwritable)?,
            Format::Yaml => serde_saphyr::to_string(value).map_err(unwritable)?,
        };
        say(&written)
    }
}

fn unwritable(error: impl ToString) -> Failure {
    Failure::new(Exit::Failed, "The answer cannot be printed.").because(error.to_string())
}

/// To the standard output. Whoever has stopped to read, such as `head`, wants no more, and that is no error.
pub fn say(text: &str) -> Result<()> {
    match writeln!(std::io::stdout(), "{}", text.trim_end_matches('\n')) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => std::process::exit(0),
        written => written.map_err(unwritable),
    }
}

/// Columns without lines, as wide as their contents. In a terminal, what is too long for it goes on in the next line.
pub fn table(head: &[&str], rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(head.iter().map(|name| name.to_uppercase())).add_rows(rows);
    if let Some(width) = Term::stdout().size_checked().map(|(_, columns)| columns) {
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    }
    table.lines().map(|line| line.trim().to_owned() + "\n").collect()
}

/// Sentences, indented, and in a terminal no longer than it is wide. Words stay whole, so that commands and links can be copied.
pub fn prose(text: &str, indent: &str) -> String {
    // A failure indents it once more.
    let width = Term::stdout().size_checked().map_or(usize::MAX, |(_, columns)| usize::from(columns).saturating_sub(2));
    let options =
        Options::new(width).initial_indent(indent).subsequent_indent(indent).break_words(false).word_splitter(WordSplitter::NoHyphenation);
    fill(text, options) + "\n"
}

/// "2 hours ago".
pub fn ago(then: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(then).as_secs().max(0);
    let (count, unit) = match seconds {
        0..60 => return "just now".into(),
        60..3600 => (seconds / 60, "minute"),
        3600..86_400 => (seconds / 3600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    if count == 1 { format!("1 {unit} ago") } else { format!("{count} {unit}s ago") }
}

/// "12:31", or "1:02:03".
pub fn lasting(duration: SignedDuration) -> String {
    let seconds = duration.as_secs().max(0);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_as_people_do() {
        let now: Timestamp = "2026-01-02T03:04:05Z".parse().expect("a time");
        for (seconds, told) in [
            (-5, "just now"),
            (59, "just now"),
            (60, "1 minute ago"),
            (7199, "1 hour ago"),
            (7200, "2 hours ago"),
            (86_400, "1 day ago"),
            (864_000, "10 days ago"),
        ] {
            assert_eq!(ago(now - SignedDuration::from_secs(seconds), now), told);
        }
        for (seconds, told) in [(-1, "0:00"), (9, "0:09"), (751, "12:31"), (3723, "1:02:03")] {
            assert_eq!(lasting(SignedDuration::from_secs(seconds)), told);
        }
    }

    #[test]
    fn a_table_has_no_blanks_at_its_ends() {
        let text = table(&["name", "status"], vec![vec!["a".into(), "running".into()]]);
        assert!(text.lines().all(|line| line == line.trim()), "{text}");
        assert!(text.starts_with("NAME"), "{text}");
    }
}
