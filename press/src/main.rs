//! Prints what follows from the tables: from the permissions, what customers deploy and the page about it; from the stages, the state
//! machines and their part of template.yaml; from the errors, the page about them; from the routes, the template's, OpenAPI and a page;
//! from the spec, the page about its fields; from the change of a cluster, what subscribers of the bus have to know; and what is in every
//! cluster, for the tests on a real API server.

mod api;
mod cloudformation;
mod errors;
mod events;
mod frame;
mod furniture;
mod machines;
mod page;
mod spec;
mod table;
mod template;
mod terraform;

use std::io::{Error, Result};
use std::path::{Path, PathBuf};

fn main() -> Result<()> {
    for (path, text) in files()? {
        std::fs::write(root().join(path), text)?;
    }
    Ok(())
}

/// Every file that is generated at least in part, by its path in the repository.
fn files() -> Result<Vec<(String, String)>> {
    let template = template::template(&std::fs::read_to_string(root().join("template.yaml"))?);
    let mut files = terraform::policies();
    files.extend(machines::definitions());
    files.push((
        "template.yaml".into(),
        template.ok_or_else(|| Error::other("template.yaml has lost a comment around the generated part"))?,
    ));
    files.push(("onboarding/quick-start.yaml".into(), cloudformation::quick_start()));
    files.push(("onboarding/permissions.json".into(), table::rows()));
    files.push(("docs/permissions.md".into(), page::page()));
    files.push(("docs/errors.md".into(), errors::page()));
    files.push(("docs/api.md".into(), api::page()));
    files.push(("docs/events.md".into(), events::page()));
    files.push(("docs/event.schema.json".into(), events::schema()));
    files.push(("docs/spec.md".into(), spec::page()));
    files.push(("tests/kubernetes/whole/testdata/furniture.json".into(), furniture::objects()));
    files.push(("docs/openapi.json".into(), api::document()));
    Ok(files)
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_generated_file_is_as_the_table_says() {
        for (path, expected) in files().expect("template.yaml is there") {
            let found = std::fs::read_to_string(root().join(&path)).unwrap_or_default();
            assert!(found == expected, "{path} differs from the tables: run `make press`");
        }
    }
}
