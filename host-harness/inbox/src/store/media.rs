//! Owns: the states of messages' files.
//! Does not own: downloading, and where the bytes lie.

use async_trait::async_trait;

use crate::{
    error::InboxError,
    model::{DueMedia, MediaEnd, MediaId},
};

/// Files that messages name: from the platform's address to our own copy, or to the reason why there is none.
#[async_trait]
pub trait MediaFiles: Send + Sync {
    /// The files whose download is due, without those in `except`, which are under way. In turns: first the oldest
    /// of each channel, of a channel the oldest of each account, of an account the oldest of each conversation.
    async fn due_media(&self, now: u64, except: &[MediaId], limit: usize) -> Result<Vec<DueMedia>, InboxError>;

    /// Notes an attempt at a file before it is made, with the key of its future copy, so that no crash leaves a
    /// copy that nobody knows of. False where it is not wanted any more.
    async fn begin_media(&self, id: MediaId, key: &str) -> Result<bool, InboxError>;

    /// When a download becomes due next, later than at this time, in milliseconds since 1970.
    async fn next_media(&self, after: u64) -> Result<Option<u64>, InboxError>;

    /// The body of the delivery that brought the message of a file; none when it is kept no longer.
    async fn delivery_of_media(&self, id: MediaId) -> Result<Option<Vec<u8>>, InboxError>;

    /// Writes down how a download ended. A file whose message was unsent meanwhile stays deleted.
    async fn finish_media(&self, id: MediaId, end: MediaEnd) -> Result<(), InboxError>;

    /// Copies that must go, with their keys: of messages that were unsent, and of downloads that ended
    /// without one.
    async fn purgeable_media(&self, limit: usize) -> Result<Vec<(MediaId, String)>, InboxError>;

    /// Notes that the copy of a file is gone.
    async fn note_purged(&self, id: MediaId) -> Result<(), InboxError>;
}
