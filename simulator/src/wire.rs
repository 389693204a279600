//! JSON as Meta writes it into webhooks: ASCII only, lower-case `\uXXXX`, slashes as `\/`.
//! What belongs here: turning a value into the bytes that are signed. Signing is in `signature`.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::Formatter;

/// Serialises a value to the bytes that go on the wire.
///
/// Meta's documentation: the signature is over the escaped-unicode form with lower-case hex
/// digits. Captured payloads show `https:\/\/`. A receiver that parses and re-serialises before
/// checking the signature therefore fails on the first umlaut or URL.
pub fn to_wire(value: &impl Serialize) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, EscapedAscii);
    if let Err(error) = value.serialize(&mut serializer) {
        // Only a map with keys that are not strings could fail, and no webhook type has one.
        tracing::error!(%error, "a webhook body could not be serialised");
    }
    bytes
}

struct EscapedAscii;

impl Formatter for EscapedAscii {
    fn write_string_fragment<W>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()>
    where
        W: ?Sized + Write,
    {
        let mut units = [0_u16; 2];
        for symbol in fragment.chars() {
            match symbol {
                '/' => writer.write_all(b"\\/")?,
                ascii if ascii.is_ascii() => write!(writer, "{ascii}")?,
                other => {
                    for unit in other.encode_utf16(&mut units) {
                        write!(writer, "\\u{unit:04x}")?;
                    }
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;

    #[test]
    fn text_beyond_ascii_is_escaped_in_lower_case_and_slashes_are_escaped() {
        let bytes = to_wire(&serde_json::json!({"t": "äöå ❤️ 😀 https://x/y \"q\"\n"}));
        assert_eq!(
            String::from_utf8(bytes.clone()).unwrap(),
            r#"{"t":"\u00e4\u00f6\u00e5 \u2764\ufe0f \ud83d\ude00 https:\/\/x\/y \"q\"\n"}"#
        );
        let back: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(back.get("t"), Some(&serde_json::json!("äöå ❤️ 😀 https://x/y \"q\"\n")));
    }
}
