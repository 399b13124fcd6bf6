//! docs/events.md and docs/event.schema.json, for whoever subscribes to the bus.

use serde_json::Value;
use std::fmt::Write;
use wire::change;

const HEAD: &str = include_str!("frames/events.head.md");
const EXAMPLE: &str = include_str!("frames/event.example.json");

pub fn schema() -> String {
    format!("{:#}\n", change::schema())
}

pub fn page() -> String {
    let schema = change::schema();
    let mut page = format!("{HEAD}\n## Fields of `detail`\n\n| field | |\n|---|---|\n");
    rows(&mut page, "", &schema, &schema["$defs"]);
    rows(&mut page, "cluster.", &schema["$defs"]["Summary"], &schema["$defs"]);
    page.push_str("\n## An event\n\n```json\n");
    page.push_str(EXAMPLE);
    page.push_str("```\n");
    page
}

/// A field without a description of its own is what its type is.
fn rows(page: &mut String, before: &str, object: &Value, types: &Value) {
    for (name, field) in object["properties"].as_object().into_iter().flatten() {
        let of_type = field["$ref"].as_str().and_then(|reference| types[reference.rsplit('/').next()?]["description"].as_str());
        let about = field["description"].as_str().or(of_type).unwrap_or_default().replace('\n', " ");
        // Writing to a String cannot fail.
        let _ = writeln!(page, "| `{before}{name}` | {about} |");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use wire::change::{SOURCE, StatusChange, TYPE, told};

    #[test]
    fn the_example_is_what_is_sent() {
        let event: Value = serde_json::from_str(EXAMPLE).expect("JSON");
        assert_eq!((event["source"].as_str(), event["detail-type"].as_str()), (Some(SOURCE), Some(TYPE)));
        let change: StatusChange = serde_json::from_value(event["detail"].clone()).expect("a change");
        assert_eq!(json!(change), event["detail"], "with all of its fields");
        assert_eq!(change.text, told(&change.tenant, &change.cluster));
    }

    #[test]
    fn every_field_is_on_the_page() {
        let event: Value = serde_json::from_str(EXAMPLE).expect("JSON");
        let page = page();
        for (before, object) in [("", &event["detail"]), ("cluster.", &event["detail"]["cluster"])] {
            for name in object.as_object().expect("an object").keys() {
                assert!(page.contains(&format!("\n| `{before}{name}` | ")), "{before}{name}");
            }
        }
    }
}
