//! Numbers as text. What belongs here is digits; `core::fmt` stays out because it costs size and time.

use alloc::string::String;

/// Writes a number in decimal behind a text.
pub fn push_decimal(out: &mut String, number: u64) {
    push_digits(out, number, 10);
}

/// A number in decimal.
pub fn decimal(number: u64) -> String {
    let mut out = String::new();
    push_decimal(&mut out, number);
    out
}

/// A signed number in decimal.
pub fn signed_decimal(number: i64) -> String {
    let mut out = String::new();
    if number < 0 {
        out.push('-');
    }
    push_decimal(&mut out, number.unsigned_abs());
    out
}

/// Writes a number in lower-case hexadecimal behind a text.
pub fn push_hex(out: &mut String, number: u64) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString as _;

    #[test]
    fn numbers_are_written_in_full() {
        for number in [0, 7, 10, 99, 1_795_000_000_123, u64::MAX] {
            assert_eq!(decimal(number), number.to_string());
        }
        for number in [0, -1, i64::MIN, i64::MAX] {
            assert_eq!(signed_decimal(number), number.to_string());
        }
    }
}
