//! Tolerant JSON: a borrowed tree with a depth bound, whose lower levels may be left as raw text.
//! What belongs here is reading JSON as such; what a member means is decided by the callers.
//!
//! A general library brings exact floats, formatted errors and slices that may panic: 16 kB of the
//! component, for what no webhook holds. So the grammar (RFC 8259) is read here, in one pass, and the
//! tests hold it against `serde_json`. The tree is bounded in depth because the sandbox has a stack
//! of 16 KiB: what lies deeper is skipped without recursion and leaves a marker.

#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod digits;

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

pub use digits::{decimal, push_decimal, push_hex, signed_decimal};

/// Containers nested deeper than this become `Json::TooDeep`. Meta's deepest documented item, a
/// template with buttons in an echo, has 12 levels.
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

    /// A text, or a whole number as its text: Meta writes ids both ways.
    pub fn id(&self) -> Option<String> {
        match self {
            Json::Text(text) if !text.is_empty() => Some(String::from(&**text)),
            Json::Unsigned(number) => Some(decimal(*number)),
            Json::Signed(number) => Some(signed_decimal(*number)),
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
    let mut reader = Reader { text, at: 0 };
    let value = reader.value(DEPTH, levels)?;
    match reader.sign() {
        None => Ok(value),
        Some(_) => Err(reader.fault()),
    }
}

/// A text as a JSON string, quotes included.
pub fn push_quoted(out: &mut String, text: &str) {
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
                push_hex(out, u64::from(control));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

/// A place in a text.
struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    #[inline(always)]
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The next byte that is no blank, without taking it.
    #[inline(always)]
    fn sign(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
        self.peek()
    }

    #[cold]
    fn fault(&self) -> Fault {
        let length = self.text.len();
        Fault { offset: length.min(self.at + 1), ends: self.at >= length }
    }

    /// Takes one byte that must stand here.
    #[inline(always)]
    fn take(&mut self, byte: u8) -> Result<(), Fault> {
        if self.peek() != Some(byte) {
            return Err(self.fault());
        }
        self.at += 1;
        Ok(())
    }

    /// Takes a byte where it stands next.
    #[inline(always)]
    fn takes(&mut self, byte: u8) -> bool {
        let stands = self.sign() == Some(byte);
        self.at += usize::from(stands);
        stands
    }

    /// The text from a place to here. Both ends are ASCII, so nothing is ever cut in half.
    fn since(&self, start: usize) -> &'a str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    /// Reads a value. `depth` levels of containers may still be nested; below `levels` of them,
    /// values are left raw.
    fn value(&mut self, depth: u8, levels: u8) -> Result<Json<'a>, Fault> {
        let sign = self.sign();
        if levels == 0 {
            return self.skip().map(Json::Raw);
        }
        match sign {
            Some(b'{' | b'[') if depth == 0 => self.skip().map(|_| Json::TooDeep),
            Some(b'[') => self.list(depth - 1, levels - 1),
            Some(b'{') => self.object(depth - 1, levels),
            Some(b'"') => self.string().map(Json::Text),
            Some(b'n') => self.word("null", Json::Null),
            Some(b't') => self.word("true", Json::Bool(true)),
            Some(b'f') => self.word("false", Json::Bool(false)),
            _ => self.number(),
        }
    }

    fn list(&mut self, depth: u8, levels: u8) -> Result<Json<'a>, Fault> {
        self.take(b'[')?;
        let mut values = Vec::new();
        if self.takes(b']') {
            return Ok(Json::List(values));
        }
        loop {
            values.push(self.value(depth, levels)?);
            if !self.takes(b',') {
                break;
            }
        }
        self.take(b']')?;
        Ok(Json::List(values))
    }

    fn object(&mut self, depth: u8, levels: u8) -> Result<Json<'a>, Fault> {
        self.take(b'{')?;
        let mut members = Vec::new();
        if self.takes(b'}') {
            return Ok(Json::Object(members));
        }
        loop {
            self.sign();
            let name = self.string()?;
            self.sign();
            self.take(b':')?;
            let left_raw = levels < DEPTH && name == "value";
            let value = self.value(depth, if left_raw { 0 } else { levels - 1 })?;
            members.push((name, value));
            if !self.takes(b',') {
                break;
            }
        }
        self.take(b'}')?;
        Ok(Json::Object(members))
    }

    /// Checks the grammar of a value without reading it, however deeply it is nested.
    fn skip(&mut self) -> Result<&'a str, Fault> {
        let start = self.at;
        // The brackets that must still be closed.
        let mut open = Vec::new();
        loop {
            match self.sign() {
                Some(bracket @ (b'{' | b'[')) => {
                    self.at += 1;
                    // In ASCII a closing bracket stands two behind the opening one.
                    let close = bracket + 2;
                    if !self.takes(close) {
                        open.push(close);
                        self.skip_name(close)?;
                        continue;
                    }
                }
                Some(b'"') => _ = self.skip_string()?,
                Some(b'n') => self.skip_word("null")?,
                Some(b't') => self.skip_word("true")?,
                Some(b'f') => self.skip_word("false")?,
                _ => _ = self.skip_number()?,
            }
            loop {
                let Some(close) = open.last().copied() else {
                    return Ok(self.since(start));
                };
                if self.takes(b',') {
                    self.skip_name(close)?;
                    break;
                }
                self.take(close)?;
                open.pop();
            }
        }
    }

    /// Skips a member's name, in what this bracket closes.
    fn skip_name(&mut self, close: u8) -> Result<(), Fault> {
        if close != b'}' {
            return Ok(());
        }
        self.sign();
        self.skip_string()?;
        self.sign();
        self.take(b':')
    }

    fn word(&mut self, word: &str, value: Json<'a>) -> Result<Json<'a>, Fault> {
        self.skip_word(word).map(|()| value)
    }

    fn skip_word(&mut self, word: &str) -> Result<(), Fault> {
        word.bytes().try_for_each(|byte| self.take(byte))
    }

    /// Reads a text without copying it where it holds no escapes.
    fn string(&mut self) -> Result<Cow<'a, str>, Fault> {
        let start = self.at + 1;
        let escaped = self.skip_string()?;
        let text = self.text.get(start..self.at - 1).unwrap_or_default();
        if !escaped {
            return Ok(Cow::Borrowed(text));
        }
        unescape(text).map(Cow::Owned).ok_or_else(|| self.fault())
    }

    /// Whether there were escapes in it.
    #[inline(always)]
    fn skip_string(&mut self) -> Result<bool, Fault> {
        self.take(b'"')?;
        let mut escaped = false;
        loop {
            let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
            self.at += plain_length(rest);
            if self.peek() == Some(b'"') {
                self.at += 1;
                return Ok(escaped);
            }
            // What is neither is a control character or the end.
            self.take(b'\\')?;
            self.skip_escape()?;
            escaped = true;
        }
    }

    /// What stands behind a backslash.
    fn skip_escape(&mut self) -> Result<(), Fault> {
        let digits = match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => 0,
            Some(b'u') => 4,
            _ => return Err(self.fault()),
        };
        self.at += 1;
        for _ in 0..digits {
            if !self.peek().is_some_and(|digit| digit.is_ascii_hexdigit()) {
                return Err(self.fault());
            }
            self.at += 1;
        }
        Ok(())
    }

    fn number(&mut self) -> Result<Json<'a>, Fault> {
        let start = self.at;
        let is_whole = self.skip_number()?;
        let text = self.since(start);
        if is_whole {
            let integer = match text.starts_with('-') {
                true => text.parse().ok().map(Json::Signed),
                false => text.parse().ok().map(Json::Unsigned),
            };
            if let Some(integer) = integer {
                return Ok(integer);
            }
        }
        fraction(text).ok_or_else(|| self.fault())
    }

    /// Whether it has neither a fraction nor an exponent.
    fn skip_number(&mut self) -> Result<bool, Fault> {
        self.at += usize::from(self.peek() == Some(b'-'));
        let start = self.at;
        self.skip_digits()?;
        if self.at > start + 1 && self.text.as_bytes().get(start) == Some(&b'0') {
            self.at = start + 1;
            return Err(self.fault());
        }
        let end = self.at;
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.skip_digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            self.skip_digits()?;
        }
        Ok(self.at == end)
    }

    /// At least one digit.
    #[inline(always)]
    fn skip_digits(&mut self) -> Result<(), Fault> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == start { Err(self.fault()) } else { Ok(()) }
    }
}

/// How many bytes stand before the first quote, backslash or control character. Most of a delivery is
/// text, so eight bytes are looked at together.
#[inline(always)]
fn plain_length(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::MAX / 0xff;
    const HIGHS: u64 = ONES * 0x80;
    // Sets the high bit of every byte below `least`, up to and including the first such byte; what it
    // says of later ones may be wrong.
    let below = |word: u64, least: u64| word.wrapping_sub(ONES * least) & !word & HIGHS;
    let (words, rest) = bytes.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let quote = below(word ^ (ONES * u64::from(b'"')), 1);
        let backslash = below(word ^ (ONES * u64::from(b'\\')), 1);
        let found = quote | backslash | below(word, 0x20);
        if found != 0 {
            return at * 8 + (found.trailing_zeros() / 8) as usize;
        }
    }
    let plain = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f));
    words.len() * 8 + plain.unwrap_or(rest.len())
}

/// The most digits before the point that a float can have.
const FLOAT_DIGITS: i32 = 309;
/// From here on not every whole number is exact in a float.
const FIRST_INEXACT: u64 = 1 << 53;

/// A number that is no 64-bit integer. `None` where not even a float can hold it.
fn fraction(text: &str) -> Option<Json<'static>> {
    let (mut digits_before, mut exponent, mut sign) = (0_i32, 0_i32, 1_i32);
    let (mut in_fraction, mut in_exponent) = (false, false);
    let mut digits = Vec::new();
    for byte in text.bytes() {
        match byte {
            b'.' => in_fraction = true,
            b'e' | b'E' => in_exponent = true,
            b'-' if in_exponent => sign = -1,
            b'0'..=b'9' if in_exponent => {
                exponent = exponent.saturating_mul(10).saturating_add(i32::from(byte - b'0'));
            }
            // Zeros in front only move the point.
            b'0' if digits.is_empty() => digits_before -= i32::from(in_fraction),
            b'0'..=b'9' => {
                digits_before += i32::from(!in_fraction);
                digits.push(byte - b'0');
            }
            _ => {}
        }
    }
    let length = if digits.is_empty() { 0 } else { digits_before.saturating_add(exponent.saturating_mul(sign)) };
    if length > FLOAT_DIGITS {
        return None;
    }
    let mut whole = 0_u64;
    for place in 0..usize::try_from(length).unwrap_or(0) {
        let digit = digits.get(place).copied().unwrap_or(0);
        whole = whole.saturating_mul(10).saturating_add(u64::from(digit));
    }
    let is_exact = whole < FIRST_INEXACT && !text.starts_with('-');
    Some(Json::Fraction(is_exact.then_some(whole)))
}

/// The text of a JSON string whose escapes are well-formed. `None` where half of a surrogate pair
/// stands alone.
fn unescape(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|byte| byte == b'\\') {
        let (plain, escape) = rest.split_at_checked(at)?;
        out.push_str(plain);
        let (letter, used) = match escape.as_bytes().get(1)? {
            b'b' => ('\u{8}', 2),
            b'f' => ('\u{c}', 2),
            b'n' => ('\n', 2),
            b'r' => ('\r', 2),
            b't' => ('\t', 2),
            b'u' => match (unit(escape, 0)?, unit(escape, 6)) {
                (high @ 0xd800..=0xdbff, Some(low @ 0xdc00..=0xdfff)) => {
                    (char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00))?, 12)
                }
                (code, _) => (char::from_u32(code)?, 6),
            },
            other => (char::from(*other), 2),
        };
        out.push(letter);
        rest = escape.get(used..)?;
    }
    out.push_str(rest);
    Some(out)
}

/// The code unit of an escape at a place in a text.
fn unit(text: &str, at: usize) -> Option<u32> {
    let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
    digits.chars().try_fold(0, |unit, digit| Some(unit << 4 | digit.to_digit(16)?))
}

/// Rewrites what a value that is JSON can be wrong about by itself: half surrogate pairs as U+FFFD,
/// numbers out of range as `null`. True when text was replaced.
pub fn repair(text: &str) -> (String, bool) {
    let mut out = String::with_capacity(text.len());
    let mut replaced = false;
    let mut reader = Reader { text, at: 0 };
    let mut in_string = false;
    while let Some(byte) = reader.peek() {
        let start = reader.at;
        let rest = text.get(start..).unwrap_or_default();
        reader.at += 1;
        let piece = match byte {
            b'"' => {
                in_string = !in_string;
                "\""
            }
            b'\\' => match (unit(rest, 0), unit(rest, 6)) {
                (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => {
                    reader.at += 11;
                    reader.since(start)
                }
                (Some(0xd800..=0xdfff), _) => {
                    reader.at += 5;
                    replaced = true;
                    "\\ufffd"
                }
                _ => {
                    reader.at += 1;
                    reader.since(start)
                }
            },
            b'-' | b'0'..=b'9' if !in_string => {
                reader.at = start;
                match reader.number() {
                    Ok(_) => reader.since(start),
                    Err(_) => "null",
                }
            }
            _ => {
                while !text.is_char_boundary(reader.at) {
                    reader.at += 1;
                }
                reader.since(start)
            }
        };
        out.push_str(piece);
    }
    (out, replaced)
}

#[cfg(test)]
#[allow(clippy::expect_used, reason = "a test ends where its input is wrong")]
mod tests;
