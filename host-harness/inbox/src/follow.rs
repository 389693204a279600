//! Owns: following the change feed: a position, and waiting for what comes after it.
//! Does not own: where a reader stores its position, what it does about a change.

use tokio::sync::watch;

use crate::{
    InboxView,
    error::InboxError,
    model::{Changes, WorkspaceId},
};

/// A reader of the change feed at its own pace. It holds a position and no changes, so that a slow one costs no memory.
/// Holding it keeps the inbox open.
pub struct Follower {
    inbox: InboxView,
    workspace: Option<WorkspaceId>,
    newest: watch::Receiver<u64>,
    position: u64,
}

impl Follower {
    /// Follows the changes of one workspace, or of all: those after this position, or those still to come.
    pub fn new(inbox: InboxView, after: Option<u64>, workspace: Option<WorkspaceId>) -> Self {
        let newest = inbox.newest_change();
        let position = after.unwrap_or_else(|| *newest.borrow());
        Self { inbox, workspace, newest, position }
    }

    /// The position: the next changes are those after it.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// The next changes: at most `limit`, and at least one unless some were missed. Waits for them. Nothing is lost if
    /// it is cancelled.
    pub async fn next(&mut self, limit: usize) -> Result<Changes, InboxError> {
        loop {
            let known = *self.newest.borrow_and_update();
            if known != self.position {
                let found = self.inbox.changes_after(self.position, self.workspace, limit).await?;
                self.position = found.position;
                if found.missed || !found.changes.is_empty() {
                    return Ok(found);
                }
            }
            self.newest.changed().await.map_err(|_| InboxError::Closed)?;
        }
    }
}
