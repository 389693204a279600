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

pub(super) use channel_sdk::id::{hash, of, time};
