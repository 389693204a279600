//! Owns: keeping saved views of the list, of one user or of a whole workspace.
//! Does not own: the lists, who may share a view (the server).

use async_trait::async_trait;

use crate::{
    error::InboxError,
    model::{NewSavedView, SavedView, SavedViewId, UserId, ViewFilters, WorkspaceId},
};

/// The most views of one user, and of one workspace together.
pub const MAX_VIEWS: usize = 100;

/// Reading saved views.
#[async_trait]
pub trait SavedViewList: Send + Sync {
    /// The views of a workspace and of this user of it, the user's own first, by name.
    async fn saved_views(&self, workspace: WorkspaceId, user: Option<UserId>) -> Result<Vec<SavedView>, InboxError>;

    /// One view.
    async fn saved_view(&self, id: SavedViewId) -> Result<SavedView, InboxError>;
}

/// Keeping saved views.
#[async_trait]
pub trait SavedViews: Send + Sync {
    /// Saves a view, at most [`MAX_VIEWS`] of one owner. Its user and its label have to be of its workspace; it goes with
    /// its label.
    async fn save_view(&self, new: NewSavedView) -> Result<SavedViewId, InboxError>;

    /// Changes a view's name, or what it shows. `None` leaves it as it is.
    async fn change_view(
        &self,
        id: SavedViewId,
        name: Option<String>,
        filters: Option<ViewFilters>,
        now: u64,
    ) -> Result<(), InboxError>;

    /// Deletes a view.
    async fn delete_view(&self, id: SavedViewId, now: u64) -> Result<(), InboxError>;
}
