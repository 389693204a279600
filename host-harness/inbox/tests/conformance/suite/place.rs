//! Where a store under test is stored.
//! Not here: the tests.

use std::sync::Arc;

use async_trait::async_trait;

use harness_inbox::store::Store;

/// The location of a store, empty at first.
#[async_trait]
pub(crate) trait Place: Send + Sync {
    /// Opens the store, as a host does at startup. The previous handle must be closed first.
    async fn open(&self) -> Arc<dyn Store>;
}
