//! Owns: why a webhook or a callback was refused.
//! Does not own: the answer to its sender, which is always the same.

/// Why a delivery was refused. For logs and counters: the answer to the sender never reveals it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// No such channel is loaded.
    #[error("no such channel")]
    UnknownChannel,
    /// The channel has no webhooks.
    #[error("this channel has no webhooks")]
    NoWebhook,
    /// The body is larger than the channel accepts.
    #[error("the body is larger than the channel takes")]
    TooLarge,
    /// The body did not arrive in time.
    #[error("the body did not come in within its time")]
    NotInTime,
    /// A header of the proof is missing, or not in the format that the manifest declares.
    #[error("the proof of origin is missing or malformed")]
    NoProof,
    /// No secret of the channel matches the proof.
    #[error("no secret of this channel matches")]
    WrongProof,
    /// The operator has not filled the slot that verification needs.
    #[error("the channel's secret is not configured")]
    NoSecret,
    /// The signature covers the host's address, which is not configured.
    #[error("the signature covers this host's address, which it does not know: set `public-url`")]
    NoPublicUrl,
    /// The query is not a challenge.
    #[error("this is not a challenge")]
    NoChallenge,
    /// It was issued too long ago, or in the future.
    #[error("it was issued too long ago, or not yet: somebody repeats it, or a clock is wrong")]
    NotOfNow,
    /// The callback was already accepted at another address.
    #[error("the callback was taken before at another address")]
    TakenElsewhere,
}

impl Refusal {
    /// The label in counters.
    pub fn word(self) -> &'static str {
        match self {
            Self::UnknownChannel => "unknown_channel",
            Self::NoWebhook => "no_webhook",
            Self::TooLarge => "too_large",
            Self::NotInTime => "not_in_time",
            Self::NoProof => "no_proof",
            Self::WrongProof => "wrong_proof",
            Self::NoSecret => "no_secret",
            Self::NoPublicUrl => "no_public_url",
            Self::NoChallenge => "no_challenge",
            Self::NotOfNow => "not_of_now",
            Self::TakenElsewhere => "taken_elsewhere",
        }
    }
}
