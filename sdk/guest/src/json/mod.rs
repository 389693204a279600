//! Lenient JSON: a borrowed tree with a depth bound, whose lower levels may be left as raw text; repairs; writing.
//! Owns JSON as such; not what a member means: that is decided by `lenient` and the channel.
//!
//! A general library stops at the first fault, and one bad item must not cost its neighbours. So the grammar
//! (RFC 8259) is read here, in one pass, and the tests hold it against `serde_json`. The tree is bounded in depth
//! because a guest has a stack of 16 KiB: what lies deeper is skipped without recursion and leaves a marker.

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

/// Containers nested deeper than this become `Json::TooDeep`. The deepest item that a
/// platform documents, a template with buttons, has 12 levels.
const DEPTH: u8 = 24;
/// No level is left raw.
const NEVER_RAW: u8 = u8::MAX;

/// The members of an object in the order in which they stand.
pub type Members<'a> = Vec<(Cow<'a, str>, Json<'a>)>;

/// A JSON value that borrows its texts where they hold no escapes.
#[derive(Debug, PartialEq)]
pub enum Json<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number that is not negative.
    Unsigned(u64),
    /// A negative whole number.
    Signed(i64),
    /// A number that no 64-bit integer holds: its whole part, where that is not negative and exact
    /// in a float as well.
    Fraction(Option<u64>),
    /// A string, without its escapes.
    Text(Cow<'a, str>),
    /// An array.
    List(Vec<Json<'a>>),
    /// An object.
    Object(Members<'a>),
    /// A container below the depth bound; its content was skipped.
    TooDeep,
    /// A value that was left as it stands; only `shallow` makes these.
    Raw(&'a str),
}

impl<'a> Json<'a> {
    /// The member of an object; the last one where a name stands twice.
    pub fn get(&self, name: &str) -> Option<&Json<'a>> {
        match self {
            Json::Object(members) => last(members, name),
            _ => None,
        }
    }

    /// A text, or a whole number as its text: platforms write ids both ways.
    pub fn id(&self) -> Option<String> {
        match self {
            Json::Text(text) if !text.is_empty() => Some(String::from(&**text)),
            Json::Unsigned(number) => Some(number.to_string()),
            Json::Signed(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// A whole number, written as a number or as a text.
    pub fn whole(&self) -> Option<u64> {
        match self {
            Json::Unsigned(number) => Some(*number),
            Json::Text(text) => text.trim_ascii().parse().ok(),
            Json::Fraction(whole) => *whole,
            _ => None,
        }
    }

    /// What kind of value it is, for a sentence.
    pub fn kind(&self) -> &'static str {
        match self {
            Json::Null => "null",
            Json::Bool(_) => "a boolean",
            Json::Unsigned(_) | Json::Signed(_) | Json::Fraction(_) => "a number",
            Json::Text(_) => "a text",
            Json::List(_) => "a list",
            Json::Object(_) => "an object",
            Json::TooDeep => "too deeply nested",
            Json::Raw(_) => "unread",
        }
    }
}

/// The member of this name; the last one where it stands twice.
pub fn last<'m, 'a>(members: &'m Members<'a>, name: &str) -> Option<&'m Json<'a>> {
    members.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value)
}

/// Where a text stops being JSON.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fault {
    /// The byte behind the fault.
    pub offset: usize,
    /// The text ends before the value does.
    pub ends: bool,
}

/// Reads one value in full. The text must hold nothing else.
pub fn parse(text: &str) -> Result<Json<'_>, Fault> {
    shallow(text, NEVER_RAW)
}

/// Reads so many levels of containers and leaves what is below as raw text, as well as every member
/// named `value`: 0 checks the grammar, 1 gives the raw members of an object or elements of a list.
pub fn shallow(text: &str, levels: u8) -> Result<Json<'_>, Fault> {
    Reader::new(text).whole(levels)
}

#[cfg(test)]
#[allow(clippy::expect_used, reason = "a test ends where its input is wrong")]
mod tests;
