//! Owns: files in both directions: the worker that fetches them, uploads, and what a file is.
//! Does not own: which files there are (the inbox), which hosts they come from (egress), where bytes lie (`store`).

mod error;
mod inline;
mod links;
pub(crate) mod sniff;
pub(crate) mod uploads;
mod worker;

use std::sync::Arc;

use crate::{
    base::Base,
    channels::Channels,
    network::{LocateMedia, Network},
    store::{MediaStore, StoreError, incoming::PIECE},
};

pub use self::error::MediaError;
pub(crate) use self::{links::FileLinks, worker::run};

/// What a file on its way takes of the memory's budget, in bytes: the piece that is read, and the one that is written.
const IN_MEMORY: u64 = 2 * PIECE as u64;

/// The room.
pub(crate) struct Media {
    pub(crate) base: Base,
    pub(crate) channels: Channels,
    pub(crate) network: Network,
    pub(crate) store: MediaStore,
    /// For files that have no address of their own.
    pub(crate) locate: Arc<dyn LocateMedia>,
    /// For platforms that fetch what is sent.
    pub(crate) links: FileLinks,
}

impl Media {
    /// Removes what of files was left when the last run ended in the middle of them.
    pub(crate) async fn remove_unfinished(&self) -> Result<(), StoreError> {
        let removed = self.store.remove_unfinished().await?;
        if removed > 0 {
            tracing::info!(count = removed, "removed files that were not whole when the last run ended");
            self.base.metrics.removed("unfinished_files", removed);
        }
        Ok(())
    }
}
