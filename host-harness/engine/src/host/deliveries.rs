//! Owns: the product's interface to deliveries: looking at one, translating it again.
//! Does not own: its implementation (`ingest`).

use harness_inbox::DeliveryId;

use super::{Host, HostError};
use crate::ingest::{DeliveryContent, Replay, Translation};

impl Host {
    /// What a delivery carries, without credentials, as far as it is shown.
    pub async fn delivery_content(&self, id: DeliveryId) -> Result<DeliveryContent, HostError> {
        Ok(self.rooms.ingest.content_of(id).await?)
    }

    /// The events that the running component reads from a delivery. Nothing is applied.
    pub async fn delivery_translation(&self, id: DeliveryId) -> Result<Translation, HostError> {
        Ok(self.rooms.ingest.translation_of(id).await?)
    }

    /// Translates a delivery again: by the component with this digest, or else the one that runs, and by another one at hand
    /// for comparison. With `apply`, the events of the first are applied, each at most once.
    pub async fn replay_delivery(
        &self,
        id: DeliveryId,
        digest: Option<&str>,
        apply: bool,
    ) -> Result<Replay, HostError> {
        Ok(self.rooms.ingest.replay(id, digest, apply).await?)
    }

    /// Translates all deliveries again that could not be translated, of one channel or of all. Returns their number.
    pub async fn retry_failed(&self, channel: Option<String>) -> Result<usize, HostError> {
        Ok(self.rooms.ingest.retry_failed(channel).await?)
    }
}
