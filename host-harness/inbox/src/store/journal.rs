//! Owns: the journal of a store: accepting deliveries and callbacks.
//! Does not own: what becomes of them (`deliveries`).

use async_trait::async_trait;
use tokio::sync::watch;

use crate::{
    error::InboxError,
    model::{DeliveryId, NewDelivery, TakenCallback},
};

/// Deliveries as they come in: durable before they are acknowledged.
#[async_trait]
pub trait Journal: Send + Sync {
    /// Takes a delivery, and returns its id. When this returns, it survives a power cut; its row in the journal
    /// follows, and after a crash comes first of all.
    async fn record(&self, new: NewDelivery) -> Result<DeliveryId, InboxError>;

    /// Writes a callback into the journal, once: one whose `digest` was taken before changes nothing. With a code
    /// it is a request for deletion, whose state can be asked for by it.
    async fn record_callback(
        &self,
        new: NewDelivery,
        name: String,
        digest: [u8; 32],
        code: Option<String>,
    ) -> Result<TakenCallback, InboxError>;

    /// Tells whenever recorded deliveries are in the journal, where they wait to be translated.
    fn arrivals(&self) -> watch::Receiver<DeliveryId>;

    /// The id of the newest delivery. The difference of two is about how many came between.
    fn last_delivery(&self) -> DeliveryId;

    /// Returns when everything that was recorded before is in the journal.
    async fn all_arrived(&self) -> Result<(), InboxError>;
}
