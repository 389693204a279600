//! Owns: the journal of a store: accepting deliveries and callbacks.
//! Does not own: processing them (`deliveries`).

use async_trait::async_trait;
use tokio::sync::watch;

use crate::{
    error::InboxError,
    model::{DeliveryId, NewDelivery, TakenCallback},
};

/// Incoming deliveries: durable before they are acknowledged.
#[async_trait]
pub trait Journal: Send + Sync {
    /// Accepts a delivery and returns its id. Once this returns, the delivery survives a power failure. Its journal row
    /// follows; after a crash, missing rows are inserted before anything else.
    async fn record(&self, new: NewDelivery) -> Result<DeliveryId, InboxError>;

    /// Writes a callback to the journal, once: one whose `digest` is already known changes nothing. A callback with a
    /// code is a deletion request, whose progress can be looked up by the code.
    async fn record_callback(
        &self,
        new: NewDelivery,
        name: String,
        digest: [u8; 32],
        code: Option<String>,
    ) -> Result<TakenCallback, InboxError>;

    /// Notifies when recorded deliveries reach the journal, where they wait for translation.
    fn arrivals(&self) -> watch::Receiver<DeliveryId>;

    /// The id of the newest delivery. The difference between two is roughly the number of deliveries received in
    /// between.
    fn last_delivery(&self) -> DeliveryId;

    /// Returns once everything recorded before the call is in the journal.
    async fn all_arrived(&self) -> Result<(), InboxError>;
}
