//! Where a store under test is kept.
//! Not here: what is tested.

use std::sync::Arc;

use async_trait::async_trait;

use harness_inbox::store::Store;

/// The place of a store, which holds nothing at first.
#[async_trait]
pub(crate) trait Place: Send + Sync {
    /// Opens the store, as a host does at its start. It was closed before, if it was opened.
    async fn open(&self) -> Arc<dyn Store>;
}
