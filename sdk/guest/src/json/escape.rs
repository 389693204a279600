//! Strings in JSON: escaping and unescaping.
//! Owns the content between quotes; not finding the quotes, which `reader` does.

use std::fmt::Write as _;

use super::reader::plain_length;

/// Appends a text as a JSON string, including quotes.
pub fn push_quoted(out: &mut String, text: &str) {
    out.push('"');
    let mut rest = text;
    while let Some((plain, special)) = rest.split_at_checked(plain_length(rest.as_bytes())) {
        out.push_str(plain);
        let mut letters = special.chars();
        let Some(letter) = letters.next() else {
            break;
        };
        rest = letters.as_str();
        let escape = match letter {
            '"' => "\\\"",
            '\\' => "\\\\",
            '\n' => "\\n",
            '\r' => "\\r",
            '\t' => "\\t",
            control => {
                let _ = write!(out, "\\u{:04x}", u32::from(control));
                continue;
            }
        };
        out.push_str(escape);
    }
    out.push('"');
}

/// Unescapes a JSON string with well-formed escapes. `None` if it contains half of a surrogate pair.
pub(super) fn unescape(text: &str) -> Option<String> {
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

/// The code unit of the escape at a position in a text.
pub(super) fn unit(text: &str, at: usize) -> Option<u32> {
    let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
    digits.chars().try_fold(0, |unit, digit| Some(unit << 4 | digit.to_digit(16)?))
}
