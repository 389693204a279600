//! Numbers that fit no 64-bit integer.
//! Owns the integer part of such a number; not the grammar, which `reader` checks.

use super::Json;

/// The most digits before the decimal point that a float can have.
const FLOAT_DIGITS: i32 = 309;
/// From here on, not every integer is exact in a float.
pub(super) const FIRST_INEXACT: u64 = 1 << 53;

/// A number that fits no 64-bit integer. `None` if not even a float can hold it.
pub(super) fn fraction(text: &str) -> Option<Json<'static>> {
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
            // Leading zeros only shift the decimal point.
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
