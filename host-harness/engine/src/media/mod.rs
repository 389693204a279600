//! Owns: files in both directions: the download worker, uploads, and content types.
//! Does not own: which files exist (the inbox), which hosts are allowed (egress), where bytes are stored (`store`).

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
pub(crate) use self::{
    links::{FileLinks, names_files},
    worker::run,
};

/// Memory that a file in transit takes from the budget, in bytes: one piece being read, one being written.
const IN_MEMORY: u64 = 2 * PIECE as u64;

/// The handles of this room.
pub(crate) struct Media {
    pub(crate) base: Base,
    pub(crate) channels: Channels,
    pub(crate) network: Network,
    pub(crate) store: MediaStore,
    /// For files that have no address.
    pub(crate) locate: Arc<dyn LocateMedia>,
    /// For platforms that download what is sent to them.
    pub(crate) links: FileLinks,
}

impl Media {
    /// Removes partial files left by the last run.
    pub(crate) async fn remove_unfinished(&self) -> Result<(), StoreError> {
        let removed = self.store.remove_unfinished().await?;
        if removed > 0 {
            tracing::info!(count = removed, "removed files that were not whole when the last run ended");
            self.base.metrics.removed("unfinished_files", removed);
        }
        Ok(())
    }
}
