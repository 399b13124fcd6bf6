//! Ctrl-C: the terminal is left in order, and what the service was asked for goes on.

use crate::failure::{Exit, Failure, Result};
use console::Term;
use std::sync::{Mutex, PoisonError};

static PARTING: Mutex<Option<String>> = Mutex::new(None);

/// From now on ctrl-C ends the program with its own exit code.
pub fn listen() -> Result<()> {
    let leave = || {
        // Prompts and the live tree hide the cursor.
        let shown = [Term::stdout(), Term::stderr()].iter().filter(|term| term.is_term()).try_for_each(Term::show_cursor);
        // The terminal has printed ^C, and the shell's prompt is to have a line of its own.
        eprintln!();
        if let Some(parting) = PARTING.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
            eprintln!("{parting}");
        }
        std::process::exit(if shown.is_ok() { Exit::Interrupted } else { Exit::Failed } as i32);
    };
    ctrlc::set_handler(leave).map_err(|error| Failure::new(Exit::Failed, "Ctrl-C cannot be listened to.").because(error))
}

/// What to say then.
pub fn say_at_parting(text: String) {
    *PARTING.lock().unwrap_or_else(PoisonError::into_inner) = Some(text);
}
