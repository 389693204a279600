//! Small pieces of text: numbers in decimal and in hexadecimal, joined sentences, a hash.
//! What belongs here is wording without meaning; `core::fmt` stays out because it costs size and time.

use alloc::string::String;

pub(crate) use lenient_json::{decimal, push_decimal, push_hex};

/// Copies a text. It takes the place of the trait of `alloc`, whose code is copied into each of a
/// hundred callers.
pub(crate) trait ToText {
    fn to_text(&self) -> String;
}

impl ToText for str {
    #[inline(never)]
    fn to_text(&self) -> String {
        String::from(self)
    }
}

/// Joins pieces into one text.
pub(crate) fn join(pieces: &[&str]) -> String {
    separated("", pieces)
}

/// Joins words with commas.
pub(crate) fn list(words: &[&str]) -> String {
    separated(", ", words)
}

/// Joins pieces with something between them.
#[inline(never)] // the callers are many, and `[str]::concat` and `join` are a kilobyte
pub(crate) fn separated<T: AsRef<str>>(separator: &str, pieces: &[T]) -> String {
    let mut out = String::with_capacity(pieces.iter().map(|piece| piece.as_ref().len() + separator.len()).sum());
    for piece in pieces {
        if !out.is_empty() {
            out.push_str(separator);
        }
        out.push_str(piece.as_ref());
    }
    out
}

/// The text before the first of some ASCII signs, and the text behind that sign where there is one.
///
/// The patterns of `str` bring a general search and its panics, 10 kB of them; bytes do here.
pub(crate) fn split<'t>(text: &'t str, signs: &[u8]) -> (&'t str, Option<&'t str>) {
    let place = text.bytes().position(|byte| signs.contains(&byte));
    match place.and_then(|place| text.split_at_checked(place)) {
        Some((before, behind)) => (before, behind.get(1..)),
        None => (text, None),
    }
}

/// The text behind the last of an ASCII sign.
pub(crate) fn behind_last(text: &str, sign: u8) -> Option<&str> {
    let place = text.bytes().rposition(|byte| byte == sign)?;
    text.get(place + 1..)
}

/// Whether a text holds another one, whatever the case of its ASCII letters.
pub(crate) fn holds(text: &str, wanted: &str) -> bool {
    let (text, wanted) = (text.as_bytes(), wanted.as_bytes());
    // `windows` has a panic for what is empty.
    (0..text.len()).any(|at| text.get(at..at + wanted.len()).is_some_and(|part| part.eq_ignore_ascii_case(wanted)))
}

/// The beginning of a text, so many characters at most.
pub(crate) fn clip(text: &str, most: usize) -> &str {
    match text.char_indices().nth(most) {
        Some((at, _)) => text.get(..at).unwrap_or(text),
        None => text,
    }
}

/// Writes a text as a part of a query or of a form: all but unreserved characters as `%XX`.
pub(crate) fn push_encoded(out: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b',') {
            out.push(char::from(byte));
        } else {
            out.push('%');
            if byte < 0x10 {
                out.push('0');
            }
            push_hex(out, u64::from(byte));
        }
    }
}

/// Whether a text says nothing.
pub(crate) fn is_blank(text: &str) -> bool {
    text.chars().all(char::is_whitespace)
}

/// The number of characters, as Unicode counts them.
pub(crate) fn characters(text: &str) -> usize {
    // The first byte of each.
    text.bytes().filter(|byte| byte & 0xc0 != 0x80).count()
}

/// A whole number in decimal, with or without blanks around it.
pub(crate) fn number(text: &str) -> Option<u64> {
    text.trim_ascii().parse().ok()
}

/// FNV-1a in 64 bits over several pieces, with a separator that no UTF-8 text contains.
pub(crate) fn fingerprint(pieces: &[&str]) -> u64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut mix = |byte: u8| {
        hash ^= u64::from(byte);
        hash = hash.wrapping_mul(0x0000_0100_0000_01b3);
    };
    for piece in pieces {
        for byte in piece.bytes() {
            mix(byte);
        }
        mix(0xff);
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_written_so_that_it_reads_as_it_was() {
        let mut out = String::new();
        push_encoded(&mut out, "https://a.b/c?d=e f&g,\u{e9}\n");
        assert_eq!(out, "https%3a%2f%2fa.b%2fc%3fd%3de%20f%26g,%c3%a9%0a");
    }

    #[test]
    fn a_text_is_found_in_another_whatever_its_case() {
        assert!(holds("This Authorization Code has expired", "authorization code"));
        assert!(!holds("", "x") && !holds("ab", "abc"));
        assert_eq!(clip("\u{e9}\u{e9}\u{e9}", 2), "\u{e9}\u{e9}");
    }

    #[test]
    fn the_fingerprint_separates_its_pieces() {
        assert_ne!(fingerprint(&["ab", "c"]), fingerprint(&["a", "bc"]));
        assert_eq!(fingerprint(&[]), 0xcbf2_9ce4_8422_2325);
    }
}
