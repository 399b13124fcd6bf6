//! One thing that is wrong with a request, and where.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One thing that is wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fault {
    /// A JSON path, such as `$.instance_types[0].name`.
    pub path: String,
    /// What is wrong there, and what would be valid.
    pub message: String,
}

impl Fault {
    #[cfg_attr(test, track_caller)]
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        #[cfg(test)]
        places::note(std::panic::Location::caller());
        Self { path: shortened(&path.into()), message: message.into() }
    }

    /// The fields through which the path leads, up to the first list.
    pub(super) fn steps(&self) -> Vec<&str> {
        self.path.split('[').next().unwrap_or_default().split('.').skip(1).collect()
    }
}

/// How much is shown of something that was sent.
const SHOWN: usize = 100;

/// What somebody sent, as it is shown: what is longer than a hundred characters ends there, with "…".
pub fn shortened(sent: &str) -> String {
    match sent.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &sent[..end]),
        None => sent.to_owned(),
    }
}

/// Where the code of the spec makes faults, so that a test can see that there is an example of each.
#[cfg(test)]
pub(super) mod places {
    use std::cell::RefCell;
    use std::collections::BTreeSet;
    use std::panic::Location;
    use std::path::Path;

    const EXCEPT: [(&str, &str); 3] = [
        (r#"Fault::new("$", error"#, "what the schema lets through and no type takes: there is nothing such"),
        (r#"Fault::new(format!("?{name}")"#, "of a parameter"),
        (r#"Fault::new("$.region", fields::REQUIRED)"#, "the door fills it in"),
    ];

    thread_local! {
        static NOTED: RefCell<BTreeSet<String>> = const { RefCell::new(BTreeSet::new()) };
    }

    pub fn note(caller: &Location<'_>) {
        let name = Path::new(caller.file()).file_name().unwrap_or_default().display();
        NOTED.with_borrow_mut(|noted| noted.insert(format!("{name}:{}", caller.line())));
    }

    /// Those that made a fault in the meantime.
    pub fn of(doing: impl FnOnce()) -> BTreeSet<String> {
        NOTED.take();
        doing();
        NOTED.take()
    }

    /// All of them.
    pub fn all() -> Vec<String> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/spec");
        let mut files: Vec<_> = folder.read_dir().expect("the folder").map(|file| file.expect("a file").path()).collect();
        files.sort();
        files.retain(|file| !file.ends_with("tests.rs") && !file.ends_with("fault.rs"));
        files.iter().flat_map(|file| in_file(file)).collect()
    }

    fn in_file(file: &Path) -> Vec<String> {
        let text = std::fs::read_to_string(file).expect("a text");
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
        let name = file.file_name().unwrap_or_default().display();
        let is_site = |line: &str| line.contains("Fault::new(") && !EXCEPT.iter().any(|(other, _)| line.contains(other));
        let lines = code.lines().enumerate().filter(|(_, line)| is_site(line));
        lines.map(|(index, _)| format!("{name}:{}", index + 1)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_long_is_shortened() {
        for (sent, shown) in
            [("é".repeat(100), "é".repeat(100)), ("é".repeat(101), format!("{}…", "é".repeat(100))), (String::new(), String::new())]
        {
            assert_eq!(shortened(&sent), shown);
        }
        assert_eq!(Fault::new("$.".to_owned() + &"a".repeat(1000), "no").path.chars().count(), 101);
    }
}
