//! Owns: counts for gauges, budgets and health.
//! Does not own: processing what is counted.

use std::collections::HashMap;

use async_trait::async_trait;

use crate::{
    error::InboxError,
    model::{AccountId, DeliveryCounts, DeliveryId, ParkedCounts, QueuedDeliveries, Traffic, Waiting},
};

/// Counts of what the inbox holds.
#[async_trait]
pub trait Counts: Send + Sync {
    /// Deliveries in the journal by state.
    async fn delivery_counts(&self) -> Result<DeliveryCounts, InboxError>;

    /// Deliveries that could not be applied, each with the reason, newest first.
    async fn problems(&self, limit: usize) -> Result<Vec<(DeliveryId, String)>, InboxError>;

    /// Counts the deliveries waiting to be translated.
    async fn queued(&self) -> Result<QueuedDeliveries, InboxError>;

    /// The size of each channel's unapplied deliveries, in bytes: those that wait for any reason, and those that it
    /// could not translate.
    async fn unapplied_bytes(&self) -> Result<Vec<(String, u64)>, InboxError>;

    /// Whether a delivery that names this account is waiting to be translated, such as a page of its history.
    async fn is_queued(&self, channel: &str, account: &str) -> Result<bool, InboxError>;

    /// Deliveries waiting for accounts, and those that waited in vain, by channel.
    async fn parked_counts(&self) -> Result<HashMap<String, ParkedCounts>, InboxError>;

    /// Waiting work, for gauges.
    async fn waiting(&self) -> Result<Waiting, InboxError>;

    /// The latest activity of an account.
    async fn traffic(&self, account: AccountId) -> Result<Traffic, InboxError>;

    /// Whether a message was received by webhook, rather than being missing or read from the history.
    async fn came_live(&self, account: AccountId, platform_id: &str) -> Result<bool, InboxError>;

    /// Whether any event of the account happened since a time, by the platform's clock.
    async fn received_since(&self, account: AccountId, since: u64) -> Result<bool, InboxError>;
}
