//! Owns: reading the change feed, in SQLite.
//! Does not own: writing it (`rows::changes`), waking its readers (`writer`).

use async_trait::async_trait;
use tokio::sync::watch;

use crate::{
    error::InboxError,
    model::{Changes, WorkspaceId},
    sqlite::{rows::changes, store::SqliteStore},
    store::Feed,
};

#[async_trait]
impl Feed for SqliteStore {
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
