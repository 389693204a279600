//! Owns: why a channel is not loaded, or not answered by: in words for whoever configures it.
//! Does not own: how a call of it failed (`call`).

use harness_contract::settings::SettingsError;
use harness_inbox::InboxError;
use harness_sandbox::{CallError, LoadError};

/// No channel of this id is loaded.
#[derive(Clone, Debug, thiserror::Error)]
#[error("no channel `{id}` is loaded; loaded are {loaded}")]
pub struct NoChannel {
    /// Which was asked for.
    pub id: String,
    /// Which there are.
    pub loaded: String,
}

/// The component is that of another channel.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the component is that of the channel `{found}`, not of `{expected}`")]
pub struct AnotherChannel {
    /// Which was to be replaced.
    pub expected: String,
    /// What the component's manifest says.
    pub found: String,
}

/// Settings that do not fit the manifest.
#[derive(Debug, thiserror::Error)]
pub enum WrongSettings {
    /// Those of a channel.
    #[error("the settings of `{channel}`: {source}")]
    OfChannel {
        /// The channel's id.
        channel: String,
        /// What is wrong.
        #[source]
        source: SettingsError,
    },
    /// Those of an account.
    #[error("the account {account} of `{channel}`: {source}")]
    OfAccount {
        /// The channel's id.
        channel: String,
        /// The platform's id of the account.
        account: String,
        /// What is wrong.
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
    /// What was given.
    pub slot: String,
    /// To what it was given.
    pub scope: &'static str,
    /// What the manifest declares.
    pub known: String,
}

/// Why a channel was not loaded, or not replaced.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChannelsError {
    /// The component was refused.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// It failed in its first call.
    #[error(transparent)]
    Call(#[from] CallError),
    /// What waited for it could not be queued again.
    #[error(transparent)]
    Inbox(#[from] InboxError),
    /// The component is that of another channel.
    #[error(transparent)]
    AnotherChannel(#[from] AnotherChannel),
    /// Its settings do not fit.
    #[error(transparent)]
    Settings(#[from] WrongSettings),
    /// It was given a credential that it does not take.
    #[error(transparent)]
    UnknownSlot(#[from] UnknownSlot),
}
