//! Owns: why files are not accepted or served.
//! Does not own: why a file of a message was not downloaded, which is in its row.

use harness_egress::credentials::VaultError;
use harness_inbox::InboxError;

use crate::{error::Interrupted, store::StoreError};

/// Why the request failed.
#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    /// The inbox failed.
    #[error(transparent)]
    Inbox(#[from] InboxError),
    /// The media store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The operating system returned no random bytes for a new file's name.
    #[error(transparent)]
    Random(#[from] VaultError),
    /// The work was interrupted.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}
