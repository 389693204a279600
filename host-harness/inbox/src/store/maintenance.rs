//! Owns: periodic maintenance.
//! Does not own: its schedule.

use async_trait::async_trait;

use crate::{
    error::InboxError,
    model::{Kept, KeptDays},
};

/// Retention, clock corrections, and whether the store can accept more.
#[async_trait]
pub trait Maintenance: Send + Sync {
    /// Empties deliveries received before this time whose account is still not connected: at most `limit`, oldest
    /// first. Returns how many were emptied.
    async fn expire_parked(&self, before: u64, limit: usize) -> Result<usize, InboxError>;

    /// Empties fully applied deliveries that were received before this time: at most `limit`, oldest first. Returns how
    /// many were emptied. Deliveries that are not applied yet are left.
    ///
    /// Their rows stay, because messages refer to them and a reused id would point to another delivery.
    async fn empty_deliveries(&self, before: u64, limit: usize) -> Result<usize, InboxError>;

    /// Removes changes from the feed that were written before this time: at most `limit`, oldest first. Returns how many
    /// of them were removed.
    async fn expire_changes(&self, before: u64, limit: usize) -> Result<usize, InboxError>;

    /// The periods that somebody has set.
    async fn kept_days(&self) -> Result<KeptDays, InboxError>;

    /// Sets periods, in days; 0 is for ever, `None` leaves it to the configuration. Those that are not named stay.
    async fn keep(&self, periods: Vec<(Kept, Option<u32>)>) -> Result<(), InboxError>;

    /// Checks that there is space for another delivery: writes as much in one transaction, and deletes it in another.
    async fn probe(&self) -> Result<(), InboxError>;

    /// Limits the size of the file, in bytes. Existing content stays. Beyond the limit, writes fail as on a full disk.
    async fn limit_size(&self, bytes: u64) -> Result<(), InboxError>;

    /// After the clock was set back by this many milliseconds, moves all due times back by as much.
    async fn clock_set_back(&self, by: u64) -> Result<(), InboxError>;

    /// Caps all waits at their longest allowed time, in case the clock was ahead in an earlier run.
    async fn bound_waits(&self, now: u64) -> Result<(), InboxError>;
}
