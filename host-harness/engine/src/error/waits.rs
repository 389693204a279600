//! Owns: why work has to wait: an open circuit, a pause that the platform asked for, no free sandbox, a full backlog.
//! Does not own: when it is tried again.

/// A part of a channel whose circuit is open.
#[derive(Clone, Debug, thiserror::Error)]
#[error("`{channel}` is left alone after repeated failures and tried again later ({reason})")]
pub struct Paused {
    /// The channel's id.
    pub channel: String,
    /// The last failure.
    pub reason: String,
    /// When to try again, in milliseconds since 1970.
    pub until: u64,
}

/// The platform asked for a pause; with the remaining seconds.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the platform asked for a pause in which it is asked nothing; it lasts for another {0} s")]
pub struct PlatformHold(pub u64);

/// All sandboxes are in use.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the sandbox is busy; try again")]
pub struct Busy;

/// The bound that is reached, with the current count.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Full {
    /// The channel's waiting deliveries.
    #[error("{0} deliveries of the channel wait to be translated, which is its bound")]
    Channel(u64),
    /// The account's waiting deliveries.
    #[error("{0} deliveries of the account wait to be translated, which is its bound")]
    Account(u64),
    /// The channel's unapplied bytes.
    #[error("{0} bytes of deliveries of the channel are not applied, which is its bound")]
    Bytes(u64),
}

impl Full {
    /// The label in counters.
    pub fn word(self) -> &'static str {
        match self {
            Self::Channel(_) => "backlog",
            Self::Account(_) => "account_backlog",
            Self::Bytes(_) => "budget",
        }
    }
}
