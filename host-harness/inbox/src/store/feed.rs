//! Owns: the change feed: everything that changed the inbox, in commit order.
//! Does not own: the changes; readers look up the state that they name.

use async_trait::async_trait;
use tokio::sync::watch;

use crate::{
    error::InboxError,
    model::{Changes, WorkspaceId},
};

/// The change feed. A reader keeps its own position, the number of the last change that it has dealt with, and loses
/// nothing when it goes away and comes back.
#[async_trait]
pub trait Feed: Send + Sync {
    /// At most `limit` changes after the position `after`, in order: of one workspace, or of all.
    async fn changes_after(
        &self,
        after: u64,
        workspace: Option<WorkspaceId>,
        limit: usize,
    ) -> Result<Changes, InboxError>;

    /// The number of the newest change, and a wake-up when there is a newer one. It carries no changes: readers ask for
    /// those after their position.
    fn newest_change(&self) -> watch::Receiver<u64>;
}
