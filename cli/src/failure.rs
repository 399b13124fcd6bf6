//! What went wrong, as a person reads it: one sentence, the reasons, and what to do next; with the exit code that a script reads.

use crate::output::prose;
use console::style;
use serde::Serialize;
use wire::problem::{Problem, ProblemCode};

/// How a command ends. The same everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Something on this machine is in the way, such as a file.
    Failed = 1,
    /// The command line is wrong; clap uses the same code.
    Usage = 2,
    /// The login is missing, over or not enough.
    Login = 3,
    /// The service refused the request.
    Refused = 4,
    /// The service cannot be reached, or failed.
    Unreachable = 5,
    /// The cluster is failed or delete_blocked.
    Parked = 6,
    /// The time of `--timeout` is over; the cluster goes on.
    TimedOut = 7,
    /// Ctrl-C. What the service was asked for goes on.
    Interrupted = 130,
}

/// For `--help`.
pub const EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    something on this machine is in the way, such as a file
  2    the command line is wrong
  3    the login is missing, over or not enough
  4    the service refused the request
  5    the service cannot be reached, or failed
  6    the cluster is failed or delete_blocked
  7    the time of --timeout is over; the cluster goes on
  130  ctrl-C; what the service was asked for goes on";

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failure {
    #[serde(skip)]
    pub exit: Exit,
    /// One sentence.
    #[serde(rename = "error")]
    pub what: String,
    /// Why, a line each.
    #[serde(rename = "reasons", skip_serializing_if = "Vec::is_empty")]
    pub why: Vec<String>,
    /// The next command, or what else to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

pub type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    pub fn new(exit: Exit, what: impl Into<String>) -> Self {
        Self { exit, what: what.into(), why: vec![], next: None }
    }

    pub fn because(mut self, why: impl ToString) -> Self {
        self.why.push(why.to_string());
        self
    }

    pub fn next(mut self, next: impl Into<String>) -> Self {
        self.next = Some(next.into());
        self
    }

    /// To the standard error, as text or, with `--output json|yaml`, as one JSON object.
    pub fn print(&self, for_people: bool) {
        if !for_people {
            eprintln!("{}", serde_json::json!(self));
            return;
        }
        eprintln!("{} {}", style("error:").red().bold().for_stderr(), self.what);
        for why in &self.why {
            why.lines().for_each(|line| eprint!("{}", indented(line)));
        }
        if let Some(next) = &self.next {
            eprintln!("{} {next}", style("next:").bold().for_stderr());
        }
    }
}

/// The service speaks of its routes, because it does not know who asks. Whoever types commands reads of commands.
impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        let next = match problem.code {
            ProblemCode::ClusterNotFound => "groundwork list shows your clusters, groundwork list --deleted the deleted ones.".into(),
            ProblemCode::NameTaken => {
                "Choose another name, or look with groundwork show at the cluster that has it: once it is deleted, the name is free.".into()
            }
            ProblemCode::RoleRegistered => {
                "Make a role of your own: groundwork onboard. If this one is yours alone, ask the operator.".into()
            }
            ProblemCode::NoTenant => "Log in as a user who belongs to a tenant: groundwork login. The operator makes such users.".into(),
            ProblemCode::AlreadyDeleted => "groundwork show tells what was kept, with the commands that remove it.".into(),
            ProblemCode::InvalidRequest => "Correct every fault and run the command again.".into(),
            ProblemCode::RouteNotFound => "This groundwork is newer than the service: groundwork doctor tells the versions.".into(),
            _ => problem.hint,
        };
        let exit = match problem.code {
            ProblemCode::NoTenant => Exit::Login,
            ProblemCode::Internal | ProblemCode::Unavailable => Exit::Unreachable,
            _ => Exit::Refused,
        };
        let what = match problem.faults.len() {
            0 => problem.detail,
            1 => "The request has a fault.".into(),
            many => format!("The request has {many} faults."),
        };
        let faults = problem.faults.iter().map(|fault| format!("{}: {}", fault.path, fault.message));
        let kept = problem.kept.iter().map(|found| format!("{} {}: {}", found.kind, found.id, found.why));
        Self { exit, what, why: faults.chain(kept).collect(), next: Some(next) }
    }
}

/// What is indented already is as long as it may be.
fn indented(line: &str) -> String {
    if line.starts_with(' ') { format!("  {line}\n") } else { prose(line, "  ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::spec::Fault;
    use wire::status::Status;

    #[test]
    fn a_refusal_is_told_in_words_of_the_command_line() {
        for problem in [
            Problem::invalid(vec![Fault::new("$.name", "no")]),
            Problem::no_cluster("a"),
            Problem::name_taken("a", Status::Terminating),
            Problem::role_registered(),
            Problem::no_tenant("custom:tenant"),
            Problem::already_forgotten("a"),
            Problem::no_route("GET /x"),
            Problem::not_parked(Status::Running),
            Problem::not_forgettable("It runs."),
            Problem::too_many_requests(300, 7),
        ] {
            let code = problem.code;
            let told = Failure::from(problem);
            let text = format!("{} {} {}", told.what, told.why.join(" "), told.next.clone().unwrap_or_default());
            for route in ["GET /", "POST /", "DELETE /"] {
                assert!(!text.contains(route) || code == ProblemCode::RouteNotFound, "{text}");
            }
            assert!(told.next.is_some(), "{text}");
        }
    }

    #[test]
    fn every_fault_is_a_line() {
        let told = Failure::from(Problem::invalid(vec![Fault::new("$.name", "no"), Fault::new("$.region", "what")]));
        assert_eq!((told.what.as_str(), told.why), ("The request has 2 faults.", vec!["$.name: no".to_owned(), "$.region: what".into()]));
    }
}
