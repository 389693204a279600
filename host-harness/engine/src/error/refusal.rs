//! Owns: why a webhook or a callback was refused.
//! Does not own: what its sender hears, which is always the same.

/// Why a delivery was refused. For logs and counters: the answer to the sender never tells.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// No such channel is loaded.
    #[error("no such channel")]
    UnknownChannel,
    /// Larger than the channel takes.
    #[error("the body is larger than the channel takes")]
    TooLarge,
    /// Its body did not come within its time.
    #[error("the body did not come in within its time")]
    NotInTime,
    /// The header with the proof is missing or not written as the recipe says.
    #[error("the proof of origin is missing or malformed")]
    NoProof,
    /// No secret of the channel makes this proof.
    #[error("no secret of this channel matches")]
    WrongProof,
    /// The operator has not filled the slot that the recipe needs.
    #[error("the channel's secret is not configured")]
    NoSecret,
    /// The query is not that of a challenge.
    #[error("this is not a challenge")]
    NoChallenge,
    /// A callback that was issued long ago, or is not issued yet.
    #[error("the callback was issued too long ago, or not yet")]
    NotOfNow,
    /// A callback that another callback took before.
    #[error("the callback was taken before at another address")]
    TakenElsewhere,
}

impl Refusal {
    /// A word for counters.
    pub fn word(self) -> &'static str {
        match self {
            Self::UnknownChannel => "unknown_channel",
            Self::TooLarge => "too_large",
            Self::NotInTime => "not_in_time",
            Self::NoProof => "no_proof",
            Self::WrongProof => "wrong_proof",
            Self::NoSecret => "no_secret",
            Self::NoChallenge => "no_challenge",
            Self::NotOfNow => "not_of_now",
            Self::TakenElsewhere => "taken_elsewhere",
        }
    }
}
