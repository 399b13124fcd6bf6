//! Frames: texts with `{places}` for what differs.

/// Fills the places, one after another. Several lines are all indented like the line that they go into.
pub fn fill(frame: &str, values: &[(&str, &str)]) -> String {
    values.iter().fold(frame.trim_end().to_owned(), |text, (name, value)| put(&text, &format!("{{{name}}}"), value))
}

fn put(text: &str, place: &str, value: &str) -> String {
    let line = |line: &str| {
        let indent = &line[..line.len() - line.trim_start().len()];
        line.replace(place, &value.replace('\n', &format!("\n{indent}")))
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// `create-eks` → `CreateEks`
pub fn pascal(name: &str) -> String {
    name.split('-').map(|word| word[..1].to_uppercase() + &word[1..]).collect()
}
