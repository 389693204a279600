//! Message ids: the timestamp encoded in Instagram's ids.
//! What belongs here is decoding an id; everywhere else ids stay opaque.
//!
//! An id is base64 with `Z`, `+`, `/` and `=` written as `ZA`, `ZB`, `ZC` and `ZD`. It decodes to
//! `ig_dm_item:1:IGMessageID:{account}:{thread}:{item}`, where the item is a 128-bit number with the microseconds since
//! 1970 in its upper half (determined from captures).

/// When a message was created, in milliseconds since 1970, if its id reveals it.
pub(super) fn time(mid: &str) -> Option<u64> {
    let text = String::from_utf8(decoded(mid)?).ok()?;
    let (_, item) = text.strip_prefix("ig_dm_item:")?.rsplit_once(':')?;
    let item: u128 = item.parse().ok()?;
    u64::try_from(item >> 64).ok().map(|micros| micros / 1000).filter(|time| *time > 0)
}

fn decoded(mid: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(mid.len());
    let (mut bits, mut count) = (0_u32, 0_u32);
    let mut letters = mid.bytes();
    while let Some(letter) = letters.next() {
        let letter = match letter {
            b'Z' => match letters.next()? {
                b'A' => b'Z',
                b'B' => b'+',
                b'C' => b'/',
                b'D' => break,
                _ => return None,
            },
            b'=' => break,
            other => other,
        };
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    Some(bytes)
}
