//! Owns: files to be sent, and files that nobody names.
//! Does not own: the bytes.

use async_trait::async_trait;

use crate::{
    error::InboxError,
    model::{ReplyId, UnusedFiles, Upload},
};

/// Files that were given to be sent, and which of the stored files nobody names.
#[async_trait]
pub trait Uploads: Send + Sync {
    /// Keeps what is known of a file that was given to be sent. Its bytes are in the media store.
    async fn store_upload(&self, file: Upload, now: u64) -> Result<(), InboxError>;

    /// The files that were given before this time. Which of them are unused is found by
    /// [`Uploads::look_for_use`], piece by piece.
    async fn files_before(&self, before: u64) -> Result<UnusedFiles, InboxError>;

    /// Looks at some more replies, and takes out the files that they name. Says whether there may be more.
    async fn look_for_use(&self, files: &mut UnusedFiles, limit: usize) -> Result<bool, InboxError>;

    /// Forgets a file, unless a reply behind this row names it. Returns its key in the media store.
    async fn forget_file(&self, handle: String, after: ReplyId) -> Result<Option<String>, InboxError>;

    /// Those of these keys that no row names. None where the inbox names no files at all: then it is more likely
    /// that the store is another inbox's.
    async fn unnamed(&self, keys: Vec<String>) -> Result<Vec<String>, InboxError>;
}
