//! docs/api.md and docs/openapi.json, for whoever writes a client.

use std::fmt::Write;
use strum::VariantArray;
use wire::api::{Parameter, Place, Route, openapi};
use wire::problem::ProblemCode;

const HEAD: &str = include_str!("frames/api.head.md");

pub fn document() -> String {
    format!("{:#}\n", openapi())
}

pub fn page() -> String {
    let routes: String = Route::VARIANTS.iter().map(|route| section(*route)).collect();
    format!("{HEAD}{routes}\n## Refusals\n\n| status | code | what happened |\n|---|---|---|\n{}", refusals())
}

fn section(route: Route) -> String {
    let about = route.about();
    let token = if route.needs_token() { "" } else { " It needs no token." };
    let mut text = format!("\n## {}\n\n{}.{token} Answers {} with {}.\n", about.key, about.summary, route.success(), answer(route));
    if route.takes_body() {
        text.push_str("The body is a cluster's spec: see [its fields](spec.md#fields), or `ClusterRequest` in openapi.json.\n");
    }
    if !about.parameters.is_empty() {
        text.push_str("\n| parameter | in | |\n|---|---|---|\n");
        text.extend(about.parameters.iter().map(row));
    }
    if !about.problems.is_empty() {
        let codes: Vec<String> = about.problems.iter().map(|code| format!("`{}`", code.name())).collect();
        let _ = writeln!(text, "\nIt may be refused with {}.", codes.join(", "));
    }
    let _ = write!(text, "\n```sh\n{}\n```\n", example(route));
    text
}

/// A request that can be sent as it is, once the shell has its variables.
fn example(route: Route) -> String {
    let about = route.about();
    let (method, path) = about.key.split_once(' ').unwrap_or_default();
    let method = if method == "GET" { String::new() } else { format!("-X {method} ") };
    let token = if route.needs_token() { "-H \"Authorization: Bearer $GROUNDWORK_TOKEN\" " } else { "" };
    let body = if route.takes_body() { "-H \"Content-Type: application/json\" -d @examples/cluster.json " } else { "" };
    let required = about.parameters.iter().filter(|parameter| parameter.required);
    let query: Vec<String> = required.map(|one| format!("{}=$GROUNDWORK_{}", one.name, one.name.to_uppercase())).collect();
    let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
    format!("curl {method}{token}{body}\"$GROUNDWORK_API_URL{}{query}\"", path.replace("{name}", "research"))
}

/// The schema of a success, by its name in openapi.json.
fn answer(route: Route) -> String {
    let (method, path) = route.about().key.split_once(' ').unwrap_or_default();
    let document = openapi();
    let schema =
        &document["paths"][path][method.to_lowercase()]["responses"][route.success().to_string()]["content"]["application/json"]["schema"];
    let name = schema["$ref"].as_str().and_then(|reference| reference.rsplit('/').next());
    name.map_or("a JSON object".into(), |name| format!("a `{name}`"))
}

fn row(parameter: &Parameter) -> String {
    let place = match parameter.place {
        Place::Query => "query",
        Place::Header => "header",
    };
    let required = if parameter.required { " Required." } else { "" };
    format!("| `{}` | {place} | {}{required} |\n", parameter.name, parameter.about)
}

fn refusals() -> String {
    let row = |code: &ProblemCode| format!("| {} | `{}` | {} |\n", code.http().0, code.name(), code.what());
    ProblemCode::VARIANTS.iter().map(row).collect()
}
