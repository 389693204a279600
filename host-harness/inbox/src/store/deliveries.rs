//! Owns: deliveries in the queue for translation, and applying what was translated.
//! Does not own: accepting them (`journal`), counting them (`counts`).

use async_trait::async_trait;

use crate::{
    error::InboxError,
    model::{Applied, BatchOutcome, ParkingBounds, PendingDelivery, TranslatedDelivery},
};

/// Deliveries on their way from the journal into conversations.
#[async_trait]
pub trait Deliveries: Send + Sync {
    /// The channels of the deliveries that wait to be translated.
    async fn waiting_channels(&self) -> Result<Vec<String>, InboxError>;

    /// The oldest deliveries of a channel that wait to be translated: at most `limit`, and no more than
    /// `bytes` of bodies, but at least one.
    async fn pending(&self, channel: &str, limit: usize, bytes: usize) -> Result<Vec<PendingDelivery>, InboxError>;

    /// The delivery of a channel of which was tried least that it can be translated.
    async fn least_tried(&self, channel: &str) -> Result<Option<PendingDelivery>, InboxError>;

    /// Applies translated deliveries, in their order, in one transaction. What waits for accounts that are not
    /// connected stays within the bounds.
    async fn apply(&self, batch: Vec<TranslatedDelivery>, bounds: ParkingBounds) -> Result<Applied, InboxError>;

    /// Puts the deliveries of a channel back into the queue: those that waited for it, and those on which a
    /// component of another digest failed. Those that wait for an account stay.
    async fn requeue(&self, channel: &str, digest: &str) -> Result<usize, InboxError>;

    /// Writes down what became of those deliveries of a batch that were not translated. All of them stay in the journal.
    async fn settle_batch(&self, outcome: BatchOutcome) -> Result<(), InboxError>;

    /// Puts deliveries that could not be translated back into the queue, of one channel or of all.
    async fn retry_failed(&self, channel: Option<String>) -> Result<usize, InboxError>;
}
