//! Owns: the product's interface to addresses that are told what changes.
//! Does not own: telling them (`webhooks`).

use harness_egress::credentials::Secret;
use harness_inbox::{KindFilter, WebhookAttempt, WebhookChange, WebhookId, WebhookView, WorkspaceId};

use super::{Host, HostError};

/// The most attempts that are listed.
const ATTEMPTS: usize = 100;

impl Host {
    /// Adds an address that is told what changes in a workspace from now on, and returns the secret that signs it, which
    /// is shown this once.
    pub async fn add_webhook(
        &self,
        workspace: WorkspaceId,
        url: &str,
        kinds: KindFilter,
    ) -> Result<(WebhookView, Secret), HostError> {
        Ok(self.rooms.webhooks.add(workspace, url, kinds).await?)
    }

    /// The addresses of a workspace, oldest first.
    pub async fn webhooks(&self, workspace: WorkspaceId) -> Result<Vec<WebhookView>, HostError> {
        Ok(self.base().inbox.webhooks(workspace).await?)
    }

    /// One address.
    pub async fn webhook(&self, id: WebhookId) -> Result<WebhookView, HostError> {
        Ok(self.base().inbox.webhook(id).await?)
    }

    /// Changes an address, pauses or resumes it, or tells it everything after some change again.
    pub async fn change_webhook(&self, id: WebhookId, change: WebhookChange) -> Result<WebhookView, HostError> {
        Ok(self.rooms.webhooks.change(id, change).await?)
    }

    /// Removes an address.
    pub async fn delete_webhook(&self, id: WebhookId) -> Result<(), HostError> {
        Ok(self.base().inbox.delete_webhook(id, self.clock().now()).await?)
    }

    /// The last attempts, newest first.
    pub async fn webhook_attempts(&self, id: WebhookId) -> Result<Vec<WebhookAttempt>, HostError> {
        Ok(self.base().inbox.webhook_attempts(id, ATTEMPTS).await?)
    }

    /// Sends an event that means nothing to an address, also to one that is paused, and returns how it was answered.
    pub async fn test_webhook(&self, id: WebhookId) -> Result<WebhookAttempt, HostError> {
        Ok(self.rooms.webhooks.test(id).await?)
    }
}
