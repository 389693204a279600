//! Owns: what the room of files asks of the room of accounts: how to download a file that has no address of its own.
//! Does not own: asking the channel, downloading.

use std::pin::Pin;

use harness_contract::{Media, MediaLocation};
use harness_inbox::AccountId;

use super::CallScope;

/// The request for a file, and in whose name it leaves.
pub(crate) type Located = Result<(CallScope, MediaLocation), NotLocated>;

/// Asks an account's channel how to download a file.
pub(crate) trait LocateMedia: Send + Sync {
    fn locate(&self, account: AccountId, media: Media) -> Pin<Box<dyn Future<Output = Located> + Send + '_>>;
}

/// Why there is no way to download a file. Carries a sentence.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotLocated {
    /// Asking again may help.
    #[error("{0}")]
    Passing(String),
    /// It will not.
    #[error("{0}")]
    Final(String),
}
