//! Owns: subscriptions to change notifications.
//! Does not own: sending them, which the code that made a change does after its commit.

use tokio::sync::broadcast;

use crate::{model::Update, sqlite::store::SqliteStore, store::Feed};

impl Feed for SqliteStore {
    fn updates(&self) -> broadcast::Receiver<Update> {
        self.updates.subscribe()
    }
}
