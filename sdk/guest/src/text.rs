//! Small text helpers.
//! Owns counting, clipping and encoding; not wording.

use std::fmt::Write as _;

/// The beginning of a text, at most `most` characters.
pub fn clip(text: &str, most: usize) -> &str {
    match text.char_indices().nth(most) {
        Some((at, _)) => text.get(..at).unwrap_or(text),
        None => text,
    }
}

/// How many characters a text has. The standard library's count is made for long texts, and a kilobyte larger.
pub fn characters(text: &str) -> usize {
    text.bytes().filter(|byte| byte & 0xc0 != 0x80).count()
}

/// Whether a text contains only whitespace.
pub fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}

/// Whether a text contains another, ignoring the case of ASCII letters.
pub fn contains_ignoring_case(text: &str, wanted: &str) -> bool {
    let wanted = wanted.as_bytes();
    wanted.is_empty() || text.as_bytes().windows(wanted.len()).any(|part| part.eq_ignore_ascii_case(wanted))
}

/// Appends a text percent-encoded for a query or form: everything except unreserved characters and commas becomes
/// `%xx`.
///
/// The crate `percent-encoding` writes upper-case digits only, but a recorded request has lower-case ones.
pub fn push_encoded(out: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b',') {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02x}");
        }
    }
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
        assert!(contains_ignoring_case("This Authorization Code has expired", "authorization code"));
        assert!(!contains_ignoring_case("", "x") && !contains_ignoring_case("ab", "abc"));
        assert_eq!(clip("\u{e9}\u{e9}\u{e9}", 2), "\u{e9}\u{e9}");
    }
}
