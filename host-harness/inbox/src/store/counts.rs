//! Owns: counts for gauges, budgets and health.
//! Does not own: what happens to what is counted.

use std::collections::HashMap;

use async_trait::async_trait;

use crate::{
    error::InboxError,
    model::{AccountId, DeliveryCounts, DeliveryId, ParkedCounts, QueuedDeliveries, Traffic, Waiting},
};

/// The inbox in numbers.
#[async_trait]
pub trait Counts: Send + Sync {
    /// The journal in numbers.
    async fn delivery_counts(&self) -> Result<DeliveryCounts, InboxError>;

    /// Deliveries that could not be applied, with the reason, newest first.
    async fn problems(&self, limit: usize) -> Result<Vec<(DeliveryId, String)>, InboxError>;

    /// Counts the deliveries that wait to be translated.
    async fn queued(&self) -> Result<QueuedDeliveries, InboxError>;

    /// How many bytes of deliveries each channel keeps here that are not applied: that wait, for whatever reason, or
    /// that it could not read.
    async fn unapplied_bytes(&self) -> Result<Vec<(String, u64)>, InboxError>;

    /// Whether a delivery that names this account waits to be translated, such as a page of its archive.
    async fn is_queued(&self, channel: &str, account: &str) -> Result<bool, InboxError>;

    /// How many deliveries wait for accounts, and how many did in vain, by channel.
    async fn parked_counts(&self) -> Result<HashMap<String, ParkedCounts>, InboxError>;

    /// What waits.
    async fn waiting(&self) -> Result<Waiting, InboxError>;

    /// The last traffic of an account.
    async fn traffic(&self, account: AccountId) -> Result<Traffic, InboxError>;

    /// Whether a message came in by webhook: neither missing, nor filled in from the archive.
    async fn came_live(&self, account: AccountId, platform_id: &str) -> Result<bool, InboxError>;

    /// Whether anything came in for an account since a time, by the platform's clock.
    async fn received_since(&self, account: AccountId, since: u64) -> Result<bool, InboxError>;
}
