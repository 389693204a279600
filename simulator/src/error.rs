//! The one error type of the library: what can go wrong in the simulator itself.
//! Refusals that the simulated platform gives to its clients are `graph::error`, not this.

use thiserror::Error;

/// Why the simulator could not do what its user asked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SimulatorError {
    /// The listener could not be opened.
    #[error("cannot listen on 127.0.0.1:{port}")]
    Listen {
        /// The port that was asked for (0: any free one).
        port: u16,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
    /// The configuration cannot be played.
    #[error("the configuration is not usable: {0}")]
    Config(String),
    /// The operating system gave no randomness.
    #[error("no randomness from the operating system")]
    Randomness(#[source] getrandom::Error),
    /// No account with this Instagram id is configured.
    #[error("no business account {0} is configured")]
    UnknownAccount(String),
    /// A webhook was to be checked but no target is set.
    #[error("no webhook URL is set; call set_webhook_url first")]
    NoWebhookUrl,
    /// The receiver of webhooks could not be reached.
    #[error("the webhook receiver did not answer: {0}")]
    Unreachable(String),
    /// The receiver did not echo the challenge with status 200.
    #[error(
        "the receiver answered the challenge with {status}, body {body:?}; Meta wants 200 and the raw challenge {challenge:?}"
    )]
    ChallengeRefused {
        /// The status of the answer.
        status: u16,
        /// The first part of the answer's body.
        body: String,
        /// What should have come back.
        challenge: String,
    },
    /// A callback was to be sent but its URL is not set.
    #[error("no {0} is set")]
    NoCallbackUrl(&'static str),
    /// Something awaited did not happen in time.
    #[error("waited {waited_ms} ms for {wanted} {what}, saw {seen}")]
    Timeout {
        /// What was counted.
        what: &'static str,
        /// How many were wanted.
        wanted: usize,
        /// How many there were at the end.
        seen: usize,
        /// How long the wait lasted.
        waited_ms: u128,
    },
}
