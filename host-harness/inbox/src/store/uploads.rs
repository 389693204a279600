//! Owns: uploaded files, and finding stored files without a row.
//! Does not own: the bytes.

use async_trait::async_trait;

use crate::{
    error::InboxError,
    model::{ReplyId, UnusedFiles, Upload, WorkspaceId},
};

/// Uploaded files, and stored files that no row refers to.
#[async_trait]
pub trait Uploads: Send + Sync {
    /// Stores the metadata of a file that was uploaded for replies of a workspace. Its bytes are in the media store.
    async fn store_upload(&self, file: Upload, workspace: WorkspaceId, now: u64) -> Result<(), InboxError>;

    /// Files uploaded before this time. [`Uploads::look_for_use`] finds the unused ones among them, in batches.
    async fn files_before(&self, before: u64) -> Result<UnusedFiles, InboxError>;

    /// Checks up to `limit` more replies, and removes the files that they refer to from `files`. Returns whether more
    /// replies may be left.
    async fn look_for_use(&self, files: &mut UnusedFiles, limit: usize) -> Result<bool, InboxError>;

    /// Deletes a file's row, unless a reply after `after` refers to it. Returns its key in the media store.
    async fn forget_file(&self, handle: String, after: ReplyId) -> Result<Option<String>, InboxError>;

    /// The keys that no row refers to. Empty if the inbox refers to no files at all: then the media store more likely
    /// belongs to another inbox.
    async fn unnamed(&self, keys: Vec<String>) -> Result<Vec<String>, InboxError>;
}
