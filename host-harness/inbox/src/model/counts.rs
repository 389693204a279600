//! Owns: counts for gauges and for the status of an account.
//! Does not own: processing what is counted.

use harness_contract::Failure;
use serde::Serialize;

use super::ids::AccountId;

/// Deliveries in the journal by state.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct DeliveryCounts {
    /// Waiting to be translated.
    pub received: u64,
    /// Translated and applied.
    pub applied: u64,
    /// Waiting for an account that is not connected.
    pub unrouted: u64,
    /// Applied, then emptied because some of their content was unsent.
    pub purged: u64,
    /// This version of the channel cannot translate them.
    pub failed: u64,
}

/// Deliveries waiting to be translated.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct QueuedDeliveries {
    /// By channel.
    pub channels: Vec<(String, u64)>,
    /// By channel and account, for deliveries that name an account.
    pub accounts: Vec<(String, String, u64)>,
}

/// Waiting work, for gauges.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Waiting {
    /// Deliveries that are not applied: channel, state, count.
    pub deliveries: Vec<(String, String, u64)>,
    /// Open replies: channel, the account's row id, count.
    pub replies: Vec<(String, AccountId, u64)>,
    /// Files of messages: state, count.
    pub media: Vec<(String, u64)>,
}

/// Deliveries of a channel for accounts that are not connected.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ParkedCounts {
    /// Still waiting.
    pub parked: u64,
    /// Emptied because they waited too long or too many were waiting; counted since the inbox was created.
    pub expired: u64,
}

/// The latest activity of an account.
#[derive(Clone, Debug, Default)]
pub struct Traffic {
    /// The newest time of each kind of event.
    pub events: Vec<(String, u64)>,
    /// How the newest step of a reply ended, when, and the platform's failure, if any.
    pub last_send: Option<(String, u64, Option<Failure>)>,
    /// The number of waiting replies.
    pub waiting: u64,
}
