//! Owns: products' addresses that are told what changes: their settings, their positions, their last attempts.
//! Does not own: telling them.

use async_trait::async_trait;

use crate::{
    error::InboxError,
    model::{NewWebhook, WebhookAttempt, WebhookChange, WebhookFailure, WebhookId, WebhookView, WorkspaceId},
};

/// Addresses that are told what changes. Each has its own position in the change feed.
#[async_trait]
pub trait Webhooks: Send + Sync {
    /// Adds an address. It is told everything after the newest change.
    ///
    /// # Errors
    /// `TooMany` if the workspace has as many as it may have.
    async fn add_webhook(&self, new: NewWebhook) -> Result<WebhookView, InboxError>;

    /// The addresses of a workspace, oldest first.
    async fn webhooks(&self, workspace: WorkspaceId) -> Result<Vec<WebhookView>, InboxError>;

    /// One address.
    async fn webhook(&self, id: WebhookId) -> Result<WebhookView, InboxError>;

    /// The sealed secret of an address.
    async fn webhook_secret(&self, id: WebhookId) -> Result<Vec<u8>, InboxError>;

    /// Active addresses whose position is before the newest change and whose next attempt is due: at most `limit`, the
    /// one that has waited longest first.
    async fn due_webhooks(&self, now: u64, limit: usize) -> Result<Vec<WebhookView>, InboxError>;

    /// The next time after `after` at which an attempt is due, in milliseconds since 1970.
    async fn next_webhook(&self, after: u64) -> Result<Option<u64>, InboxError>;

    /// Changes an address. A change of anything ends the waiting after failed attempts.
    async fn change_webhook(&self, id: WebhookId, change: WebhookChange, now: u64) -> Result<WebhookView, InboxError>;

    /// Removes an address.
    async fn delete_webhook(&self, id: WebhookId, now: u64) -> Result<(), InboxError>;

    /// Its last attempts, newest first.
    async fn webhook_attempts(&self, id: WebhookId, limit: usize) -> Result<Vec<WebhookAttempt>, InboxError>;

    /// Records that an address was told what it asks for up to `position`, with the attempts that ended so. Returns false
    /// if it is no longer at `from`, no longer active or removed: then only the attempts are recorded.
    async fn note_told(
        &self,
        id: WebhookId,
        from: u64,
        position: u64,
        attempts: Vec<WebhookAttempt>,
    ) -> Result<bool, InboxError>;

    /// Records a failed attempt at the change after `from` and what follows. Does nothing if it is no longer at `from`.
    async fn note_not_told(
        &self,
        id: WebhookId,
        from: u64,
        attempt: WebhookAttempt,
        then: WebhookFailure,
    ) -> Result<(), InboxError>;

    /// Records an attempt that moves nothing: a test.
    async fn note_webhook_test(&self, id: WebhookId, attempt: WebhookAttempt) -> Result<(), InboxError>;
}
