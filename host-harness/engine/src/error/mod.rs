//! Owns: errors that more than one room has, with their words for an operator and for people.
//! Does not own: the rooms' own errors, which stand beside each room, and the facade's (`host`).

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
