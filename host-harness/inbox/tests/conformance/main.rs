//! Checks that the SQLite store keeps the promises of a store.
//! Not here: the promises, which apply to every store (`suite`).

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod suite;
mod watched;

use std::sync::Arc;

use async_trait::async_trait;
use harness_inbox::{Inbox, store::Store};
use suite::{Place, store_conformance};
use tempfile::TempDir;

struct File(TempDir);

#[async_trait]
impl Place for File {
    async fn open(&self) -> Arc<dyn Store> {
        Inbox::open(&self.0.path().join("inbox.sqlite")).unwrap().store()
    }
}

store_conformance!(File(tempfile::tempdir().unwrap()));

/// The same promises in a file that commits no change of what people see without its row in the change feed.
mod nothing_changes_unnoted {
    use super::*;
    use watched::Watched;

    store_conformance!(Watched(tempfile::tempdir().unwrap()));
}
