//! The scheme of event ids: the components of each, chosen so that a repeated delivery produces the same id.
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
//! Both login types send the same mids, comment ids and times, so both produce the same event ids, and so does the
//! history for messages. The history does not give the time of a reaction. If two different items of a delivery claim
//! the same id, `~{hash of the raw item}` is appended to the later one, so that neither hides the other. A policy
//! notice in `changes` has neither an id nor its own time (`y::{hash of the raw item}`): of two identical ones in a
//! delivery, the later gets `~{number of identical ones before it}`.

pub(super) use channel_sdk::id::{hash, of, time};
