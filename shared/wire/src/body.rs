//! The text of a request: how long it may be, and its JSON, in which no field is written twice.

use crate::problem::Problem;
use crate::spec::Fault;
use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::fmt;

/// The most bytes of a request.
pub const MOST_BYTES: usize = 64 * 1024;

/// Reads a request's text.
///
/// # Errors
/// It is too long, it is not JSON, or fields are written twice, of which JSON readers would silently take the last.
pub fn read(text: &[u8]) -> Result<Value, Problem> {
    if text.len() > MOST_BYTES {
        return Err(Problem::body_too_large(MOST_BYTES));
    }
    let mut twice = Vec::new();
    let mut json = serde_json::Deserializer::from_slice(text);
    let read = Part { at: Path::Root, twice: &mut twice }.deserialize(&mut json).and_then(|body| json.end().map(|()| body));
    match read {
        Err(error) => Err(Problem::invalid(vec![Fault::new("$", format!("is not JSON: {error}"))])),
        Ok(_) if !twice.is_empty() => Err(Problem::invalid(twice)),
        Ok(body) => Ok(body),
    }
}

/// Where a part of the body is. Written out only for a fault.
#[derive(Clone, Copy)]
enum Path<'a> {
    Root,
    Field(&'a Path<'a>, &'a str),
    Item(&'a Path<'a>, usize),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Path::Root => f.write_str("$"),
            Path::Field(parent, name) => write!(f, "{parent}.{name}"),
            Path::Item(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

/// A part of the body that is about to be read.
struct Part<'a> {
    at: Path<'a>,
    twice: &'a mut Vec<Fault>,
}

impl<'de> DeserializeSeed<'de> for Part<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Part<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(Part { at: Path::Item(&self.at, list.len()), twice: &mut *self.twice })? {
            list.push(item);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = fields.next_key::<String>()? {
            let at = Path::Field(&self.at, &name);
            let value = fields.next_value_seed(Part { at, twice: &mut *self.twice })?;
            if object.contains_key(&name) {
                self.twice.push(Fault::new(at.to_string(), "this field is written twice"));
            }
            object.insert(name, value);
        }
        Ok(object.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::ProblemCode;

    #[test]
    fn a_body_is_read_as_serde_json_does() {
        for text in
            [r#"{"a": [1, -2, 1.5, true, null, "é\n"], "b": {"c": {}}, "": 0}"#, "[]", "\"text\"", " 7 ", "null", "18446744073709551615"]
        {
            assert_eq!(read(text.as_bytes()).expect(text), serde_json::from_str::<Value>(text).expect(text));
        }
    }

    #[test]
    fn a_field_that_is_written_twice_is_a_fault_at_its_path() {
        let body = r#"{"name": "a", "list": [{}, {"max": 1, "max": 1}], "name": {"x": 1, "x": 2, "x": 3}}"#;
        let problem = read(body.as_bytes()).expect_err("twice");
        let paths: Vec<&str> = problem.faults.iter().map(|fault| fault.path.as_str()).collect();
        assert_eq!(paths, ["$.list[1].max", "$.name.x", "$.name.x", "$.name"]);
        assert!(read(br#"{"a": {"b": 1}, "b": {"b": 2}}"#).is_ok(), "the same name elsewhere");
    }

    #[test]
    fn what_is_no_json_or_too_long_is_refused() {
        for text in ["", "{", "{} {}", "nul", "1e999", "{\"a\":}", &"[".repeat(200)] {
            let problem = read(text.as_bytes()).expect_err(text);
            assert_eq!(problem.code, ProblemCode::InvalidRequest, "{text}");
            assert!(problem.faults[0].message.starts_with("is not JSON: "), "{problem:?}");
        }
        let longest = format!("\"{}\"", "a".repeat(MOST_BYTES - 2));
        assert!(read(longest.as_bytes()).is_ok());
        assert_eq!(read(format!("{longest} ").as_bytes()).expect_err("one byte more").code, ProblemCode::BodyTooLarge);
    }
}
