//! Owns: why an account was not connected, asked for, or looked after.
//! Does not own: the sentences, which stand with what happened.

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

/// Why the room did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AccountsError {
    /// The inbox.
    #[error(transparent)]
    Inbox(#[from] InboxError),
    /// Credentials at rest, and random bytes for tickets.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The account's channel is not loaded.
    #[error(transparent)]
    NoChannel(#[from] NoChannel),
    /// The account's settings do not fit.
    #[error(transparent)]
    Settings(#[from] WrongSettings),
    /// Connecting does not go on.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The channel did not do what was asked.
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
    /// The platform asked to be left alone.
    #[error(transparent)]
    Held(#[from] PlatformHold),
    /// The account is disconnected.
    #[error(transparent)]
    Disconnected(#[from] Disconnected),
    /// It ended in the middle.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

impl AccountsError {
    /// What went wrong, for somebody who connects an account: what is the operator's to mend stands in the log.
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
