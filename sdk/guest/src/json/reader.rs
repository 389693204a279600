//! A single pass over a JSON text.
//! Owns the grammar (RFC 8259); not numbers beyond 64 bits, escapes and repairs, which have their own files.

use std::borrow::Cow;

use super::escape::unescape;
use super::number::fraction;
use super::{DEPTH, Fault, Json, NEVER_RAW};

/// The members for which an object has room at first.
const USUAL: usize = 4;

/// A position in a text.
pub(super) struct Reader<'a> {
    text: &'a str,
    pub(super) at: usize,
    /// The closing brackets that a value being skipped still needs.
    open: Vec<u8>,
    /// Whether values that `levels` leaves raw are parsed as well.
    both: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0, open: Vec::new(), both: false }
    }

    /// Parses values that `levels` leaves raw as well.
    pub(super) fn with_both(self) -> Self {
        Self { both: true, ..self }
    }

    /// Parses the only value of the text.
    pub(super) fn whole(mut self, levels: u8) -> Result<Json<'a>, Fault> {
        let value = self.value(DEPTH, levels)?;
        match self.sign() {
            None => Ok(value),
            Some(_) => Err(self.fault()),
        }
    }

    #[inline(always)]
    pub(super) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The next non-whitespace byte, without consuming it.
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

    /// Consumes one byte, which must be this one.
    #[inline(always)]
    fn take(&mut self, byte: u8) -> Result<(), Fault> {
        if self.peek() != Some(byte) {
            return Err(self.fault());
        }
        self.at += 1;
        Ok(())
    }

    /// Consumes this byte if it is the next one.
    #[inline(always)]
    fn takes(&mut self, byte: u8) -> bool {
        let stands = self.sign() == Some(byte);
        self.at += usize::from(stands);
        stands
    }

    /// The text from `start` to the current position. Both ends are at ASCII bytes, so no character is split.
    pub(super) fn since(&self, start: usize) -> &'a str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    /// Parses a value. `depth` is how many more levels of containers may be nested; values more than `levels` deep are
    /// left raw.
    fn value(&mut self, depth: u8, levels: u8) -> Result<Json<'a>, Fault> {
        let sign = self.sign();
        if levels == 0 {
            return self.left_raw();
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

    /// A value that is left raw, or parsed as well if that is wanted and possible.
    fn left_raw(&mut self) -> Result<Json<'a>, Fault> {
        let start = self.at;
        if self.both {
            if let Ok(value) = self.value(DEPTH, NEVER_RAW) {
                return Ok(Json::Both(Box::new(value), self.since(start)));
            }
            self.at = start;
        }
        self.skip().map(Json::Raw)
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
        if self.takes(b'}') {
            return Ok(Json::Object(Vec::new()));
        }
        let mut members = Vec::with_capacity(USUAL);
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

    /// Checks the grammar of a value without building it, however deeply it is nested.
    fn skip(&mut self) -> Result<&'a str, Fault> {
        let start = self.at;
        self.open.clear();
        loop {
            match self.sign() {
                Some(bracket @ (b'{' | b'[')) => {
                    self.at += 1;
                    // In ASCII, a closing bracket is two after its opening one.
                    let close = bracket + 2;
                    if !self.takes(close) {
                        self.open.push(close);
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
                let Some(close) = self.open.last().copied() else {
                    return Ok(self.since(start));
                };
                if self.takes(b',') {
                    self.skip_name(close)?;
                    break;
                }
                self.take(close)?;
                self.open.pop();
            }
        }
    }

    /// Skips a member's name, inside a container with this closing bracket.
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

    /// Parses a string, without copying it if it has no escapes.
    fn string(&mut self) -> Result<Cow<'a, str>, Fault> {
        let start = self.at + 1;
        let escaped = self.skip_string()?;
        let text = self.text.get(start..self.at - 1).unwrap_or_default();
        if !escaped {
            return Ok(Cow::Borrowed(text));
        }
        unescape(text).map(Cow::Owned).ok_or_else(|| self.fault())
    }

    /// Skips a string. Returns whether it has escapes.
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
            // Anything else is a control character or the end.
            self.take(b'\\')?;
            self.skip_escape()?;
            escaped = true;
        }
    }

    /// Skips the part of an escape after the backslash.
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

    pub(super) fn number(&mut self) -> Result<Json<'a>, Fault> {
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

    /// Skips a number. Returns whether it has neither fraction nor exponent.
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

    /// Skips at least one digit.
    #[inline(always)]
    fn skip_digits(&mut self) -> Result<(), Fault> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == start { Err(self.fault()) } else { Ok(()) }
    }
}

/// The number of bytes before the first quote, backslash or control character. Most of a delivery is text, so eight
/// bytes are checked at once.
#[inline(always)]
pub(super) fn plain_length(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::MAX / 0xff;
    const HIGHS: u64 = ONES * 0x80;
    // Sets the high bit of every byte below `least`, reliably up to and including the first such byte; bits of later
    // bytes may be wrong.
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
