//! Owns: why a request has no response, in words for an operator. Errors quote no response and no credential.
//! Does not own: how the caller reacts.

use std::error::Error as _;

use harness_contract::egress::EgressDenied;

/// Why a request has no response.
#[derive(Debug, thiserror::Error)]
pub enum EgressError {
    /// Outside the grant.
    #[error(transparent)]
    Denied(#[from] EgressDenied),
    /// It contains a known credential in the clear.
    #[error("the request contains a credential of this host and was not sent")]
    Leak,
    /// The slot is empty or belongs to another channel.
    #[error("the credential `{0}` is not there; fill it in the configuration")]
    MissingSlot(String),
    /// The manifest does not allow the credential at this place.
    #[error("the manifest does not let the credential `{slot}` go to {place} of `{host}`")]
    SlotNotAllowed {
        /// The slot.
        slot: String,
        /// The place in the request.
        place: &'static str,
        /// The host of the request.
        host: String,
    },
    /// It is not a valid request.
    #[error("the request is malformed: {0}")]
    Invalid(String),
    /// Not sent: the channel's requests in flight use its whole share of memory.
    #[error("the channel has so much in flight that there is no memory for this now")]
    NoMemory,
    /// Not sent: no connection.
    #[error("no connection could be made: {0}")]
    Unreachable(String),
    /// Sent, with an unknown outcome.
    #[error("no answer came: {0}")]
    NoAnswer(String),
    /// The response exceeds the granted size and was not read to its end.
    #[error("the answer is longer than the {0} bytes that were granted")]
    TooLarge(u64),
    /// The response is compressed although that was not requested, so it cannot be searched for credentials.
    #[error("the answer is encoded, which was not asked for")]
    Encoded,
    /// The response lacks a value that a later step needs.
    #[error("the answer has no `{0}`")]
    CaptureFailed(String),
}

impl EgressError {
    /// A label for metrics.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Denied(_) => "denied",
            Self::Leak => "leak",
            Self::SlotNotAllowed { .. } => "slot_not_allowed",
            Self::MissingSlot(_) => "missing_slot",
            Self::Invalid(_) => "invalid",
            Self::NoMemory => "no_memory",
            Self::Unreachable(_) => "unreachable",
            Self::NoAnswer(_) => "no_answer",
            Self::TooLarge(_) => "too_large",
            Self::CaptureFailed(_) => "capture_failed",
            Self::Encoded => "encoded",
        }
    }

    /// Whether the platform may have acted on the request.
    pub fn may_have_arrived(&self) -> bool {
        matches!(self, Self::NoAnswer(_) | Self::TooLarge(_) | Self::Encoded | Self::CaptureFailed(_))
    }
}

/// The HTTP clients could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client cannot be set up: {0}")]
pub struct SetupError(String);

impl SetupError {
    /// From another error's message.
    pub fn of(error: impl std::fmt::Display) -> Self {
        Self(error.to_string())
    }
}

/// Only a connection failure proves that nothing was sent, and its message comes from this side or TLS. Later messages
/// may quote the server, so only their kind is kept. URLs are dropped: they may contain a credential.
pub fn transport_error(error: reqwest::Error) -> EgressError {
    let connecting = error.is_connect() || error.is_builder();
    if !connecting {
        let kind = if error.is_timeout() {
            "it did not come in time"
        } else if error.is_request() {
            "the connection ended before it, or what came is no HTTP"
        } else {
            "the connection broke in the middle of it"
        };
        return EgressError::NoAnswer(kind.into());
    }
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    EgressError::Unreachable(text)
}
