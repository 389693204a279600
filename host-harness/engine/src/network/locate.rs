//! Owns: the interface through which `media` asks `accounts` how to download a file that has no address.
//! Does not own: calling the channel, downloading.

use std::pin::Pin;

use harness_contract::{Media, MediaLocation};
use harness_inbox::AccountId;

use super::CallScope;

/// The download request, and the account in whose name it is sent.
pub(crate) type Located = Result<(CallScope, MediaLocation), NotLocated>;

/// Asks an account's channel how to download a file.
pub(crate) trait LocateMedia: Send + Sync {
    fn locate(&self, account: AccountId, media: Media) -> Pin<Box<dyn Future<Output = Located> + Send + '_>>;
}

/// Why a file cannot be located, as a sentence.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotLocated {
    /// A retry may help.
    #[error("{0}")]
    Passing(String),
    /// A retry will not help.
    #[error("{0}")]
    Final(String),
}
