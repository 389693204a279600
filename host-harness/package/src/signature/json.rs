//! Owns: reading JSON in one form only: every member once, none unknown, none missing, nothing around it.
//! Does not own: what the documents mean.
//!
//! Two readers of one signed document must not see two documents. So a text is first read into a tree that refuses
//! duplicate names, then into a type that refuses unknown ones, and what the type would write is compared with the tree:
//! an object written as a list, an explicit `null` or a default left out is refused by that comparison.

use std::fmt;

use harness_contract::text::shown;
use serde::{
    Deserializer, Serialize,
    de::{DeserializeOwned, DeserializeSeed, Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value};

/// The deepest nesting that a document of this module has.
const MAX_DEPTH: u8 = 8;

/// The longest message of the JSON library that is shown, in characters: it may quote the document.
const MAX_MESSAGE: usize = 200;

/// Why a document is not read. Messages are escaped and bounded copies, because the library's own may quote the document.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum JsonError {
    /// More bytes than are read.
    #[error("it has {found} bytes, expected at most {max}")]
    TooLarge {
        /// How many there are.
        found: usize,
        /// The bound.
        max: usize,
    },
    /// No JSON, a duplicate, unknown or missing member, or a value of another type.
    #[error("{0}")]
    Form(String),
    /// Another way to write the same document.
    #[error("it is not written the way this format is: a member is null, left out or written as another type")]
    Spelling,
}

impl JsonError {
    fn form(error: &serde_json::Error) -> Self {
        Self::Form(shown(&error.to_string()).chars().take(MAX_MESSAGE).collect())
    }
}

/// Reads a text into a tree without duplicate names.
pub(super) fn tree(bytes: &[u8], max: usize) -> Result<Value, JsonError> {
    if bytes.len() > max {
        return Err(JsonError::TooLarge { found: bytes.len(), max });
    }
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let tree = Tree(MAX_DEPTH).deserialize(&mut json).map_err(|error| JsonError::form(&error))?;
    json.end().map_err(|error| JsonError::form(&error))?;
    Ok(tree)
}

/// Reads a tree into a type, which must write it again as it was.
pub(super) fn typed<T: DeserializeOwned + Serialize>(tree: &Value) -> Result<T, JsonError> {
    let typed = T::deserialize(tree).map_err(|error| JsonError::form(&error))?;
    let written = serde_json::to_value(&typed).map_err(|error| JsonError::form(&error))?;
    if written == *tree { Ok(typed) } else { Err(JsonError::Spelling) }
}

/// Writes a document: the same one gives the same bytes.
pub(super) fn written<T: Serialize>(document: &T) -> Result<Vec<u8>, JsonError> {
    serde_json::to_vec(document).map_err(|error| JsonError::form(&error))
}

/// Reads a value with at most this many levels below it.
struct Tree(u8);

impl Tree {
    fn deeper<E: Error>(&self) -> Result<Self, E> {
        let deeper = self.0.checked_sub(1).map(Self);
        deeper.ok_or_else(|| E::custom(format_args!("nested deeper than {MAX_DEPTH} levels")))
    }
}

impl<'de> DeserializeSeed<'de> for Tree {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
}

/// Numbers are whole and not negative: no document here has others, and readers differ about them.
impl<'de> Visitor<'de> for Tree {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value, with whole numbers only")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self.deeper()?)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let value = members.next_value_seed(self.deeper()?)?;
            if object.contains_key(&name) {
                return Err(A::Error::custom(format_args!("the member `{name}` is there twice")));
            }
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq, Serialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        a: u8,
        b: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        c: Option<Vec<u8>>,
    }

    fn read(text: &str) -> Result<Sample, JsonError> {
        typed(&tree(text.as_bytes(), 100)?)
    }

    #[test]
    fn a_document_is_read_in_one_form_only() {
        assert_eq!(read(" {\"b\":null,\"a\":1}\n").unwrap(), Sample { a: 1, b: None, c: None });
        for text in [
            r#"{"a":1,"b":null}{}"#,
            r#"{"a":1,"b":null},"#,
            r#"{"a":1,"a":1,"b":null}"#,
            r#"{"a":1,"\u0061":1,"b":null}"#,
            r#"{"a":1,"b":null,"d":1}"#,
            r#"{"a":1}"#,
            r#"{"a":1,"b":null,"c":null}"#,
            r#"{"a":1.0,"b":null}"#,
            r#"{"a":-0,"b":null}"#,
            r#"{"a":256,"b":null}"#,
            r#"{"a":"1","b":null}"#,
            r#"[1,null]"#,
            r#"[1,null,[1]]"#,
            r#"{"a":1,"b":"\ud800"}"#,
            r#"{"a":1,"b":null,}"#,
            r#"{"a":1,"b":null,"c":[[[[[[[[[1]]]]]]]]]}"#,
            "\u{feff}{\"a\":1,\"b\":null}",
            "null",
            "",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
        assert_eq!(tree(&[b' '; 101], 100), Err(JsonError::TooLarge { found: 101, max: 100 }));
    }

    #[test]
    fn what_a_refusal_quotes_is_escaped_and_bounded() {
        let name = "\u{1b}[2J\u{202e}".repeat(20);
        let twice =
            format!("{{{name:?}: 1, {name:?}: 2}}").replace("\\u{1b}", "\\u001b").replace("\\u{202e}", "\\u202e");
        let unknown = serde_json::json!({ "a": 1, "b": null, name.as_str(): 1 }).to_string();
        for text in [twice, unknown] {
            let refusal = typed::<Sample>(&match tree(text.as_bytes(), 10_000) {
                Ok(tree) => tree,
                Err(JsonError::Form(said)) => Value::String(said),
                Err(other) => Value::String(other.to_string()),
            })
            .unwrap_err()
            .to_string();
            assert!(!refusal.chars().any(harness_contract::text::misleads), "{refusal:?}");
            assert!(refusal.chars().count() <= MAX_MESSAGE, "{refusal}");
        }
    }
}
