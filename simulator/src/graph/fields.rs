//! Reading JSON objects strictly: known keys, required keys, types.
//! What belongs here: helpers that refuse with code 100 and name the parameter as Meta does.

use serde_json::{Map, Value};

use crate::graph::error::GraphError;

/// Refuses keys that the platform does not know.
pub(crate) fn only(object: &Map<String, Value>, known: &[&str], param: &str) -> Result<(), GraphError> {
    match object.keys().find(|key| !known.contains(&key.as_str())) {
        Some(key) => Err(GraphError::parameter(format!("Unexpected key \"{key}\" on param \"{param}\""))),
        None => Ok(()),
    }
}

pub(crate) fn object<'a>(value: &'a Value, param: &str) -> Result<&'a Map<String, Value>, GraphError> {
    value.as_object().ok_or_else(|| GraphError::parameter(format!("Param {param} must be a JSON object")))
}

pub(crate) fn array<'a>(value: &'a Value, param: &str) -> Result<&'a [Value], GraphError> {
    value.as_array().map(Vec::as_slice).ok_or_else(|| GraphError::parameter(format!("Param {param} must be an array")))
}

/// A required, non-empty text.
pub(crate) fn text<'a>(object: &'a Map<String, Value>, key: &str, param: &str) -> Result<&'a str, GraphError> {
    object
        .get(key)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
        .ok_or_else(|| GraphError::parameter(format!("Param {param}[{key}] must be a non-empty string")))
}

/// An optional text; another type is refused.
pub(crate) fn optional_text<'a>(
    object: &'a Map<String, Value>,
    key: &str,
    param: &str,
) -> Result<Option<&'a str>, GraphError> {
    match object.get(key) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(GraphError::parameter(format!("Param {param}[{key}] must be a string"))),
    }
}

/// A required enumerated word, in lower case. Graph accepts both cases, and Meta's own SDKs send `TYPING_ON` and
/// `INSTAGRAM`.
pub(crate) fn word(object: &Map<String, Value>, key: &str, param: &str) -> Result<String, GraphError> {
    text(object, key, param).map(str::to_ascii_lowercase)
}

/// Refuses a text beyond `limit` characters.
pub(crate) fn at_most(text: &str, limit: usize, what: &str) -> Result<(), GraphError> {
    let length = text.chars().count();
    if length > limit {
        return Err(GraphError::message_data(format!("{what} has {length} characters, at most {limit} are allowed")));
    }
    Ok(())
}

/// Ids are strings; a number is accepted.
pub(crate) fn id(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
