//! Small pieces of text: numbers in decimal and in hexadecimal, joined sentences, a hash.
//! What belongs here is wording without meaning; `core::fmt` stays out because it costs size and time.

use alloc::string::String;

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

#[inline(never)] // the callers are many, and `[str]::concat` and `join` are a kilobyte
fn separated(separator: &str, pieces: &[&str]) -> String {
    let mut out = String::with_capacity(pieces.iter().map(|piece| piece.len() + separator.len()).sum());
    for piece in pieces {
        if !out.is_empty() {
            out.push_str(separator);
        }
        out.push_str(piece);
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

/// Writes a number in decimal behind a text.
pub(crate) fn push_decimal(out: &mut String, number: u64) {
    push_digits(out, number, 10);
}

/// A number in decimal.
pub(crate) fn decimal(number: u64) -> String {
    let mut out = String::new();
    push_decimal(&mut out, number);
    out
}

/// A signed number in decimal.
pub(crate) fn signed_decimal(number: i64) -> String {
    let mut out = String::new();
    if number < 0 {
        out.push('-');
    }
    push_decimal(&mut out, number.unsigned_abs());
    out
}

/// Writes a number in lower-case hexadecimal behind a text.
pub(crate) fn push_hex(out: &mut String, number: u64) {
    push_digits(out, number, 16);
}

fn push_digits(out: &mut String, mut number: u64, base: u64) {
    // 20 digits hold the largest u64.
    let mut digits = [0_u8; 20];
    let mut used = 0;
    for place in digits.iter_mut().rev() {
        let digit = u8::try_from(number % base).unwrap_or(0);
        *place = if digit < 10 { b'0' + digit } else { b'a' + digit - 10 };
        used += 1;
        number /= base;
        if number == 0 {
            break;
        }
    }
    for digit in digits.iter().skip(digits.len() - used) {
        out.push(char::from(*digit));
    }
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
    fn numbers_are_written_in_full() {
        for number in [0, 7, 10, 99, 1_795_000_000_123, u64::MAX] {
            assert_eq!(decimal(number), number.to_string());
        }
        for number in [0, -1, i64::MIN, i64::MAX] {
            assert_eq!(signed_decimal(number), number.to_string());
        }
    }

    #[test]
    fn the_fingerprint_separates_its_pieces() {
        assert_ne!(fingerprint(&["ab", "c"]), fingerprint(&["a", "bc"]));
        assert_eq!(fingerprint(&[]), 0xcbf2_9ce4_8422_2325);
    }
}
