//! Owns: errors shared by several rooms, with their wording for operators and for people.
//! Does not own: errors of a single room, which are defined there, and the facade's error (`host`).

mod connect;
mod refusal;
mod waits;
mod words;
mod work;

pub(crate) use self::words::{OURS, TOO_MUCH, for_people, not_sendable, sentence};
pub use self::{
    connect::ConnectError,
    refusal::Refusal,
    waits::{Busy, Full, Paused, PlatformHold},
    work::{Disconnected, Interrupted, Overtaken},
};
