//! Owns: reading what became of deliveries.
//! Does not own: their bodies, translating them (`deliveries`).

use async_trait::async_trait;

use crate::{
    error::InboxError,
    model::{Change, DeliveryFilter, DeliveryId, DeliveryView, MessageId, Page},
};

/// What became of deliveries, without what they carry.
#[async_trait]
pub trait DeliveryViews: Send + Sync {
    /// Deliveries older than this cursor that a filter lets through, newest first. A page may have fewer than `limit`
    /// although there are more: the search for rare ones goes on with the next page.
    async fn deliveries_before(
        &self,
        filter: DeliveryFilter,
        before: Option<DeliveryId>,
        limit: usize,
    ) -> Result<Page<DeliveryView, DeliveryId>, InboxError>;

    /// One delivery.
    async fn delivery(&self, delivery: DeliveryId) -> Result<DeliveryView, InboxError>;

    /// The delivery that brought a message; `None` for one that was sent from here, and for one that does not exist.
    async fn delivery_of(&self, message: MessageId) -> Result<Option<DeliveryId>, InboxError>;

    /// The oldest changes that a delivery made, as far as the feed is still kept: at most `limit`.
    async fn changes_of(&self, delivery: DeliveryId, limit: usize) -> Result<Vec<Change>, InboxError>;
}
