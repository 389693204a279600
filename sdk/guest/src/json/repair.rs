//! Repairs of valid JSON with values that cannot be represented.
//! Owns the replacement values; not when to repair, which the channel decides.

use super::escape::unit;
use super::reader::Reader;

/// Replaces values that valid JSON may contain but Rust cannot hold: unpaired surrogates by U+FFFD, numbers out of
/// range by `null`. Returns true if text was replaced.
pub fn repair(text: &str) -> (String, bool) {
    let mut out = String::with_capacity(text.len());
    let mut replaced = false;
    let mut reader = Reader::new(text);
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
