//! Owns: the one error type of the host's functions, and the conversions from the rooms' errors.
//! Does not own: the sentences, which are defined with each error.

use harness_contract::{AccountError, Violation};
use harness_egress::{SetupError, credentials::VaultError};
use harness_inbox::InboxError;
use harness_sandbox::{CallError, LoadError};

use crate::{
    accounts::AccountsError,
    channels::{AnotherChannel, ChannelsError, NoChannel, UnknownSlot, WrongSettings},
    error::{
        Busy, ConnectError, Disconnected, Full, Interrupted, OURS, Overtaken, Paused, PlatformHold, Refusal, TOO_MUCH,
        for_people, not_sendable, sentence,
    },
    ingest::{IngestError, InspectError},
    media::MediaError,
    network::{CredentialsError, TooManyCredentials},
    organisation::{UnknownVariable, WrongField},
    outbound::OutboundError,
    store::StoreError,
    webhooks::WebhookError,
};

/// Why the host did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The component was rejected.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The component failed in a call.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The inbox failed.
    #[error(transparent)]
    Inbox(#[from] InboxError),
    /// The HTTP client could not be set up.
    #[error(transparent)]
    Egress(#[from] SetupError),
    /// The media store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Credentials could not be sealed or opened, or there were no random bytes.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// An account cannot be connected.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The settings of a channel or of an account are wrong.
    #[error(transparent)]
    Settings(#[from] WrongSettings),
    /// The file of the recording failed.
    #[error("calls cannot be recorded: {0}")]
    Record(#[source] std::io::Error),
    /// The component belongs to another channel.
    #[error(transparent)]
    AnotherChannel(#[from] AnotherChannel),
    /// The backlog is full.
    #[error("{0}; try again later")]
    Full(#[from] Full),
    /// The channel's `account` interface failed.
    #[error("{}", sentence(.0))]
    Account(Box<AccountError>),
    /// The channel's circuit is open.
    #[error(transparent)]
    Paused(#[from] Paused),
    /// A channel captured more credentials for one account than it may store.
    #[error(transparent)]
    TooManyCredentials(#[from] TooManyCredentials),
    /// The account is disconnected, so the platform is not asked.
    #[error(transparent)]
    Disconnected(#[from] Disconnected),
    /// The account was connected or disconnected meanwhile, so the result was discarded.
    #[error(transparent)]
    Overtaken(#[from] Overtaken),
    /// The work ended in a panic, or the host is stopping.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
    /// The channel rejects the message. Nothing was queued.
    #[error("{}", not_sendable(.0))]
    NotSendable(Vec<Violation>),
    /// The platform asked for a pause.
    #[error(transparent)]
    Held(#[from] PlatformHold),
    /// All sandboxes are in use.
    #[error(transparent)]
    Busy(#[from] Busy),
    /// The delivery failed verification, or does not fit.
    #[error("the delivery was refused: {0}")]
    Refused(#[from] Refusal),
    /// No channel with this id is loaded.
    #[error(transparent)]
    NoChannel(#[from] NoChannel),
    /// A field of a note, a collection, a label or a canned answer does not hold what it may.
    #[error(transparent)]
    WrongField(#[from] WrongField),
    /// An address that is to be told of changes is not taken.
    #[error(transparent)]
    Webhook(WebhookError),
    /// A delivery cannot be translated again.
    #[error(transparent)]
    Inspect(#[from] InspectError),
    /// A slot that the manifest does not declare.
    #[error(transparent)]
    UnknownSlot(#[from] UnknownSlot),
}

impl HostError {
    /// The error, worded for a shop owner. Details for the operator are in the log.
    pub fn for_people(&self) -> String {
        match self {
            Self::Connect(error) => error.to_string(),
            Self::Account(problem) => for_people(problem),
            Self::Busy(_) | Self::Paused(_) | Self::Held(_) => TOO_MUCH.to_owned(),
            _ => OURS.to_owned(),
        }
    }
}

impl From<WebhookError> for HostError {
    fn from(error: WebhookError) -> Self {
        match error {
            WebhookError::Inbox(error) => error.into(),
            WebhookError::Vault(error) => error.into(),
            error @ (WebhookError::Address(_) | WebhookError::Position(..)) => Self::Webhook(error),
        }
    }
}

impl From<ChannelsError> for HostError {
    fn from(error: ChannelsError) -> Self {
        match error {
            ChannelsError::Load(error) => error.into(),
            ChannelsError::Call(error) => error.into(),
            ChannelsError::Inbox(error) => error.into(),
            ChannelsError::AnotherChannel(error) => error.into(),
            ChannelsError::Settings(error) => error.into(),
            ChannelsError::UnknownSlot(error) => error.into(),
        }
    }
}

impl From<UnknownVariable> for HostError {
    fn from(error: UnknownVariable) -> Self {
        WrongField::from(error).into()
    }
}

impl From<CredentialsError> for HostError {
    fn from(error: CredentialsError) -> Self {
        match error {
            CredentialsError::Inbox(error) => error.into(),
            CredentialsError::Vault(error) => error.into(),
            CredentialsError::TooMany(error) => error.into(),
            CredentialsError::Overtaken(error) => error.into(),
        }
    }
}

impl From<MediaError> for HostError {
    fn from(error: MediaError) -> Self {
        match error {
            MediaError::Inbox(error) => error.into(),
            MediaError::Store(error) => error.into(),
            MediaError::Random(error) => error.into(),
            MediaError::Interrupted(error) => error.into(),
        }
    }
}

impl From<OutboundError> for HostError {
    fn from(error: OutboundError) -> Self {
        match error {
            OutboundError::Inbox(error) => error.into(),
            OutboundError::Media(error) => error.into(),
            OutboundError::NoChannel(error) => error.into(),
            OutboundError::NotSendable(violations) => Self::NotSendable(violations),
            OutboundError::Paused(error) => error.into(),
            OutboundError::Busy(error) => error.into(),
            OutboundError::Interrupted(error) => error.into(),
        }
    }
}

impl From<IngestError> for HostError {
    fn from(error: IngestError) -> Self {
        match error {
            IngestError::Refused(error) => error.into(),
            IngestError::Full(error) => error.into(),
            IngestError::Inbox(error) => error.into(),
            IngestError::Random(error) => error.into(),
            IngestError::NoAddress(error) => error.into(),
            IngestError::NoChannel(error) => error.into(),
            IngestError::Inspect(error) => error.into(),
            IngestError::Interrupted(error) => error.into(),
        }
    }
}

impl From<AccountsError> for HostError {
    fn from(error: AccountsError) -> Self {
        match error {
            AccountsError::Inbox(error) => error.into(),
            AccountsError::Vault(error) => error.into(),
            AccountsError::NoChannel(error) => error.into(),
            AccountsError::Settings(error) => error.into(),
            AccountsError::Connect(error) => error.into(),
            AccountsError::Account(error) => Self::Account(error),
            AccountsError::Call(error) => error.into(),
            AccountsError::Paused(error) => error.into(),
            AccountsError::Busy(error) => error.into(),
            AccountsError::Held(error) => error.into(),
            AccountsError::Disconnected(error) => error.into(),
            AccountsError::Interrupted(error) => error.into(),
        }
    }
}
