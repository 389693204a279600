//! Owns: the JSON form of byte strings: a string if the bytes are UTF-8, otherwise base64.
//! Does not own: the types that use it.

use std::borrow::Cow;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// Either form.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Form<'a> {
    Text(Cow<'a, str>),
    Binary(Binary),
}

/// Bytes that are not text.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Binary {
    base64: String,
}

fn to_form(value: &[u8]) -> Form<'_> {
    match std::str::from_utf8(value) {
        Ok(text) => Form::Text(Cow::Borrowed(text)),
        Err(_) => Form::Binary(Binary { base64: STANDARD.encode(value) }),
    }
}

fn from_form<E: serde::de::Error>(form: Form<'_>) -> Result<Vec<u8>, E> {
    match form {
        Form::Text(text) => Ok(text.into_owned().into_bytes()),
        Form::Binary(Binary { base64 }) => {
            STANDARD.decode(base64).map_err(|error| E::custom(format_args!("`base64` does not hold base64: {error}")))
        }
    }
}

/// `list<u8>`.
pub(crate) mod bytes {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(value: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        to_form(value).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let form = Form::deserialize(deserializer)
            .map_err(|_| D::Error::custom("bytes are written as a text or as {\"base64\": \"…\"}"))?;
        from_form(form)
    }
}

/// `option<list<u8>>`.
pub(crate) mod optional_bytes {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(value: &Option<Vec<u8>>, serializer: S) -> Result<S::Ok, S::Error> {
        value.as_deref().map(to_form).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<u8>>, D::Error> {
        Option::<Form<'_>>::deserialize(deserializer)?.map(from_form).transpose()
    }
}
