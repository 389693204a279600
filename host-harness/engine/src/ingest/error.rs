//! Owns: why a webhook or a callback was not accepted.
//! Does not own: why a delivery could not be translated (stored with the delivery).

use harness_egress::credentials::VaultError;
use harness_inbox::InboxError;

use crate::error::{ConnectError, Full, Interrupted, Refusal};

/// Why a webhook or a callback was not accepted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IngestError {
    /// The request was rejected.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The backlog is full.
    #[error(transparent)]
    Full(#[from] Full),
    /// The inbox failed.
    #[error(transparent)]
    Inbox(#[from] InboxError),
    /// The code for a callback's answer could not be generated.
    #[error(transparent)]
    Random(#[from] VaultError),
    /// The address for a callback's answer could not be built.
    #[error(transparent)]
    NoAddress(#[from] ConnectError),
    /// The work was interrupted.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}
