//! Owns: why a request has no answer, in words for an operator. No word of an answer and no credential stands in them.
//! Does not own: what follows from it, which is the caller's.

use std::error::Error as _;

use harness_contract::egress::EgressDenied;

/// Why a request has no response.
#[derive(Debug, thiserror::Error)]
pub enum EgressError {
    /// It is outside what was granted.
    #[error(transparent)]
    Denied(#[from] EgressDenied),
    /// It contains a credential in the clear, which no channel can know.
    #[error("the request contains a credential of this host and was not sent")]
    Leak,
    /// A slot is empty, or not the channel's.
    #[error("the credential `{0}` is not there; fill it in the configuration")]
    MissingSlot(String),
    /// The manifest does not let the credential go there.
    #[error("the manifest does not let the credential `{slot}` go to {place} of `{host}`")]
    SlotNotAllowed {
        /// The slot.
        slot: String,
        /// Where the request wanted it.
        place: &'static str,
        /// Where the request was going.
        host: String,
    },
    /// It cannot be made into a request.
    #[error("the request is malformed: {0}")]
    Invalid(String),
    /// Nothing was sent: what is in flight of the channel takes all the memory that it may have.
    #[error("the channel has so much in flight that there is no memory for this now")]
    NoMemory,
    /// Nothing was sent.
    #[error("no connection could be made: {0}")]
    Unreachable(String),
    /// It was sent, and what became of it is not known.
    #[error("no answer came: {0}")]
    NoAnswer(String),
    /// The answer was longer than granted, and was not read to its end.
    #[error("the answer is longer than the {0} bytes that were granted")]
    TooLarge(u64),
    /// The answer is compressed, which nobody asked for: a credential could not be found in it.
    #[error("the answer is encoded, which was not asked for")]
    Encoded,
    /// The answer lacks a value that a later step needs.
    #[error("the answer has no `{0}`")]
    CaptureFailed(String),
}

impl EgressError {
    /// A word for counters.
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

/// The clients could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client cannot be set up: {0}")]
pub struct SetupError(String);

impl SetupError {
    /// With somebody else's words.
    pub fn of(error: impl std::fmt::Display) -> Self {
        Self(error.to_string())
    }
}

/// Only a failure to connect proves that nothing was sent. Then the words are those of this side and of TLS; afterwards
/// they could be the server's, so there is only a kind. The URL is left out: it may hold a credential.
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
