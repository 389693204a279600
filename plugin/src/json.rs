//! Tolerant JSON: a borrowed tree with a depth bound, whose lower levels may be left as raw text.
//! What belongs here is reading JSON as such; what a member means is decided by the callers.
//!
//! serde_json does the grammar, always through `deserialize_any` and one visitor that takes every
//! type: an unexpected type is then a value and not an error, and serde's sentences about types,
//! with the float formatting that they need, stay out of the component (25 kB). The tree is bounded
//! in depth because the sandbox has a stack of 16 KiB: what lies deeper is skipped without
//! recursion and leaves a marker.

use alloc::borrow::Cow;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use serde::de::{Deserialize, DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// Containers nested deeper than this become `Json::TooDeep`. Meta's deepest documented item, a
/// template with buttons in an echo, has 12 levels.
const DEPTH: u8 = 24;
/// No level is left raw.
const NEVER_RAW: u8 = u8::MAX;

/// The members of an object in the order in which they stand.
pub(crate) type Members<'a> = Vec<(Cow<'a, str>, Json<'a>)>;

/// A JSON value that borrows its texts where they hold no escapes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Json<'a> {
    Null,
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Text(Cow<'a, str>),
    List(Vec<Json<'a>>),
    Object(Members<'a>),
    /// A container below the depth bound; its content was skipped.
    TooDeep,
    /// A value that was left as it stands; only `shallow` makes these.
    Raw(&'a str),
}

impl<'a> Json<'a> {
    /// The member of an object; the last one where a name stands twice.
    pub(crate) fn get(&self, name: &str) -> Option<&Json<'a>> {
        match self {
            Json::Object(members) => last(members, name),
            _ => None,
        }
    }

    /// A text, or a whole number as its text: Meta writes ids both ways.
    pub(crate) fn id(&self) -> Option<String> {
        match self {
            Json::Text(text) if !text.is_empty() => Some(text.to_string()),
            Json::Unsigned(number) => Some(crate::words::decimal(*number)),
            Json::Signed(number) => Some(crate::words::signed_decimal(*number)),
            _ => None,
        }
    }

    /// A whole number, written as a number or as a text.
    pub(crate) fn whole(&self) -> Option<u64> {
        match self {
            Json::Unsigned(number) => Some(*number),
            Json::Text(text) => text.trim().parse().ok(),
            // Beyond 2^53 a float has no exact whole value; `as` saturates and never traps.
            Json::Float(number) if *number >= 0.0 && *number < 9_007_199_254_740_992.0 => Some(*number as u64),
            _ => None,
        }
    }

    /// What kind of value it is, for a sentence.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Json::Null => "null",
            Json::Bool(_) => "a boolean",
            Json::Unsigned(_) | Json::Signed(_) | Json::Float(_) => "a number",
            Json::Text(_) => "a text",
            Json::List(_) => "a list",
            Json::Object(_) => "an object",
            Json::TooDeep => "too deeply nested",
            Json::Raw(_) => "unread",
        }
    }
}

/// The member of this name; the last one where it stands twice.
pub(crate) fn last<'m, 'a>(members: &'m Members<'a>, name: &str) -> Option<&'m Json<'a>> {
    members.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value)
}

/// Reads one value in full. The text must hold nothing else.
pub(crate) fn parse(text: &str) -> Result<Json<'_>, serde_json::Error> {
    read(text, NEVER_RAW)
}

/// Reads so many levels of containers and leaves what is below as raw text, as well as every member
/// named `value`: 0 checks the grammar, 1 gives the raw members of an object or elements of a list.
pub(crate) fn shallow(text: &str, levels: u8) -> Result<Json<'_>, serde_json::Error> {
    read(text, levels)
}

fn read(text: &str, levels: u8) -> Result<Json<'_>, serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = Tree { depth: DEPTH, levels }.deserialize(&mut reader)?;
    reader.end()?;
    Ok(value)
}

/// Reads one value that was found to be JSON, with everything repaired that a value of its own
/// can be wrong about: half surrogate pairs and numbers out of range. True when text was replaced.
pub(crate) fn parse_repaired(text: &str) -> Option<(Json<'static>, bool)> {
    let (repaired, replaced) = repair(text);
    parse(&repaired).ok().map(|value| (into_owned(value), replaced))
}

/// A text as a JSON string, quotes included.
pub(crate) fn push_quoted(out: &mut String, text: &str) {
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if control < ' ' => {
                out.push_str("\\u00");
                if control < '\u{10}' {
                    out.push('0');
                }
                crate::words::push_hex(out, u64::from(control));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

/// Reads a value into a tree.
#[derive(Clone, Copy)]
struct Tree {
    /// So many levels of containers may still be nested.
    depth: u8,
    /// Below so many levels, values are left as raw text.
    levels: u8,
}

impl Tree {
    /// One level down, or `None` at the bound.
    fn below(self) -> Option<Tree> {
        Some(Tree { depth: self.depth.checked_sub(1)?, levels: self.levels.saturating_sub(1) })
    }
}

impl<'de> DeserializeSeed<'de> for Tree {
    type Value = Json<'de>;
    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<Json<'de>, D::Error> {
        if self.levels == 0 {
            return <&RawValue>::deserialize(from).map(|raw| Json::Raw(raw.get()));
        }
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Tree {
    type Value = Json<'de>;
    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a JSON value")
    }
    fn visit_unit<E>(self) -> Result<Json<'de>, E> {
        Ok(Json::Null)
    }
    fn visit_bool<E>(self, value: bool) -> Result<Json<'de>, E> {
        Ok(Json::Bool(value))
    }
    fn visit_u64<E>(self, value: u64) -> Result<Json<'de>, E> {
        Ok(Json::Unsigned(value))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Json<'de>, E> {
        Ok(Json::Signed(value))
    }
    fn visit_f64<E>(self, value: f64) -> Result<Json<'de>, E> {
        Ok(Json::Float(value))
    }
    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Borrowed(value)))
    }
    fn visit_str<E>(self, value: &str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Owned(value.to_string())))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Json<'de>, A::Error> {
        let Some(below) = self.below() else {
            while list.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(Json::TooDeep);
        };
        let mut values = Vec::new();
        while let Some(value) = list.next_element_seed(below)? {
            values.push(value);
        }
        Ok(Json::List(values))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json<'de>, A::Error> {
        let Some(below) = self.below() else {
            while map.next_key_seed(Key)?.is_some() {
                map.next_value::<IgnoredAny>()?;
            }
            return Ok(Json::TooDeep);
        };
        let mut members = Vec::new();
        while let Some(key) = map.next_key_seed(Key)? {
            let left_raw = key == "value" && self.levels < DEPTH;
            let seed = if left_raw { Tree { levels: 0, ..below } } else { below };
            members.push((key, map.next_value_seed(seed)?));
        }
        Ok(Json::Object(members))
    }
}

/// Reads the name of a member without copying it where it holds no escapes.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;
    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;
    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a name")
    }
    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(value))
    }
    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(value.to_string()))
    }
}

/// Rewrites half surrogate pairs as U+FFFD and numbers out of range as `null`.
fn repair(text: &str) -> (String, bool) {
    let mut out = String::with_capacity(text.len());
    let mut replaced = false;
    let mut rest = text;
    let mut in_string = false;
    while let Some(letter) = rest.chars().next() {
        let used = match letter {
            '"' => {
                in_string = !in_string;
                1
            }
            '\\' => match surrogate(rest) {
                Surrogate::Half => {
                    out.push_str("\\ufffd");
                    replaced = true;
                    rest = rest.get(6..).unwrap_or("");
                    continue;
                }
                Surrogate::Pair => 12,
                Surrogate::None => 2,
            },
            '-' | '0'..='9' if !in_string => {
                let length = rest
                    .find(|letter: char| !matches!(letter, '-' | '+' | '.' | 'e' | 'E' | '0'..='9'))
                    .unwrap_or(rest.len());
                let number = rest.get(..length).unwrap_or("");
                if parse(number).is_err() {
                    out.push_str("null");
                    rest = rest.get(length..).unwrap_or("");
                    continue;
                }
                length
            }
            other => other.len_utf8(),
        };
        let (piece, behind) = rest.split_at_checked(used).unwrap_or((rest, ""));
        out.push_str(piece);
        rest = behind;
    }
    (out, replaced)
}

/// What an escape at the start of a text says about surrogates.
enum Surrogate {
    None,
    Half,
    Pair,
}

fn surrogate(text: &str) -> Surrogate {
    let unit = |at: usize| {
        let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(digits, 16).ok()
    };
    match (unit(0), unit(6)) {
        (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => Surrogate::Pair,
        (Some(0xd800..=0xdfff), _) => Surrogate::Half,
        _ => Surrogate::None,
    }
}

/// Detaches a tree from the text that it was read from; only repaired items pay for it.
fn into_owned(value: Json<'_>) -> Json<'static> {
    match value {
        Json::Null => Json::Null,
        Json::Bool(value) => Json::Bool(value),
        Json::Unsigned(value) => Json::Unsigned(value),
        Json::Signed(value) => Json::Signed(value),
        Json::Float(value) => Json::Float(value),
        Json::Text(value) => Json::Text(Cow::Owned(value.into_owned())),
        Json::List(values) => Json::List(values.into_iter().map(into_owned).collect()),
        Json::Object(members) => Json::Object(
            members.into_iter().map(|(key, value)| (Cow::Owned(key.into_owned()), into_owned(value))).collect(),
        ),
        // Repaired text is always read in full.
        Json::TooDeep | Json::Raw(_) => Json::TooDeep,
    }
}

#[cfg(test)]
#[allow(clippy::expect_used, reason = "a test ends where its input is wrong")]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_deep_is_skipped_and_its_neighbours_are_read() {
        let deep = "[".repeat(100_000) + &"]".repeat(100_000);
        let text = ["{\"a\":", &deep, ",\"b\":1}"].concat();
        let value = parse(&text).expect("valid");
        assert_eq!(value.get("b"), Some(&Json::Unsigned(1)));
    }

    #[test]
    fn half_surrogates_and_numbers_out_of_range_are_repaired() {
        assert!(parse(r#"{"a":"\ud83d","n":1e999}"#).is_err());
        let (value, replaced) =
            parse_repaired(r#"{"a":"x\ud83dy \ud83d\ude00 \\ud83d -1","n":-1e999}"#).expect("repaired");
        assert!(replaced);
        let text = value.get("a").and_then(Json::id);
        assert_eq!(text.as_deref(), Some("x\u{fffd}y \u{1f600} \\ud83d -1"));
        assert_eq!(value.get("n"), Some(&Json::Null));
    }

    #[test]
    fn the_last_of_two_members_counts() {
        assert_eq!(parse(r#"{"a":1,"a":2}"#).expect("valid").get("a"), Some(&Json::Unsigned(2)));
    }

    #[test]
    fn quoting_is_the_inverse_of_reading() {
        let text: String = (0..0x300_u32).filter_map(char::from_u32).chain(['\u{2028}', '❤']).collect();
        let mut quoted = String::new();
        push_quoted(&mut quoted, &text);
        assert_eq!(parse(&quoted).ok().and_then(|value| value.id()), Some(text));
    }
}
