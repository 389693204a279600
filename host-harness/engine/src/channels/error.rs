//! Owns: why a channel is not loaded, worded for operators.
//! Does not own: why a call failed (`call`).

use harness_contract::settings::SettingsError;
use harness_inbox::InboxError;
use harness_sandbox::{CallError, LoadError};

/// No channel with this id is loaded.
#[derive(Clone, Debug, thiserror::Error)]
#[error("no channel `{id}` is loaded; loaded are {loaded}")]
pub struct NoChannel {
    /// The requested id.
    pub id: String,
    /// The loaded channels, comma-separated.
    pub loaded: String,
}

/// The component belongs to another channel.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the component is that of the channel `{found}`, not of `{expected}`")]
pub struct AnotherChannel {
    /// The channel that was to be replaced.
    pub expected: String,
    /// The id in the component's manifest.
    pub found: String,
}

/// Settings that do not fit the manifest.
#[derive(Debug, thiserror::Error)]
pub enum WrongSettings {
    /// The settings of a channel.
    #[error("the settings of `{channel}`: {source}")]
    OfChannel {
        /// The channel's id.
        channel: String,
        /// The cause.
        #[source]
        source: SettingsError,
    },
    /// The settings of an account.
    #[error("the account {account} of `{channel}`: {source}")]
    OfAccount {
        /// The channel's id.
        channel: String,
        /// The platform's id of the account.
        account: String,
        /// The cause.
        #[source]
        source: SettingsError,
    },
}

/// A slot that the manifest does not declare.
#[derive(Clone, Debug, thiserror::Error)]
#[error("`{slot}` is not a credential of `{channel}` that is given to {scope}; there it takes {known}")]
pub struct UnknownSlot {
    /// The channel's id.
    pub channel: String,
    /// The given slot.
    pub slot: String,
    /// Who the credential was given to.
    pub scope: &'static str,
    /// The slots that the manifest declares there.
    pub known: String,
}

/// Why a channel was not loaded, or not replaced.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChannelsError {
    /// The component was rejected.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The component failed in its first call.
    #[error(transparent)]
    Call(#[from] CallError),
    /// Its waiting deliveries could not be requeued.
    #[error(transparent)]
    Inbox(#[from] InboxError),
    /// The component belongs to another channel.
    #[error(transparent)]
    AnotherChannel(#[from] AnotherChannel),
    /// The settings do not fit the manifest.
    #[error(transparent)]
    Settings(#[from] WrongSettings),
    /// A credential was given for a slot that the manifest does not declare.
    #[error(transparent)]
    UnknownSlot(#[from] UnknownSlot),
}
