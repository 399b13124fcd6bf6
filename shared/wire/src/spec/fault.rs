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
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: shortened(&path.into()), message: message.into() }
    }

    /// The field of the body that the path leads into.
    pub(super) fn field(&self) -> &str {
        let path = self.path.trim_start_matches("$.");
        path.split(['.', '[']).next().unwrap_or(path)
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
