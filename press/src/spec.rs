//! docs/spec.md, for whoever asks for a cluster.

use std::fmt::Write;
use strum::VariantArray;
use wire::spec::reference::{self, Field};
use wire::spec::{Mode, refusals, shortened};

const HEAD: &str = include_str!("frames/spec.head.md");
const FIELDS: &str = "
## Fields

| field | mode | required | changes | meaning |
|---|---|---|---|---|
";
const BEFORE: &str = "
## Words of before

They stay accepted, and are shown as the ones of now. Both at once are refused.

| before | now |
|---|---|
";
const REFUSED: &str = "
## What is refused

An example for each rule, beside the smallest request. All faults of a request are named at once, each with the path of its field.

| sent | mode | path | answer |
|---|---|---|---|
";

pub fn page() -> String {
    let mut page = format!("{HEAD}{FIELDS}");
    reference::fields().iter().for_each(|field| row(&mut page, field));
    page.push_str(BEFORE);
    // Writing to a String cannot fail.
    for (before, now) in reference::before() {
        let _ = writeln!(page, "| `{before}` | `{now}` |");
    }
    page.push_str(REFUSED);
    refusals::all().iter().for_each(|refused| refusal(&mut page, refused));
    page
}

fn row(page: &mut String, field: &Field) {
    let Field { path, modes, required, rule, default, change } = field;
    let default = default.as_ref().map_or(String::new(), |value| format!(" Default: `{value}`."));
    let _ = writeln!(page, "| `{path}` | {} | {} | {change} | {}{default} |", names(modes), names(required), in_a_cell(rule));
}

fn names(modes: &[Mode]) -> String {
    match modes {
        [] => "no".into(),
        all if all.len() == Mode::VARIANTS.len() => "all".into(),
        some => some.iter().map(Mode::to_string).collect::<Vec<_>>().join(", "),
    }
}

fn refusal(page: &mut String, refused: &refusals::Refused) {
    let (mode, fields) = refused;
    let sent = shortened(&fields.to_string());
    for fault in refusals::faults(refused) {
        let _ = writeln!(page, "| `{}` | {mode} | `{}` | {} |", in_a_cell(&sent), fault.path, in_a_cell(&fault.message));
    }
}

fn in_a_cell(text: &str) -> String {
    text.replace('\n', " ").replace('|', "\\|")
}
