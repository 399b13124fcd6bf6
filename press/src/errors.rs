//! docs/errors.md, for whoever has a code and wants to know what to do.

use engine::errors::table::{DENIALS, INSIDE, Row, TABLE};
use engine::resources::health;
use std::collections::BTreeMap;
use std::fmt::Write;
use strum::{VariantArray, VariantNames};
use wire::error::{ALERTED, Class, Code, Turn};
use wire::problem::{Problem, ProblemCode};
use wire::status::Status;

const HEAD: &str = include_str!("frames/errors.head.md");
const REFUSALS: &str = "
## Refusals of requests

| code | status | what happened | what to do | turn |
|---|---|---|---|---|
";
const OWN: &str = "
## Groundwork's own codes

| code | what happened | what to do | turn |
|---|---|---|---|
";
const CALLS: &str = "
## AWS's codes

What AWS answered to a call. The first row that fits counts; `*` stands for any end of a code. What usually passes is tried again for fifteen
minutes before the cluster is parked, and later again.

| code | if the message says | what to do | turn |
|---|---|---|---|
";
const HEALTH: &str = "
## What EKS says of a cluster, a node group or an add-on that it gave up

The first row that fits any of the issues counts, so causes come before their effects. A retry deletes the broken thing and makes it again.

| code | if the message says | what to do | turn |
|---|---|---|---|
";

/// The page, and how many of its rows are whose turn.
#[derive(Default)]
struct Page {
    text: String,
    turns: BTreeMap<String, usize>,
}

pub fn page() -> String {
    let mut page = Page { text: HEAD.to_owned(), ..Page::default() };
    page.part(REFUSALS, refusals());
    page.part(OWN, own());
    page.part(CALLS, DENIALS.iter().map(of_denial).chain(TABLE.iter().map(of_aws)).chain(others()));
    page.part(HEALTH, health::TABLE.iter().map(of_aws).chain([any_other()]));
    let counted: Vec<String> = page.turns.iter().map(|(turn, count)| format!("{turn} {count}")).collect();
    format!("{}\n{} rows, by turn: {}.\n", page.text, page.turns.values().sum::<usize>(), counted.join(", "))
}

impl Page {
    fn part(&mut self, head: &str, rows: impl IntoIterator<Item = (String, Turn)>) {
        self.text.push_str(head);
        for (cells, turn) in rows {
            *self.turns.entry(turn.to_string()).or_default() += 1;
            // Writing to a String cannot fail.
            let _ = writeln!(self.text, "| {cells} | {turn} |");
        }
    }
}

fn refusals() -> impl Iterator<Item = (String, Turn)> {
    ProblemCode::VARIANTS.iter().map(|code| {
        let (problem, turn) = example(*code);
        (format!("`{}` | {} | {} | {}", code.name(), problem.status, code.what().trim(), problem.hint), turn)
    })
}

/// A refusal with this code, and whose turn it is. Exhaustive, so that a new code does not compile until somebody has decided.
fn example(code: ProblemCode) -> (Problem, Turn) {
    match code {
        ProblemCode::InvalidRequest => (Problem::invalid(vec![]), Turn::Tenant),
        ProblemCode::NoTenant => (Problem::no_tenant("custom:tenant"), Turn::Tenant),
        ProblemCode::BodyTooLarge => (Problem::body_too_large(65536), Turn::Tenant),
        ProblemCode::ClusterNotFound => (Problem::no_cluster("research"), Turn::Tenant),
        ProblemCode::RouteNotFound => (Problem::no_route("GET /nothing"), Turn::Tenant),
        ProblemCode::NameTaken => (Problem::name_taken("research", Status::Running), Turn::Tenant),
        ProblemCode::NotParked => (Problem::not_parked(Status::Running), Turn::Tenant),
        ProblemCode::NotForgettable => (Problem::not_forgettable("The cluster is running."), Turn::Tenant),
        ProblemCode::AlreadyDeleted => (Problem::already_deleted("research", vec![]), Turn::Tenant),
        ProblemCode::RoleRegistered => (Problem::role_registered(), Turn::Tenant),
        ProblemCode::IdempotencyKeyReused => (Problem::key_reused(), Turn::Tenant),
        ProblemCode::ClusterLimit => (Problem::too_many_clusters(20), Turn::Tenant),
        ProblemCode::RequestLimit => (Problem::too_many_requests(300, 60), Turn::Nobody),
        ProblemCode::Internal => (Problem::internal(), Turn::Operator),
        ProblemCode::Unavailable => (Problem::unavailable(), Turn::Nobody),
    }
}

fn own() -> impl Iterator<Item = (String, Turn)> {
    // What it stands for is the next part.
    let own = Code::VARIANTS.iter().map(|name| Code::from(*name)).filter(|code| !matches!(code, Code::Aws(_)));
    own.map(|code| (format!("`{code}` | {} | {}", code.what().trim(), code.means().hint), code.means().class.turn()))
}

fn of_aws(row: &Row) -> (String, Turn) {
    let code = if row.code.is_empty() { "any".to_owned() } else { format!("`{}`", row.code) };
    (format!("{code} | {} | {}", row.says, row.hint), row.class.turn())
}

fn of_denial(row: &Row) -> (String, Turn) {
    (format!("any denial | {} | {}", row.says, row.hint), row.class.turn())
}

/// What no row of the table fits.
fn others() -> [(String, Turn); 2] {
    [(format!("any other, with an HTTP status of 500 or more | | {INSIDE}"), Class::Transient.turn()), any_other()]
}

fn any_other() -> (String, Turn) {
    (format!("any other | | {ALERTED}"), Class::Permanent.turn())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_is_shown_with_its_own_code_and_says_what_happened() {
        for code in ProblemCode::VARIANTS {
            assert_eq!(example(*code).0.code, *code);
            assert!(code.what().len() > 10, "{}", code.name());
        }
    }

    #[test]
    fn every_code_and_every_row_of_the_tables_is_on_the_page() {
        let page = page();
        let refusals = ProblemCode::VARIANTS.iter().map(|code| code.name());
        for code in refusals.chain(Code::VARIANTS.iter().copied().filter(|name| *name != "Aws")) {
            assert!(page.contains(&format!("\n| `{code}` | ")), "{code}");
        }
        for row in DENIALS.iter().chain(TABLE).chain(health::TABLE) {
            let cells = [row.says, row.hint, &row.class.turn().to_string()].join(" | ");
            assert!(page.lines().any(|line| line.contains(row.code) && line.contains(&cells)), "{} {}", row.code, row.says);
        }
    }

    #[test]
    fn the_rows_are_counted_by_turn() {
        let page = page();
        let rows = |turn: Turn| page.lines().filter(|line| line.ends_with(&format!(" | {turn} |"))).count();
        let all = [Turn::Nobody, Turn::Operator, Turn::Tenant].map(|turn| format!("{turn} {}", rows(turn)));
        assert!(page.ends_with(&format!(" rows, by turn: {}.\n", all.join(", "))), "{all:?}");
    }

    #[test]
    fn the_operator_is_said_to_be_alerted_only_where_it_is_the_operators_turn() {
        for line in page().lines().filter(|line| line.starts_with("| ") && line.contains("alerted")) {
            assert!(line.contains("| operator |") || line.starts_with("| operator |"), "{line}");
        }
    }
}
