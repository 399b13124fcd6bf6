//! Writes the quick-start, twice, and the page about it, all from the table of permissions in the library.

mod cloudformation;
mod page;
mod table;
mod terraform;

use std::path::{Path, PathBuf};

fn main() -> std::io::Result<()> {
    for (path, text) in files() {
        std::fs::write(root().join(path), text)?;
    }
    Ok(())
}

/// Every generated file, by its path in the repository.
fn files() -> Vec<(String, String)> {
    let mut files = terraform::policies();
    files.push(("onboarding/quick-start.yaml".into(), cloudformation::quick_start()));
    files.push(("onboarding/permissions.json".into(), table::rows()));
    files.push(("docs/permissions.md".into(), page::page()));
    files
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_generated_file_is_as_the_table_says() {
        for (path, expected) in files() {
            let found = std::fs::read_to_string(root().join(&path)).unwrap_or_default();
            assert!(found == expected, "{path} differs from the table of permissions: run `make press`");
        }
    }
}
