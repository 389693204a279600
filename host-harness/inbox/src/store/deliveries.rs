//! Owns: the translation queue, and applying translated deliveries.
//! Does not own: accepting them (`journal`), counting them (`counts`).

use async_trait::async_trait;

use crate::{
    error::InboxError,
    model::{Applied, BatchOutcome, DeliveryId, ParkingBounds, PendingDelivery, TranslatedDelivery},
};

/// Deliveries between the journal and the conversations.
#[async_trait]
pub trait Deliveries: Send + Sync {
    /// The channels with deliveries waiting to be translated.
    async fn waiting_channels(&self) -> Result<Vec<String>, InboxError>;

    /// The oldest deliveries of a channel waiting to be translated: at most `limit`, with at most `bytes` of bodies,
    /// but at least one.
    async fn pending(&self, channel: &str, limit: usize, bytes: usize) -> Result<Vec<PendingDelivery>, InboxError>;

    /// The waiting delivery of a channel with the fewest translation attempts.
    async fn least_tried(&self, channel: &str) -> Result<Option<PendingDelivery>, InboxError>;

    /// Applies translated deliveries in order, in one transaction: all of them, or the first ones if somebody waits for
    /// another write. The others come back in [`Applied::left`]. Deliveries waiting for unconnected accounts are kept within
    /// `bounds`.
    async fn apply(&self, batch: Vec<TranslatedDelivery>, bounds: ParkingBounds) -> Result<Applied, InboxError>;

    /// Requeues deliveries of a channel: those that waited for the channel, and those that a component with a digest
    /// other than `digest` failed to translate. Deliveries waiting for an account are left.
    async fn requeue(&self, channel: &str, digest: &str) -> Result<usize, InboxError>;

    /// Records the outcome of the deliveries of a batch that were not translated. All of them stay in the journal.
    async fn settle_batch(&self, outcome: BatchOutcome, now: u64) -> Result<(), InboxError>;

    /// A delivery as it was recorded, whatever became of it since.
    async fn recorded(&self, delivery: DeliveryId) -> Result<PendingDelivery, InboxError>;

    /// Records the version of a component, so that the deliveries that it translates show it.
    async fn note_component(&self, channel: &str, digest: &str, version: &str) -> Result<(), InboxError>;

    /// Requeues deliveries that could not be translated, of one channel or of all.
    async fn retry_failed(&self, channel: Option<String>) -> Result<usize, InboxError>;
}
