//! Owns: where and when an event happened.
//! Does not own: what it does.

/// Where and when an event happened.
#[derive(Clone, Copy)]
pub(crate) struct EventPlace {
    pub(crate) account: i64,
    pub(crate) conversation: Option<i64>,
    pub(crate) at: i64,
    pub(crate) received_at: i64,
    pub(crate) delivery: i64,
}
