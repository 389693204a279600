//! Owns: the inbox in numbers, for gauges and for whoever looks after an account.
//! Does not own: what happens to what is counted.

use harness_contract::Failure;
use serde::Serialize;

use super::ids::AccountId;

/// The journal in numbers.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct DeliveryCounts {
    /// Waiting to be translated.
    pub received: u64,
    /// Translated and applied.
    pub applied: u64,
    /// Waiting for an account that is not connected.
    pub unrouted: u64,
    /// Applied, and emptied since something in them was unsent.
    pub redacted: u64,
    /// Not translatable by this version of the channel.
    pub failed: u64,
}

/// Deliveries that wait to be translated.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct QueuedDeliveries {
    /// By channel.
    pub channels: Vec<(String, u64)>,
    /// By channel and account, of those that name one.
    pub accounts: Vec<(String, String, u64)>,
}

/// What waits in the inbox, for gauges.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Waiting {
    /// Deliveries that are not applied: channel, state, how many.
    pub deliveries: Vec<(String, String, u64)>,
    /// Open replies: channel, the account's row, how many.
    pub replies: Vec<(String, AccountId, u64)>,
    /// Files of messages: state, how many.
    pub media: Vec<(String, u64)>,
}

/// Deliveries of a channel that wait for accounts, or waited in vain.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ParkedCounts {
    /// They wait for accounts that are not connected here.
    pub parked: u64,
    /// They waited too long, or with too many others, and were emptied; since the inbox was made.
    pub expired: u64,
}

/// The last traffic of an account.
#[derive(Clone, Debug, Default)]
pub struct Traffic {
    /// The newest of each kind of event, with its time.
    pub events: Vec<(String, u64)>,
    /// How the newest step of a reply ended, when, and what the platform said.
    pub last_send: Option<(String, u64, Option<Failure>)>,
    /// Replies that wait.
    pub waiting: u64,
}
