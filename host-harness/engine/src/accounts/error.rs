//! Owns: why connecting an account, or a call for it, failed.
//! Does not own: the sentences of the sources.

use harness_contract::AccountError;
use harness_egress::credentials::VaultError;
use harness_inbox::InboxError;
use harness_sandbox::CallError;

use crate::{
    channels::{CallProblem, NoChannel, WrongSettings},
    error::{
        Busy, ConnectError, Disconnected, Interrupted, OURS, Paused, PlatformHold, TOO_MUCH, for_people, sentence,
    },
};

/// Why the request failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AccountsError {
    /// The inbox failed.
    #[error(transparent)]
    Inbox(#[from] InboxError),
    /// Sealing credentials or generating random bytes failed.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The account's channel is not loaded.
    #[error(transparent)]
    NoChannel(#[from] NoChannel),
    /// The account's settings are invalid.
    #[error(transparent)]
    Settings(#[from] WrongSettings),
    /// Connecting cannot continue.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The channel returned an error.
    #[error("{}", sentence(.0))]
    Account(Box<AccountError>),
    /// The component failed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The channel's circuit is open.
    #[error(transparent)]
    Paused(#[from] Paused),
    /// No sandbox is free.
    #[error(transparent)]
    Busy(#[from] Busy),
    /// The platform asked for a pause.
    #[error(transparent)]
    Held(#[from] PlatformHold),
    /// The account is disconnected.
    #[error(transparent)]
    Disconnected(#[from] Disconnected),
    /// The work was interrupted.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

impl AccountsError {
    /// The sentence for a person who connects an account. Problems that only the operator can fix are in the log.
    pub(crate) fn for_people(&self) -> String {
        match self {
            Self::Connect(error) => error.to_string(),
            Self::Account(problem) => for_people(problem),
            Self::Busy(_) | Self::Paused(_) | Self::Held(_) => TOO_MUCH.to_owned(),
            _ => OURS.to_owned(),
        }
    }
}

impl From<CallProblem> for AccountsError {
    fn from(problem: CallProblem) -> Self {
        match problem {
            CallProblem::Open(paused) => paused.into(),
            CallProblem::Failed(error) => error.into(),
            CallProblem::Panicked => Busy.into(),
        }
    }
}
