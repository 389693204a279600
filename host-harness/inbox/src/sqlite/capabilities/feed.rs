//! Owns: news of changes.
//! Does not own: who sends them: whatever made a change, after its commit.

use tokio::sync::broadcast;

use crate::{model::Update, sqlite::store::SqliteStore, store::Feed};

impl Feed for SqliteStore {
    fn updates(&self) -> broadcast::Receiver<Update> {
        self.updates.subscribe()
    }
}
