//! Owns: reading the change feed, in SQLite.
//! Does not own: writing it (`rows::changes`), waking its readers (`writer`).

use async_trait::async_trait;
use tokio::sync::{broadcast, watch};

use crate::{
    error::InboxError,
    model::{Changes, Update, WorkspaceId},
    sqlite::{rows::changes, store::SqliteStore},
    store::Feed,
};

#[async_trait]
impl Feed for SqliteStore {
    fn updates(&self) -> broadcast::Receiver<Update> {
        self.updates.subscribe()
    }

    async fn changes_after(
        &self,
        after: u64,
        workspace: Option<WorkspaceId>,
        limit: usize,
    ) -> Result<Changes, InboxError> {
        self.readers.read(move |connection| changes::after(connection, after, workspace, limit)).await
    }

    fn newest_change(&self) -> watch::Receiver<u64> {
        self.newest.clone()
    }
}
