//! Owns: what is done from time to time.
//! Does not own: when.

use async_trait::async_trait;

use crate::error::InboxError;

/// Retention, a wrong clock, and whether the store can take more.
#[async_trait]
pub trait Maintenance: Send + Sync {
    /// Empties deliveries that came before this time and whose account is still not connected: at most so many, the
    /// oldest first. Returns how many those were.
    async fn expire_parked(&self, before: u64, limit: usize) -> Result<usize, InboxError>;

    /// Empties deliveries that were received before this time and are in the inbox in full: at most so many, the
    /// oldest first. Returns how many those were. What is not in the inbox yet stays.
    ///
    /// Their rows stay too, since messages name them: a number that is used again would name another delivery.
    async fn empty_deliveries(&self, before: u64, limit: usize) -> Result<usize, InboxError>;

    /// Whether the next delivery will find room: writes as much in one transaction, and deletes it in another.
    async fn probe(&self) -> Result<(), InboxError>;

    /// Bounds the size of the file from now on, in bytes; what is there stays. Beyond the bound writes fail as
    /// they do on a full disk.
    async fn limit_size(&self, bytes: u64) -> Result<(), InboxError>;

    /// The clock was set back by so many milliseconds: whatever waits for a time is due as much earlier.
    async fn clock_set_back(&self, by: u64) -> Result<(), InboxError>;

    /// Bounds what waits to the longest time for which it may: the clock may have been ahead in an earlier run.
    async fn bound_waits(&self, now: u64) -> Result<(), InboxError>;
}
