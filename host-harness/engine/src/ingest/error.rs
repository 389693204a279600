//! Owns: why a webhook or a callback was not taken.
//! Does not own: why a delivery could not be translated, which its row says.

use harness_egress::credentials::VaultError;
use harness_inbox::InboxError;

use crate::error::{ConnectError, Full, Interrupted, Refusal};

/// Why the room did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IngestError {
    /// It is not genuine, or does not fit.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Too much waits already.
    #[error(transparent)]
    Full(#[from] Full),
    /// The inbox.
    #[error(transparent)]
    Inbox(#[from] InboxError),
    /// There is no code for a callback's answer.
    #[error(transparent)]
    Random(#[from] VaultError),
    /// There is no address for a callback's answer.
    #[error(transparent)]
    NoAddress(#[from] ConnectError),
    /// It ended in the middle.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}
