//! Owns: the states of messages' files.
//! Does not own: downloading, storing the bytes.

use async_trait::async_trait;

use crate::{
    error::InboxError,
    model::{DueMedia, MediaEnd, MediaId},
};

/// Files of messages: from the platform's URL to our own copy, or to the reason why there is none.
#[async_trait]
pub trait MediaFiles: Send + Sync {
    /// Files whose download is due, except those in `except`, which are in progress. Round robin: the oldest of each
    /// channel first, within a channel the oldest of each account, within an account the oldest of each conversation. What
    /// it costs does not depend on how many wait.
    async fn due_media(&self, now: u64, except: &[MediaId], limit: usize) -> Result<Vec<DueMedia>, InboxError>;

    /// Records download attempts before they are made, each with the key of the future copy, so that a crash leaves no
    /// copy without a row. Returns the files that are still wanted.
    async fn begin_media(&self, files: Vec<(MediaId, String)>) -> Result<Vec<MediaId>, InboxError>;

    /// The next time after `after` at which a download is due, in milliseconds since 1970.
    async fn next_media(&self, after: u64) -> Result<Option<u64>, InboxError>;

    /// The body of the delivery that contained the message of a file; `None` if it is no longer kept.
    async fn delivery_of_media(&self, id: MediaId) -> Result<Option<Vec<u8>>, InboxError>;

    /// Records how a download ended. A file whose message was unsent meanwhile stays deleted.
    async fn finish_media(&self, id: MediaId, end: MediaEnd, now: u64) -> Result<(), InboxError>;

    /// Copies to delete, with their keys: those of unsent messages, and those of downloads that failed.
    async fn purgeable_media(&self, limit: usize) -> Result<Vec<(MediaId, String)>, InboxError>;

    /// Records that the copy of a file is deleted.
    async fn note_purged(&self, id: MediaId) -> Result<(), InboxError>;
}
