//! Owns: why a reply was not queued, or could not be tried.
//! Does not own: how a step ended, which is an outcome.

use harness_contract::Violation;
use harness_inbox::InboxError;

use crate::{
    channels::NoChannel,
    error::{Busy, Interrupted, Paused, not_sendable},
    media::MediaError,
};

/// Why the request failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OutboundError {
    /// The inbox failed.
    #[error(transparent)]
    Inbox(#[from] InboxError),
    /// The files named by the message.
    #[error(transparent)]
    Media(#[from] MediaError),
    /// The conversation's channel is not loaded.
    #[error(transparent)]
    NoChannel(#[from] NoChannel),
    /// The channel rejects the message.
    #[error("{}", not_sendable(.0))]
    NotSendable(Vec<Violation>),
    /// The channel's circuit is open.
    #[error(transparent)]
    Paused(#[from] Paused),
    /// No sandbox is free.
    #[error(transparent)]
    Busy(#[from] Busy),
    /// The work was interrupted.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}
