//! The scheme of event ids: what each is made of, so that a repeated delivery gives the same one.
//! What belongs here is every prefix and nothing else; the README prints this table.
//!
//! | event | id |
//! |---|---|
//! | message of a customer | `m:{mid}` |
//! | echo of a business message | `e:{mid}` |
//! | unsent message | `d:{mid}` |
//! | postback | `p:{mid}`, without a mid `p:{sender}:{time}:{hash of title and payload}` |
//! | edit | `v:{mid}:{revision}:{time}` |
//! | reaction | `r:{mid}:{sender}:{time}:{action}:{emoji}` |
//! | seen | `s:{mid}:{time}` |
//! | referral | `f:{sender}:{time}:{hash of its text}` |
//! | opt-in | `o:{sender}:{time}:{kind}` |
//! | handover | `h:{contact}:{time}:{action}` |
//! | policy notice | `y:{time}:{hash of its text}` |
//! | comment | `c:{comment id}` |
//! | mention | `n:{media id}:{comment id}` |
//! | app removed, or our own unsubscribing | `a:{person or page}:{time}` |
//! | demand of deletion | `x:{person}:{time}` |
//! | anything without the ids above | `u:{hash of the account and the raw item}` |
//!
//! Both login types send the same mids, comment ids and times, so both give the same event ids, and so
//! does the archive for messages. Of a reaction the archive does not know the time.
//! Two different items of one delivery that claim the same id get `~{hash of the raw item}` behind
//! the later one, so that neither hides the other. A policy notice of `changes` has neither an id nor a time of its
//! own (`y::{hash of the raw item}`): of two alike in one delivery the later gets `~{how many stand before it}`.

use alloc::string::String;

use crate::words::{decimal, fingerprint, push_hex};

/// Joins a prefix and its parts with colons.
pub(super) fn of(prefix: &str, parts: &[&str]) -> String {
    let length = parts.iter().map(|part| part.len() + 1).sum::<usize>();
    let mut id = String::with_capacity(prefix.len() + length);
    id.push_str(prefix);
    for part in parts {
        id.push(':');
        id.push_str(part);
    }
    id
}

/// Whether an id is made of an item's words alone, so that the same words need not be the same event.
pub(super) fn is_of_words_alone(id: &str) -> bool {
    id.starts_with("y::")
}

/// A time as a part of an id; empty where the platform gave none.
pub(super) fn time(at: Option<u64>) -> String {
    at.map(decimal).unwrap_or_default()
}

/// A hash as a part of an id.
pub(super) fn hash(pieces: &[&str]) -> String {
    let mut text = String::with_capacity(16);
    push_hex(&mut text, fingerprint(pieces));
    text
}

/// The id of something that has none of its own.
pub(super) fn of_raw(account: &str, raw: &str) -> String {
    of("u", &[&hash(&[account, raw])])
}
