//! Owns: accounts: their states, how they are connected, how far their archive has been read, and their sealed
//! credentials.
//! Does not own: talking to the platform, and sealing.

use harness_contract::{Media, Setting};
use serde::Serialize;

use super::ids::AccountId;

/// Whether an account can be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountState {
    /// It is.
    Connected,
    /// What comes in is taken; what goes out waits until somebody connects it again.
    NeedsReconnect,
    /// Somebody disconnected it. Its conversations may still be here.
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
    /// Its row.
    pub id: AccountId,
    /// The channel's id.
    pub channel: String,
    /// The platform's id.
    pub platform_id: String,
    /// For people.
    pub name: String,
    /// The platform's handle, where it has one.
    pub username: Option<String>,
    /// Its picture at the platform.
    pub picture: Option<Media>,
    /// Whether it can be used.
    pub state: AccountState,
    /// Why not, in a sentence.
    pub problem: Option<String>,
    /// Since when.
    pub connected_at: u64,
    /// When its credentials end, where they do.
    pub refresh_before: Option<u64>,
    /// When its conversations were deleted last, where they were: what was said until then does not come back.
    pub conversations_deleted_at: Option<u64>,
    /// Counts up with every connecting and disconnecting. Whoever has begun something for the account hands this in
    /// with the result: what belongs to an earlier connection is thrown away.
    #[serde(skip)]
    pub connection: i64,
}

/// An account that is to be connected.
#[derive(Clone, Debug, Default)]
pub struct NewAccount {
    /// The channel's id.
    pub channel: String,
    /// The platform's id.
    pub platform_id: String,
    /// For people.
    pub name: String,
    /// Values for the manifest's settings.
    pub settings: Vec<Setting>,
    /// What the platform's dialog gave. None for an account whose credentials stand in a configuration: what
    /// is known of it from elsewhere stays.
    pub dialog: Option<FromDialog>,
    /// The present.
    pub now: u64,
}

/// What connecting over a platform's dialog gives.
#[derive(Clone, Debug, Default)]
pub struct FromDialog {
    /// The platform's handle.
    pub username: Option<String>,
    /// Its picture.
    pub picture: Option<Media>,
    /// Other ids under which the platform names it.
    pub aliases: Vec<String>,
    /// The person who permitted it, by the platform's id.
    pub authorized_by: Option<String>,
    /// When the credentials end.
    pub refresh_before: Option<u64>,
    /// When they are renewed.
    pub refresh_at: Option<u64>,
    /// Sealed credentials by slot. They take the place of all that were there.
    pub credentials: Vec<(String, Vec<u8>)>,
    /// What the channel wants to remember.
    pub storage: Vec<(String, Vec<u8>)>,
    /// How far back the archive is to be read; none when it is not.
    pub history_from: Option<u64>,
}

/// An account whose archive is to be read.
#[derive(Clone, Debug)]
pub struct DueHistory {
    /// The account's row.
    pub account: AccountId,
    /// The platform's id of the account.
    pub platform_id: String,
    /// Messages before this are not wanted.
    pub from: u64,
    /// Where reading stopped.
    pub cursor: Option<String>,
    /// See [`crate::AccountRow::connection`].
    pub connection: i64,
}

/// How reading goes on.
#[derive(Clone, Debug)]
pub struct HistoryMark {
    /// Where it stopped; none at the end.
    pub cursor: Option<String>,
    /// How far back the next round reads.
    pub from: u64,
    /// When it goes on; none when it is not to.
    pub next: Option<u64>,
}

/// A sealed credential.
#[derive(Clone, Debug)]
pub struct SealedCredential {
    /// The channel's id.
    pub channel: String,
    /// The platform's id of the account.
    pub account: String,
    /// The slot's name in the manifest.
    pub slot: String,
    /// The ciphertext.
    pub sealed: Vec<u8>,
}

/// A link at rest.
#[derive(Clone, Debug)]
pub struct StoredLink {
    /// SHA-256 of its ticket.
    pub id: [u8; 32],
    /// Rises with every change.
    pub version: i64,
    /// The ciphertext.
    pub sealed: Vec<u8>,
}
