//! Owns: how a team keeps its conversations in order: states, assignees, collections, labels, notes, canned answers.
//! Does not own: storing them, who may change them (the server).

use serde::Serialize;

use super::ids::{
    AccountId, CannedAnswerId, CollectionId, ContactId, ConversationId, LabelId, NoteId, UserId, WorkspaceId,
};

/// The state of a conversation. A message of the customer opens one that is snoozed, and one that is closed unless
/// [`WhenClosed`] says otherwise.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Hash, Ord, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ConversationState {
    /// The team has something to do.
    #[default]
    Open,
    /// The team waits for the customer or for somebody else.
    Pending,
    /// Out of sight until a time.
    Snoozed,
    /// Done.
    Closed,
}

impl ConversationState {
    /// All states.
    pub const ALL: [Self; 4] = [Self::Open, Self::Pending, Self::Snoozed, Self::Closed];

    /// The name in SQL, JSON and filters.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Pending => "pending",
            Self::Snoozed => "snoozed",
            Self::Closed => "closed",
        }
    }

    /// The state with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// What becomes of a closed conversation when the customer writes again.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenClosed {
    /// It is opened again.
    #[default]
    Reopen,
    /// It stays closed, and another one begins.
    New,
}

impl WhenClosed {
    /// The name in SQL, JSON and forms.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reopen => "reopen",
            Self::New => "new",
        }
    }

    /// The choice with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Reopen, Self::New].into_iter().find(|choice| choice.name() == name)
    }
}

/// A state to put a conversation into.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NewState {
    /// See [`ConversationState::Open`].
    Open,
    /// See [`ConversationState::Pending`].
    Pending,
    /// See [`ConversationState::Snoozed`]: until this time, in milliseconds since 1970.
    Snoozed(u64),
    /// See [`ConversationState::Closed`].
    Closed,
}

impl NewState {
    /// The state without its time.
    pub const fn state(self) -> ConversationState {
        match self {
            Self::Open => ConversationState::Open,
            Self::Pending => ConversationState::Pending,
            Self::Snoozed(_) => ConversationState::Snoozed,
            Self::Closed => ConversationState::Closed,
        }
    }
}

/// What to change about a conversation. `None` leaves it as it is; an inner `None` means nobody, or no collection.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ConversationChange {
    /// The new state.
    pub state: Option<NewState>,
    /// The new assignee: an active user of the conversation's workspace.
    pub assignee: Option<Option<UserId>>,
    /// The new collection, of the conversation's workspace.
    pub collection: Option<Option<CollectionId>>,
    /// Change nothing unless this is the assignee: of two people who take a conversation at once, one learns that the
    /// other was first.
    pub if_assignee: Option<Option<UserId>>,
}

/// What became of a [`ConversationChange`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Organised {
    /// The conversation changed.
    Changed,
    /// It was so already.
    Unchanged,
    /// Nothing changed, because the conversation has another assignee than the caller expected: this one.
    AssignedBefore(Option<UserId>),
}

/// A change of a conversation's labels.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum LabelChange {
    /// It has these labels and no others.
    Set(Vec<LabelId>),
    /// It has these labels too.
    Add(Vec<LabelId>),
    /// It does not have these labels.
    Remove(Vec<LabelId>),
}

/// Which conversations a list shows. All conditions hold; `None` is no condition.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ConversationFilter {
    /// Those of this workspace.
    pub workspace: Option<WorkspaceId>,
    /// Those of this account.
    pub account: Option<AccountId>,
    /// Those of this channel's accounts.
    pub channel: Option<String>,
    /// Those with this contact.
    pub contact: Option<ContactId>,
    /// Those of this user; with an inner `None` those of nobody.
    pub assignee: Option<Option<UserId>>,
    /// Those in this collection; with an inner `None` those in none.
    pub collection: Option<Option<CollectionId>>,
    /// Those with a private note that mentions this user.
    pub mentioned: Option<UserId>,
    /// Those with this label.
    pub label: Option<LabelId>,
    /// Those in one of these states; empty for all.
    pub states: Vec<ConversationState>,
    /// Those with unread messages, or without.
    pub unread: Option<bool>,
    /// Those whose newest entry is from this time or later, in milliseconds since 1970.
    pub from: Option<u64>,
    /// Those whose newest entry is from before this time, in milliseconds since 1970.
    pub to: Option<u64>,
    /// Those with these words in their name or in one of their messages: among the newest 400 that have them.
    pub text: Option<String>,
}

/// A collection: where conversations of one kind are put, such as sales.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct CollectionView {
    /// Its row id.
    pub id: CollectionId,
    /// Whose it is.
    pub workspace: WorkspaceId,
    /// Its name, unique in its workspace.
    pub name: String,
    /// When it was made, in milliseconds since 1970.
    pub created_at: u64,
}

/// A label.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct LabelView {
    /// Its row id.
    pub id: LabelId,
    /// Whose it is.
    pub workspace: WorkspaceId,
    /// Its name, unique in its workspace.
    pub name: String,
    /// Its color, by its name in the palette.
    pub color: String,
    /// When it was made, in milliseconds since 1970.
    pub created_at: u64,
}

/// A private note of the team. It never leaves the host.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct NoteView {
    /// Its row id.
    pub id: NoteId,
    /// The conversation that it belongs to.
    pub conversation: ConversationId,
    /// The user who wrote it; `None` where a program did, or where the user is gone.
    pub user: Option<UserId>,
    /// The author's name when it was written.
    pub author: String,
    /// When it was written, in milliseconds since 1970.
    pub at: u64,
    /// When it was edited last, in milliseconds since 1970.
    pub edited_at: Option<u64>,
    /// Its text.
    pub text: String,
}

/// A note to write.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NewNote {
    /// The conversation that it belongs to.
    pub conversation: ConversationId,
    /// The user who writes it; `None` for a program.
    pub user: Option<UserId>,
    /// The author's name: of the user, the token or the automation.
    pub author: String,
    /// Its text.
    pub text: String,
    /// The same key again is the same note.
    pub key: Option<String>,
    /// The current time, in milliseconds since 1970.
    pub now: u64,
}

/// An answer that is kept to be used again.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct CannedAnswerView {
    /// Its row id.
    pub id: CannedAnswerId,
    /// Whose it is.
    pub workspace: WorkspaceId,
    /// What is typed after `/`; unique in its workspace.
    pub shortcut: String,
    /// Its title in lists.
    pub title: String,
    /// Its text, with variables such as `{{contact.name}}`.
    pub text: String,
    /// When it was made, in milliseconds since 1970.
    pub created_at: u64,
}

/// The content of a canned answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CannedAnswerText {
    /// What is typed after `/`; unique in its workspace.
    pub shortcut: String,
    /// Its title in lists.
    pub title: String,
    /// Its text, with variables.
    pub text: String,
}
