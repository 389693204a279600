//! Owns: why a reply was not taken, or could not be tried.
//! Does not own: how a step of it ended, which is an outcome.

use harness_contract::Violation;
use harness_inbox::InboxError;

use crate::{
    channels::NoChannel,
    error::{Busy, Interrupted, Paused, not_sendable},
    media::MediaError,
};

/// Why the room did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OutboundError {
    /// The inbox.
    #[error(transparent)]
    Inbox(#[from] InboxError),
    /// The files that a message names.
    #[error(transparent)]
    Media(#[from] MediaError),
    /// The conversation's channel is not loaded.
    #[error(transparent)]
    NoChannel(#[from] NoChannel),
    /// The channel says that the message cannot be sent.
    #[error("{}", not_sendable(.0))]
    NotSendable(Vec<Violation>),
    /// The channel's circuit is open.
    #[error(transparent)]
    Paused(#[from] Paused),
    /// No sandbox is free.
    #[error(transparent)]
    Busy(#[from] Busy),
    /// It ended in the middle.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}
