//! Owns: why a webhook or a callback was not accepted, or a delivery not translated again.
//! Does not own: why a delivery could not be translated (stored with the delivery).

use harness_egress::credentials::VaultError;
use harness_inbox::InboxError;

use crate::{
    channels::NoChannel,
    error::{ConnectError, Full, Interrupted, Refusal},
};

/// Why a delivery cannot be translated again.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// There is nothing left in it.
    #[error("this delivery is empty: what it brought was unsent, deleted, or is no longer kept")]
    Purged,
    /// The worker has not come to it.
    #[error("this delivery still waits to be translated: ask again when it is")]
    Waiting,
    /// The digest belongs to no component at hand.
    #[error("no component of the channel `{channel}` with this digest is at hand; at hand are {known}")]
    NoComponent {
        /// The channel's id.
        channel: String,
        /// The digests of the components that are, with their versions.
        known: String,
    },
}

/// Why a webhook or a callback was not accepted, or a delivery not translated again.
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
    /// The delivery's channel is not loaded.
    #[error(transparent)]
    NoChannel(#[from] NoChannel),
    /// The delivery cannot be translated again.
    #[error(transparent)]
    Inspect(#[from] InspectError),
    /// The work was interrupted.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}
