//! Owns: why something has to wait: a channel whose circuit is open, a platform that asked for a pause, a sandbox that is in
//! use, a budget that is used up.
//! Does not own: when it is tried again.

/// A part of a channel that is left alone.
#[derive(Clone, Debug, thiserror::Error)]
#[error("`{channel}` is left alone after repeated failures and tried again later ({reason})")]
pub struct Paused {
    /// The channel's id.
    pub channel: String,
    /// What failed last.
    pub reason: String,
    /// When to ask again, in milliseconds since 1970.
    pub until: u64,
}

/// The platform asked to be left alone for a while.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the platform asked for a pause in which it is asked nothing; it lasts for another {0} s")]
pub struct PlatformHold(pub u64);

/// All sandboxes are in use.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the sandbox is busy; try again")]
pub struct Busy;

/// What is full.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Full {
    /// The channel's deliveries.
    #[error("{0} deliveries of the channel wait to be translated, which is its bound")]
    Channel(u64),
    /// The account's.
    #[error("{0} deliveries of the account wait to be translated, which is its bound")]
    Account(u64),
    /// The channel's bytes.
    #[error("{0} bytes of deliveries of the channel are not applied, which is its bound")]
    Bytes(u64),
}

impl Full {
    /// A word for counters.
    pub fn word(self) -> &'static str {
        match self {
            Self::Channel(_) => "backlog",
            Self::Account(_) => "account_backlog",
            Self::Bytes(_) => "budget",
        }
    }
}
