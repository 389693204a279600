//! The SQLite store keeps the promises of a store. `cargo test -p harness-inbox --features conformance`
//! Not here: the promises, which every store keeps.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test fails by panicking")]

use std::sync::Arc;

use async_trait::async_trait;
use harness_inbox::{Inbox, conformance::Place, store::Store, store_conformance};
use tempfile::TempDir;

struct File(TempDir);

#[async_trait]
impl Place for File {
    async fn open(&self) -> Arc<dyn Store> {
        Inbox::open(&self.0.path().join("inbox.sqlite")).unwrap().store()
    }
}

store_conformance!(File(tempfile::tempdir().unwrap()));
