//! Owns: news of changes.
//! Does not own: what changed; whoever is told reads it.

use tokio::sync::broadcast;

use crate::model::Update;

/// News of changes.
pub trait Feed: Send + Sync {
    /// Listens to changes: each is told before the method that made it returns. A slow listener misses some and reads the inbox again; the store never waits for it.
    fn updates(&self) -> broadcast::Receiver<Update>;
}
