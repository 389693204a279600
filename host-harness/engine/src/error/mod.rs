//! Owns: the one error of the host's functions, in words for an operator and for people.
//! Does not own: what a platform refused, which is an outcome.

mod connect;
mod refusal;
mod waits;
mod words;

use harness_contract::{AccountError, HttpError, Violation, settings::SettingsError, text::shown};
use harness_inbox::InboxError;
use harness_sandbox::{CallError, LoadError};

use crate::store::StoreError;
use harness_egress::{SetupError, credentials::VaultError};

pub(crate) use self::words::sentence;
pub use self::{
    connect::ConnectError,
    refusal::Refusal,
    waits::{Full, Paused},
};

/// Why the host did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The component was refused.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The component failed in a call.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The inbox.
    #[error(transparent)]
    Inbox(#[from] InboxError),
    /// The HTTP client.
    #[error(transparent)]
    Egress(#[from] SetupError),
    /// The bytes of a file.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Credentials at rest.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// An account is not being connected as was asked.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The settings of a channel.
    #[error("the settings of `{channel}`: {source}")]
    ChannelSettings {
        /// The channel's id.
        channel: String,
        /// What is wrong.
        #[source]
        source: SettingsError,
    },
    /// The file of the recording.
    #[error("calls cannot be recorded: {0}")]
    Record(#[source] std::io::Error),
    /// The component is that of another channel.
    #[error("the component is that of the channel `{found}`, not of `{expected}`")]
    AnotherChannel {
        /// Which was to be replaced.
        expected: String,
        /// What the component's manifest says.
        found: String,
    },
    /// Too much waits already.
    #[error("{0}; try again later")]
    Full(#[from] Full),
    /// The channel did not do for an account what was asked.
    #[error("{}", sentence(.0))]
    Account(Box<AccountError>),
    /// The channel failed again and again and is left alone for a while.
    #[error(transparent)]
    Paused(#[from] Paused),
    /// A channel captures more credentials for an account than it may keep.
    #[error("`{0}` keeps too many credentials of one account")]
    TooManyCredentials(String),
    /// Nothing is asked of the platform for an account that is disconnected.
    #[error("the account {0} is disconnected: connect it again first")]
    Disconnected(String),
    /// The account was connected or disconnected while this was under way, so its result counts no more.
    #[error("the account was connected again or disconnected meanwhile, so what came of this was thrown away")]
    Overtaken,
    /// The work ended in a panic, or the host is stopping.
    #[error("this was interrupted in the middle: look at how things stand before trying again")]
    Interrupted,
    /// The channel says that a message cannot be sent. Nothing was queued.
    #[error("the message cannot be sent: {}", sentences(.0))]
    NotSendable(Vec<Violation>),
    /// The platform asked to be left alone for a while.
    #[error("the platform asked for a pause in which it is asked nothing; it lasts for another {0} s")]
    Held(u64),
    /// All sandboxes are in use.
    #[error("the sandbox is busy; try again")]
    Busy,
    /// The delivery is not genuine, or does not fit.
    #[error("the delivery was refused: {0}")]
    Refused(#[from] Refusal),
    /// No channel of this id is loaded.
    #[error("no channel `{0}` is loaded; loaded are {1}")]
    NoChannel(String, String),
    /// The settings of an account.
    #[error("the account {account} of `{channel}`: {source}")]
    Settings {
        /// The channel's id.
        channel: String,
        /// The platform's id of the account.
        account: String,
        /// What is wrong.
        #[source]
        source: SettingsError,
    },
    /// A slot that the manifest does not declare.
    #[error("`{slot}` is not a credential of `{channel}` that is given to {scope}; there it takes {known}")]
    UnknownSlot {
        /// The channel's id.
        channel: String,
        /// What was given.
        slot: String,
        /// To what it was given.
        scope: &'static str,
        /// What the manifest declares.
        known: String,
    },
}

fn sentences(violations: &[Violation]) -> String {
    violations.iter().map(|violation| violation.sentence.as_str()).collect::<Vec<_>>().join(" ")
}

impl HostError {
    /// What went wrong, for somebody who runs a shop: what is the operator's to mend stands in the log.
    pub fn for_people(&self) -> String {
        const OURS: &str = "Something went wrong on this side, and nothing was connected. Try again; if it stays so, tell \
                            whoever runs this inbox to look into its log.";
        const UNREACHABLE: &str = "The platform could not be reached just now. Try again in a minute.";
        match self {
            Self::Connect(error) => error.to_string(),
            Self::Account(problem) => match &**problem {
                AccountError::Http(HttpError::Unreachable(_) | HttpError::TimedOut) => UNREACHABLE.to_owned(),
                AccountError::Http(_) | AccountError::Storage(_) | AccountError::Unsupported => OURS.to_owned(),
                _ => shown(&self.to_string()),
            },
            Self::Busy | Self::Paused(_) | Self::Held(_) => {
                "Too much is being done at the moment. Try again in a minute.".to_owned()
            }
            _ => OURS.to_owned(),
        }
    }
}
