//! Lenient JSON: a borrowed tree with a depth limit, optional raw lower levels, repairs, and writing.
//! Owns JSON itself; not the meaning of members, which `lenient` and the channel determine.
//!
//! A general-purpose library stops at the first error, but a bad item must not affect its neighbours. So the grammar
//! (RFC 8259) is parsed here, in one pass, and the tests compare the result with `serde_json`. The tree's depth is
//! limited because a guest has a stack of 16 KiB: deeper values are skipped without recursion and leave a marker.

mod escape;
mod number;
mod reader;
mod repair;
mod write;

use std::borrow::Cow;

pub use escape::push_quoted;
pub use repair::repair;
pub use write::Writer;

use reader::Reader;

/// Containers nested deeper than this become `Json::TooDeep`. The deepest item documented by a platform, a template
/// with buttons, has 12 levels.
const DEPTH: u8 = 24;
/// Leave no level raw.
const NEVER_RAW: u8 = u8::MAX;

/// The members of an object, in document order.
pub type Members<'a> = Vec<(Cow<'a, str>, Json<'a>)>;

/// A JSON value. It borrows its strings unless they contain escapes.
#[derive(Debug, PartialEq)]
pub enum Json<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A non-negative integer.
    Unsigned(u64),
    /// A negative integer.
    Signed(i64),
    /// A number that fits no 64-bit integer: its integer part, if that is not negative and exact in a float too.
    Fraction(Option<u64>),
    /// A string, unescaped.
    Text(Cow<'a, str>),
    /// An array.
    List(Vec<Json<'a>>),
    /// An object.
    Object(Members<'a>),
    /// A container below the depth limit; its content was skipped.
    TooDeep,
    /// A value left as raw text; only `shallow` creates these.
    Raw(&'a str),
    /// A value and its raw text; only `items` creates these.
    Both(Box<Json<'a>>, &'a str),
}

impl<'a> Json<'a> {
    /// The member of an object; the last one of duplicates.
    pub fn get(&self, name: &str) -> Option<&Json<'a>> {
        match self {
            Json::Object(members) => last(members, name),
            _ => None,
        }
    }

    /// A text, or an integer as text: platforms write ids both ways.
    pub fn id(&self) -> Option<String> {
        match self {
            Json::Text(text) if !text.is_empty() => Some(String::from(&**text)),
            Json::Unsigned(number) => Some(number.to_string()),
            Json::Signed(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// A non-negative integer, given as number or text.
    pub fn whole(&self) -> Option<u64> {
        match self {
            Json::Unsigned(number) => Some(*number),
            Json::Text(text) => text.trim_ascii().parse().ok(),
            Json::Fraction(whole) => *whole,
            _ => None,
        }
    }

    /// The kind of value, for use in a sentence.
    pub fn kind(&self) -> &'static str {
        match self {
            Json::Null => "null",
            Json::Bool(_) => "a boolean",
            Json::Unsigned(_) | Json::Signed(_) | Json::Fraction(_) => "a number",
            Json::Text(_) => "a text",
            Json::List(_) => "a list",
            Json::Object(_) => "an object",
            Json::TooDeep => "too deeply nested",
            Json::Raw(_) | Json::Both(..) => "unread",
        }
    }

    /// The raw text of a value that has one.
    pub fn raw(&self) -> Option<&'a str> {
        match self {
            Json::Raw(raw) | Json::Both(_, raw) => Some(raw),
            _ => None,
        }
    }
}

/// The member with this name; the last one of duplicates.
pub fn last<'m, 'a>(members: &'m Members<'a>, name: &str) -> Option<&'m Json<'a>> {
    members.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value)
}

/// Where a text stops being valid JSON.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fault {
    /// The byte after the fault.
    pub offset: usize,
    /// Whether the text ends before the value does.
    pub ends: bool,
}

/// Parses a single value in full. The text must contain nothing else.
pub fn parse(text: &str) -> Result<Json<'_>, Fault> {
    shallow(text, NEVER_RAW)
}

/// Parses this many levels of containers, and leaves deeper values as raw text, as well as every member named `value`.
/// 0 only checks the grammar; 1 returns the raw members of an object or elements of a list.
pub fn shallow(text: &str, levels: u8) -> Result<Json<'_>, Fault> {
    Reader::new(text).whole(levels)
}

/// Like `shallow`, in the same pass parsing what it leaves raw. A value with something that cannot be represented is
/// left raw alone, for the caller to repair.
pub fn items(text: &str, levels: u8) -> Result<Json<'_>, Fault> {
    Reader::new(text).with_both().whole(levels)
}

#[cfg(test)]
#[allow(clippy::expect_used, reason = "a test ends where its input is wrong")]
mod tests;
