//! Owns: files of messages and uploaded files: their states and metadata.
//! Does not own: downloading, storing the bytes.

use std::collections::HashSet;

use harness_contract::Media;
use serde::Serialize;

use super::ids::{AccountId, ConversationId, MediaId, ReplyId};

/// The state of a message's file.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MediaState {
    /// Only the platform has it; a download is due.
    Remote,
    /// Stored here.
    Stored,
    /// The platform's terms allow a link but no copy.
    LinkOnly,
    /// The platform's URL no longer serves it.
    Expired,
    /// Its message was unsent; no copy is kept.
    Deleted,
    /// Larger than this host's limit.
    TooLarge,
    /// Its content does not match its message, or its URL is one that this host does not request.
    Refused,
    /// Several download attempts failed.
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
    /// Its row id.
    pub id: MediaId,
    /// Its index among the message's attachments, from 0.
    pub attachment: i64,
    /// A `media-kind` of the contract, `share` or `story`.
    pub kind: String,
    /// Its state.
    pub state: MediaState,
    /// Why it is not stored, as a sentence.
    pub reason: Option<String>,
    /// The platform's URL, which is valid for a limited time.
    pub url: Option<String>,
    /// Its media type.
    pub mime: Option<String>,
    /// Its size in bytes.
    pub size: Option<i64>,
    /// SHA-256 of its content, in hex.
    pub sha256: Option<String>,
    /// The name under which it was sent.
    pub name: Option<String>,
    /// Its key in the media store.
    #[serde(skip)]
    pub stored_as: Option<String>,
}

/// A file that is due to be downloaded.
#[derive(Clone, Debug)]
pub struct DueMedia {
    /// Its row id.
    pub id: MediaId,
    /// The channel's id.
    pub channel: String,
    /// The account's row id.
    pub account: AccountId,
    /// The conversation's row id.
    pub conversation: ConversationId,
    /// A `media-kind` of the contract, `share` or `story`.
    pub kind: String,
    /// Where to download it from.
    pub at: MediaPlace,
    /// Attempts before this one.
    pub attempts: u32,
    /// The key under which the media store is to keep it.
    pub key: String,
}

/// Where to get the bytes of a file.
#[derive(Clone, Debug)]
pub enum MediaPlace {
    /// From this URL.
    Url(String),
    /// From the request that `files.locate-media` of the channel returns.
    Channel(Box<Media>),
    /// From the delivery that contained the message; `media.inline` says where in it.
    Delivery(Box<Media>),
}

/// The outcome of a download attempt.
#[derive(Clone, Debug)]
pub enum MediaEnd {
    /// The bytes are in the media store.
    Stored {
        /// The media type of the content.
        mime: String,
        /// In bytes.
        size: u64,
        /// SHA-256 in hex.
        sha256: String,
    },
    /// No copy will be stored.
    Ended {
        /// Expired, too large, refused or failed.
        state: MediaState,
        /// Why, as a sentence for a person.
        reason: String,
    },
    /// Another attempt is due.
    Later {
        /// When, in milliseconds since 1970.
        at: u64,
        /// What went wrong this time.
        reason: String,
    },
}

/// A file uploaded here, to be sent.
#[derive(Clone, Debug, Serialize)]
pub struct Upload {
    /// The handle by which `file-ref.handle` refers to it.
    pub handle: String,
    /// Its name.
    pub name: Option<String>,
    /// The media type of its content, if it was recognised.
    pub mime: Option<String>,
    /// In bytes.
    pub size: u64,
    /// SHA-256 in hex.
    pub sha256: String,
    /// Its key in the media store.
    #[serde(skip)]
    pub stored_as: String,
}

/// Uploaded files that no reply refers to, as far as replies have been checked.
#[derive(Clone, Debug)]
pub struct UnusedFiles {
    /// Their handles.
    pub handles: HashSet<String>,
    /// The last reply that was checked.
    pub after: ReplyId,
    /// When the oldest of them was uploaded, in milliseconds since 1970.
    pub(crate) since: i64,
}
