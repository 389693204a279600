//! Owns: saved views of the list: a name and what the list is narrowed to.
//! Does not own: the lists themselves (`organisation`).

use serde::Serialize;

use super::ids::{LabelId, SavedViewId, UserId, WorkspaceId};

/// Whose conversations a view shows.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Whose {
    /// Everybody's that are not closed.
    #[default]
    Everyone,
    /// Those of whoever looks.
    Mine,
    /// Those of nobody.
    Unassigned,
    /// Those that are closed.
    Closed,
    /// Those in which whoever looks was mentioned.
    Mentions,
}

impl Whose {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Everyone, Self::Mine, Self::Unassigned, Self::Closed, Self::Mentions];

    /// The name in SQL, JSON and addresses.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Everyone => "everyone",
            Self::Mine => "mine",
            Self::Unassigned => "unassigned",
            Self::Closed => "closed",
            Self::Mentions => "mentions",
        }
    }

    /// The one with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }
}

/// What a list is narrowed to. All of it holds.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct ViewFilters {
    /// Whose conversations.
    pub whose: Whose,
    /// Those of this channel's accounts.
    pub channel: Option<String>,
    /// Those with this label, of the view's workspace.
    pub label: Option<LabelId>,
    /// Only those with unread messages.
    pub unread: bool,
    /// What these words are found in.
    pub text: Option<String>,
}

/// A view to save.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NewSavedView {
    /// Whose workspace it is in.
    pub workspace: WorkspaceId,
    /// Whose it is; `None` for everybody of the workspace.
    pub user: Option<UserId>,
    /// Its name, unique among the views of the same owner.
    pub name: String,
    /// What it shows.
    pub filters: ViewFilters,
    /// The current time, in milliseconds since 1970.
    pub now: u64,
}

/// A saved view.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct SavedView {
    /// Its row id.
    pub id: SavedViewId,
    /// Whose workspace it is in.
    pub workspace: WorkspaceId,
    /// Whose it is; `None` for everybody of the workspace.
    pub user: Option<UserId>,
    /// Its name.
    pub name: String,
    /// What it shows.
    pub filters: ViewFilters,
    /// When it was saved, in milliseconds since 1970.
    pub created_at: u64,
}
