//! Owns: why files are not taken or given out.
//! Does not own: why a file of a message was not fetched, which its row says.

use harness_egress::credentials::VaultError;
use harness_inbox::InboxError;

use crate::{error::Interrupted, store::StoreError};

/// Why the room did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    /// The inbox.
    #[error(transparent)]
    Inbox(#[from] InboxError),
    /// The bytes.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no name for a new file.
    #[error(transparent)]
    Random(#[from] VaultError),
    /// It ended in the middle.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}
