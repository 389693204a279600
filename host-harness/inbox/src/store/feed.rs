//! Owns: change notifications.
//! Does not own: the changes; subscribers read them from the inbox.

use tokio::sync::broadcast;

use crate::model::Update;

/// Change notifications.
pub trait Feed: Send + Sync {
    /// Subscribes to changes. A change is announced before the method that made it returns. The store never waits for
    /// subscribers: a slow one misses notifications and has to read the inbox again.
    fn updates(&self) -> broadcast::Receiver<Update>;
}
