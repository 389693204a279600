//! The library's error type: failures of the simulator itself.
//! Refusals of the simulated platform are `graph::error`.

use thiserror::Error;

/// Why the simulator failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SimulatorError {
    /// The listener could not be opened.
    #[error("cannot listen on 127.0.0.1:{port}")]
    Listen {
        /// The requested port (0: any free one).
        port: u16,
        /// The operating system's error.
        #[source]
        source: std::io::Error,
    },
    /// The configuration is invalid.
    #[error("the configuration is not usable: {0}")]
    Config(String),
    /// The operating system returned no random bytes.
    #[error("no randomness from the operating system")]
    Randomness(#[source] getrandom::Error),
    /// No account with this Instagram id is configured.
    #[error("no business account {0} is configured")]
    UnknownAccount(String),
    /// The webhook cannot be checked without a target.
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
        /// The expected answer.
        challenge: String,
    },
    /// The callback has no URL.
    #[error("no {0} is set")]
    NoCallbackUrl(&'static str),
    /// The condition was not met in time.
    #[error("waited {waited_ms} ms for {wanted} {what}, saw {seen}")]
    Timeout {
        /// What was counted.
        what: &'static str,
        /// The awaited count.
        wanted: usize,
        /// The last count.
        seen: usize,
        /// The timeout.
        waited_ms: u128,
    },
}
