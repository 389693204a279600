//! Owns: files of messages and files to be sent: their states, and what is known of them.
//! Does not own: downloading, and where the bytes lie.

use std::collections::HashSet;

use harness_contract::Media;
use serde::Serialize;

use super::ids::{AccountId, ConversationId, MediaId, ReplyId};

/// What became of a file.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MediaState {
    /// Only the platform has it; it will be downloaded.
    Remote,
    /// Here.
    Stored,
    /// The platform's terms allow a link and no copy.
    LinkOnly,
    /// The platform's address no longer gave it.
    Expired,
    /// Its message was unsent; nothing of it is kept.
    Deleted,
    /// Larger than this host takes.
    TooLarge,
    /// It is not what its message says, or lies where this host does not go.
    Refused,
    /// It could not be had, after several attempts.
    Failed,
}

impl MediaState {
    /// Its name in the database, in JSON and on pages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Remote => "remote",
            Self::Stored => "stored",
            Self::LinkOnly => "link-only",
            Self::Expired => "expired",
            Self::Deleted => "deleted",
            Self::TooLarge => "too-large",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        const ALL: [MediaState; 8] = [
            MediaState::Remote,
            MediaState::Stored,
            MediaState::LinkOnly,
            MediaState::Expired,
            MediaState::Deleted,
            MediaState::TooLarge,
            MediaState::Refused,
            MediaState::Failed,
        ];
        ALL.into_iter().find(|state| state.name() == name)
    }
}

/// A file of a message.
#[derive(Clone, Debug, Serialize)]
pub struct MediaView {
    /// Its row.
    pub id: MediaId,
    /// Its place in the message's attachments, counted from 0.
    pub attachment: i64,
    /// A `media-kind` of the contract, `share` or `story`.
    pub kind: String,
    /// What became of it.
    pub state: MediaState,
    /// Why it is not stored, in a sentence.
    pub reason: Option<String>,
    /// Where the platform has it, for a time.
    pub url: Option<String>,
    /// What its content is.
    pub mime: Option<String>,
    /// In bytes.
    pub size: Option<i64>,
    /// SHA-256 of its content, in hex.
    pub sha256: Option<String>,
    /// The name under which it was sent.
    pub name: Option<String>,
    /// Its key in the media store.
    #[serde(skip)]
    pub stored_as: Option<String>,
}

/// A file that is to be downloaded now.
#[derive(Clone, Debug)]
pub struct DueMedia {
    /// Its row.
    pub id: MediaId,
    /// The channel's id.
    pub channel: String,
    /// The account's row.
    pub account: AccountId,
    /// The conversation's row.
    pub conversation: ConversationId,
    /// A `media-kind` of the contract, `share` or `story`.
    pub kind: String,
    /// Where it lies.
    pub at: MediaPlace,
    /// Attempts before this one.
    pub attempts: u32,
    /// The key under which it is to be stored.
    pub key: String,
}

/// Where the bytes of a file are to be had.
#[derive(Clone, Debug)]
pub enum MediaPlace {
    /// At this address.
    Url(String),
    /// Where the channel says, by `files.locate-media`.
    Channel(Box<Media>),
    /// In the delivery that brought the message: `media.inline` says where.
    Delivery(Box<Media>),
}

/// How an attempt to download ended.
#[derive(Clone, Debug)]
pub enum MediaEnd {
    /// The bytes are in the media store.
    Stored {
        /// What the content is.
        mime: String,
        /// In bytes.
        size: u64,
        /// In hex.
        sha256: String,
    },
    /// There will be no copy.
    Ended {
        /// Expired, too large, refused or failed.
        state: MediaState,
        /// For a person.
        reason: String,
    },
    /// Another attempt is due at this time, in milliseconds.
    Later {
        /// When.
        at: u64,
        /// What went wrong this time.
        reason: String,
    },
}

/// A file that was given to be sent.
#[derive(Clone, Debug, Serialize)]
pub struct Upload {
    /// What `file-ref.handle` names it by.
    pub handle: String,
    /// Its name.
    pub name: Option<String>,
    /// What its content is, where that can be told.
    pub mime: Option<String>,
    /// In bytes.
    pub size: u64,
    /// In hex.
    pub sha256: String,
    /// Its key in the media store.
    #[serde(skip)]
    pub stored_as: String,
}

/// Files that were given to be sent, and up to which reply none was found that names them.
#[derive(Clone, Debug)]
pub struct UnusedFiles {
    /// Their handles.
    pub handles: HashSet<String>,
    /// The row of the last reply that was looked at.
    pub after: ReplyId,
    /// When the oldest of them was given, in milliseconds since 1970.
    pub(crate) since: i64,
}
