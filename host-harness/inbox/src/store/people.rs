//! Owns: reading who works with the inbox, and which workspace a row belongs to.
//! Does not own: changes to them, and how they sign in (`users`).

use async_trait::async_trait;

use crate::{
    error::InboxError,
    model::{InvitationView, Row, UserId, UserView, WorkspaceId, WorkspaceView},
};

/// Workspaces, the people in them, and the workspace of any row.
#[async_trait]
pub trait People: Send + Sync {
    /// All workspaces, oldest first.
    async fn workspaces(&self) -> Result<Vec<WorkspaceView>, InboxError>;

    /// The people of a workspace, disabled ones included, oldest first.
    async fn users(&self, workspace: WorkspaceId) -> Result<Vec<UserView>, InboxError>;

    /// A person.
    async fn user(&self, user: UserId) -> Result<UserView, InboxError>;

    /// The invitations of a workspace that are neither accepted nor expired, oldest first.
    async fn invitations(&self, workspace: WorkspaceId, now: u64) -> Result<Vec<InvitationView>, InboxError>;

    /// The workspace that a row belongs to; `None` if there is no such row, or if it belongs to the whole host.
    async fn workspace_of(&self, row: Row) -> Result<Option<WorkspaceId>, InboxError>;
}
