//! Owns: accounts: their states, how they are connected, progress in reading their history, and their sealed
//! credentials.
//! Does not own: calls to the platform, sealing.

use harness_contract::{EntryPoints, Media, Setting};
use serde::Serialize;

use super::{
    ids::{AccountId, WorkspaceId},
    organisation::WhenClosed,
};

/// Whether an account is usable.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountState {
    /// It is usable.
    Connected,
    /// Incoming events are accepted; outgoing messages wait until the account is connected again.
    NeedsReconnect,
    /// A person disconnected it. Its conversations may still be stored.
    Disconnected,
}

impl AccountState {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::NeedsReconnect => "needs_reconnect",
            Self::Disconnected => "disconnected",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        [Self::Connected, Self::NeedsReconnect, Self::Disconnected].into_iter().find(|state| state.name() == name)
    }
}

/// An account.
#[derive(Clone, Debug, Serialize)]
pub struct AccountRow {
    /// Its row id.
    pub id: AccountId,
    /// The workspace that it belongs to.
    #[serde(skip)]
    pub workspace: WorkspaceId,
    /// The channel's id.
    pub channel: String,
    /// The platform's id.
    pub platform_id: String,
    /// The name shown to people.
    pub name: String,
    /// Its handle at the platform, if any.
    pub username: Option<String>,
    /// Its picture at the platform.
    pub picture: Option<Media>,
    /// Whether it is usable.
    pub state: AccountState,
    /// Why it is not usable, as a sentence.
    pub problem: Option<String>,
    /// When it was connected.
    pub connected_at: u64,
    /// The login of the manifest that it was connected with, if a person connected it.
    pub login: Option<String>,
    /// Values for the manifest's settings.
    pub settings: Vec<Setting>,
    /// The entry points, as they were last set from here.
    pub entry_points: Option<EntryPoints>,
    /// When its credentials expire, if they do.
    pub refresh_before: Option<u64>,
    /// When its credentials are renewed next; `None` if there is nothing to renew.
    #[serde(skip)]
    pub refresh_at: Option<u64>,
    /// When its history is read next; `None` if it is not read.
    #[serde(skip)]
    pub history_at: Option<u64>,
    /// When its conversations were last deleted, if ever. Messages from before that time are not stored again.
    pub conversations_deleted_at: Option<u64>,
    /// What becomes of its closed conversations when the customer writes again.
    pub when_closed: WhenClosed,
    /// Incremented by every connect and disconnect. Work that was begun for the account hands this number in with its
    /// result; a result of an earlier connection is discarded.
    #[serde(skip)]
    pub connection: i64,
}

/// An account to connect.
#[derive(Clone, Debug, Default)]
pub struct NewAccount {
    /// The workspace that it is connected in. `None`: the one that it belongs to already, or the first.
    pub workspace: Option<WorkspaceId>,
    /// The channel's id.
    pub channel: String,
    /// The platform's id.
    pub platform_id: String,
    /// The name shown to people.
    pub name: String,
    /// Values for the manifest's settings.
    pub settings: Vec<Setting>,
    /// What the platform's dialog returned. `None` for an account whose credentials come from a configuration: details
    /// already known about it are kept.
    pub dialog: Option<FromDialog>,
    /// The current time.
    pub now: u64,
}

/// The result of connecting an account through the platform's dialog.
#[derive(Clone, Debug, Default)]
pub struct FromDialog {
    /// The login of the manifest.
    pub login: Option<String>,
    /// The platform's handle.
    pub username: Option<String>,
    /// Its picture.
    pub picture: Option<Media>,
    /// Other platform ids of the same account.
    pub aliases: Vec<String>,
    /// The platform's id of the person who gave permission.
    pub authorized_by: Option<String>,
    /// When the credentials expire.
    pub refresh_before: Option<u64>,
    /// When the credentials are due for renewal.
    pub refresh_at: Option<u64>,
    /// Sealed credentials by slot. They replace all stored ones.
    pub credentials: Vec<(String, Vec<u8>)>,
    /// Key-value pairs that the channel wants to store.
    pub storage: Vec<(String, Vec<u8>)>,
    /// How far back the history is read; `None` if it is not read.
    pub history_from: Option<u64>,
}

/// An account whose history is due to be read.
#[derive(Clone, Debug)]
pub struct DueHistory {
    /// The account's row id.
    pub account: AccountId,
    /// The channel's id.
    pub channel: String,
    /// The platform's id of the account.
    pub platform_id: String,
    /// Only messages from this time on are wanted.
    pub from: u64,
    /// Where reading stopped.
    pub cursor: Option<String>,
    /// See [`crate::AccountRow::connection`].
    pub connection: i64,
}

/// Where reading the history continues.
#[derive(Clone, Debug)]
pub struct HistoryMark {
    /// Where reading stopped; `None` at the end.
    pub cursor: Option<String>,
    /// How far back the next pass reads.
    pub from: u64,
    /// When reading continues; `None` if it does not.
    pub next: Option<u64>,
}

/// A sealed credential.
#[derive(Clone, Debug)]
pub struct SealedCredential {
    /// The channel's id.
    pub channel: String,
    /// The platform's id of the account; `None` for a credential of the whole channel.
    pub account: Option<String>,
    /// The slot's name in the manifest.
    pub slot: String,
    /// The ciphertext.
    pub sealed: Vec<u8>,
}

/// A connect link as stored.
#[derive(Clone, Debug)]
pub struct StoredLink {
    /// SHA-256 of its ticket.
    pub id: [u8; 32],
    /// Incremented by every change.
    pub version: i64,
    /// The ciphertext.
    pub sealed: Vec<u8>,
}
