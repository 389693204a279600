//! Identifiers in the platform's real formats, and the one source of randomness behind them.
//! What belongs here: making and decoding ids. The objects are in `state`.

use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

/// A message id taken apart.
///
/// Captured payloads: a mid is base64 of `ig_dm_item:1:IGMessageID:{IG}:{THREAD}:{ITEM}` with the
/// escapes `Z→ZA`, `+→ZB`, `/→ZC`, `=→ZD`; `ITEM` is the decimal of
/// `(unix microseconds << 64) + 64 random bits`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageId {
    /// The business account's Instagram id.
    pub ig_id: String,
    /// The thread's id, the same for every message between the account and one customer.
    pub thread: String,
    /// The item number.
    pub item: u128,
}

impl MessageId {
    /// The mid as in webhooks and answers.
    pub fn encode(&self) -> String {
        escape(&STANDARD.encode(format!("ig_dm_item:1:IGMessageID:{}:{}:{}", self.ig_id, self.thread, self.item)))
    }

    /// Decodes a mid; `None` if it is not one.
    pub fn decode(mid: &str) -> Option<Self> {
        let text = String::from_utf8(STANDARD.decode(unescape(mid)?).ok()?).ok()?;
        let mut parts = text.strip_prefix("ig_dm_item:1:IGMessageID:")?.split(':');
        let id = Self {
            ig_id: parts.next()?.to_owned(),
            thread: parts.next()?.to_owned(),
            item: parts.next()?.parse().ok()?,
        };
        parts.next().is_none().then_some(id)
    }

    /// The time of the message, in microseconds since 1970.
    pub fn created_micros(&self) -> i64 {
        i64::try_from(self.item >> 64).unwrap_or(i64::MAX)
    }
}

/// The id of a conversation: base64 of `ig_dm:1:IGMessageThread:{IG}:{THREAD}`, escaped like a mid.
pub fn conversation_id(ig_id: &str, thread: &str) -> String {
    escape(&STANDARD.encode(format!("ig_dm:1:IGMessageThread:{ig_id}:{thread}")))
}

fn escape(base64: &str) -> String {
    let mut out = String::with_capacity(base64.len() + 8);
    for symbol in base64.chars() {
        match symbol {
            'Z' => out.push_str("ZA"),
            '+' => out.push_str("ZB"),
            '/' => out.push_str("ZC"),
            '=' => out.push_str("ZD"),
            other => out.push(other),
        }
    }
    out
}

fn unescape(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut symbols = text.chars();
    while let Some(symbol) = symbols.next() {
        out.push(if symbol == 'Z' {
            match symbols.next()? {
                'A' => 'Z',
                'B' => '+',
                'C' => '/',
                'D' => '=',
                _ => return None,
            }
        } else {
            symbol
        });
    }
    Some(out)
}

/// Creates ids. Seeded once (SplitMix64): a fixed seed repeats the random parts.
#[derive(Debug)]
pub(crate) struct Ids {
    state: AtomicU64,
}

impl Ids {
    pub(crate) fn seeded(seed: u64) -> Self {
        Self { state: AtomicU64::new(seed) }
    }

    pub(crate) fn next_u64(&self) -> u64 {
        const STEP: u64 = 0x9E37_79B9_7F4A_7C15;
        let mut mixed = self.state.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A new mid for a message made at `micros`.
    pub(crate) fn mid(&self, ig_id: &str, thread: &str, micros: i64) -> String {
        let item = (u128::try_from(micros).unwrap_or(0) << 64) | u128::from(self.next_u64());
        MessageId { ig_id: ig_id.to_owned(), thread: thread.to_owned(), item }.encode()
    }

    /// A thread id. The platform's are 39 digits; the first part is the same for all.
    pub(crate) fn thread(&self) -> String {
        self.digits("340282366841710300949128", 15)
    }

    /// Posts, reels, stories and comments: 17 digits that begin with `17` or `18`.
    pub(crate) fn media(&self) -> String {
        self.digits("18", 15)
    }

    /// Uploaded attachments: 16 digits.
    pub(crate) fn attachment(&self) -> String {
        self.digits("9", 15)
    }

    /// `fbtrace_id`: `A` and 22 more symbols of base64url.
    pub(crate) fn fbtrace(&self) -> String {
        let mut bytes = Vec::with_capacity(24);
        for _ in 0..3 {
            bytes.extend_from_slice(&self.next_u64().to_be_bytes());
        }
        let mut text = URL_SAFE_NO_PAD.encode(bytes);
        text.truncate(22);
        format!("A{text}")
    }

    /// An attachment address on Meta's CDN, as incoming media carry it.
    pub(crate) fn cdn_url(&self) -> String {
        format!(
            "https://lookaside.fbsbx.com/ig_messaging_cdn/?asset_id={}&signature={}",
            self.media(),
            URL_SAFE_NO_PAD.encode([self.next_u64().to_be_bytes(), self.next_u64().to_be_bytes()].concat())
        )
    }

    fn digits(&self, prefix: &str, count: u32) -> String {
        let width = usize::try_from(count).unwrap_or(0);
        format!("{prefix}{:0width$}", self.next_u64() % 10_u64.pow(count))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;

    #[test]
    fn a_mid_survives_the_round_trip_and_tells_its_time() {
        let ids = Ids::seeded(7);
        for step in 0..200_i64 {
            let micros = 1_795_000_000_456_789 + step * 1_000_003;
            let mid = ids.mid("17841400000000001", &ids.thread(), micros);
            assert!(mid.starts_with("aWdfZAG1faXRlbToxOklHTWVzc2FnZAUlEOj"), "{mid}");
            assert!(mid.chars().all(|symbol| symbol.is_ascii_alphanumeric()), "{mid}");
            let decoded = MessageId::decode(&mid).unwrap();
            assert_eq!(decoded.created_micros(), micros);
            assert_eq!(decoded.ig_id, "17841400000000001");
            assert_eq!(decoded.encode(), mid);
        }
    }

    #[test]
    fn what_is_not_a_mid_does_not_decode() {
        for text in ["", "random_mid", "aWdfZ", "ZX", &conversation_id("17841400000000001", "1")] {
            assert_eq!(MessageId::decode(text), None, "{text}");
        }
    }

    #[test]
    fn escapes_cover_all_four_symbols() {
        assert_eq!(escape("Z+/="), "ZAZBZCZD");
        assert_eq!(unescape("ZAZBZCZD").unwrap(), "Z+/=");
        assert_eq!(unescape("Zx"), None);
    }

    #[test]
    fn ids_have_the_lengths_of_the_platform() {
        let ids = Ids::seeded(1);
        let trace = ids.fbtrace();
        assert!(trace.starts_with('A') && trace.len() == 23, "{trace}");
        assert_eq!(ids.media().len(), 17);
        assert_eq!(ids.attachment().len(), 16);
        assert_eq!(ids.thread().len(), 39);
    }

    #[test]
    fn a_seed_repeats_the_random_parts() {
        assert_eq!(Ids::seeded(3).fbtrace(), Ids::seeded(3).fbtrace());
        assert_ne!(Ids::seeded(3).fbtrace(), Ids::seeded(4).fbtrace());
    }
}
