//! Owns: keeping conversations in order: state, assignee, collection, labels, notes; and the lists that a team shares.
//! Does not own: who may do it (the server), rendering canned answers (the engine).

use async_trait::async_trait;

use crate::{
    error::InboxError,
    model::{
        AccountId, CannedAnswerId, CannedAnswerText, CannedAnswerView, CollectionId, CollectionView,
        ConversationChange, ConversationId, LabelChange, LabelId, LabelView, NewNote, NoteId, NoteView, Organised,
        Page, Place, WhenClosed, WorkspaceId,
    },
};

/// The most labels of one conversation.
pub const MAX_LABELS: usize = 50;
/// The most collections, labels or canned answers of one workspace, each.
pub const MAX_SHARED: usize = 1000;

/// Reading what a team shares.
#[async_trait]
pub trait OrganisationViews: Send + Sync {
    /// The collections of a workspace, by name.
    async fn collections(&self, workspace: WorkspaceId) -> Result<Vec<CollectionView>, InboxError>;

    /// One collection.
    async fn collection(&self, id: CollectionId) -> Result<CollectionView, InboxError>;

    /// The labels of a workspace, by name.
    async fn labels(&self, workspace: WorkspaceId) -> Result<Vec<LabelView>, InboxError>;

    /// One label.
    async fn label(&self, id: LabelId) -> Result<LabelView, InboxError>;

    /// The canned answers of a workspace, by shortcut.
    async fn canned_answers(&self, workspace: WorkspaceId) -> Result<Vec<CannedAnswerView>, InboxError>;

    /// One canned answer.
    async fn canned_answer(&self, id: CannedAnswerId) -> Result<CannedAnswerView, InboxError>;

    /// The notes of a conversation before this cursor, newest first.
    async fn notes_before(
        &self,
        conversation: ConversationId,
        before: Option<Place>,
        limit: usize,
    ) -> Result<Page<NoteView>, InboxError>;

    /// One note.
    async fn note(&self, id: NoteId) -> Result<NoteView, InboxError>;

    /// The conversation in which this one goes on, because the customer wrote again after it was closed; `None` if this one
    /// goes on itself.
    async fn goes_on_in(&self, conversation: ConversationId) -> Result<Option<ConversationId>, InboxError>;

    /// The next time after `after` at which a snoozed conversation is opened, in milliseconds since 1970.
    async fn next_snoozed(&self, after: u64) -> Result<Option<u64>, InboxError>;
}

/// Keeping conversations in order. `now` is in milliseconds since 1970.
#[async_trait]
pub trait Organisation: Send + Sync {
    /// Changes a conversation's state, assignee or collection. The assignee and the collection have to be of its
    /// workspace.
    ///
    /// # Errors
    /// [`InboxError::Continued`] for a closed conversation that goes on in another one and is to be opened.
    async fn change_conversation(
        &self,
        conversation: ConversationId,
        change: ConversationChange,
        now: u64,
    ) -> Result<Organised, InboxError>;

    /// Chooses what becomes of an account's closed conversations when the customer writes again. Conversations that were
    /// begun anew before stay so.
    async fn choose_when_closed(&self, account: AccountId, choice: WhenClosed, now: u64) -> Result<(), InboxError>;

    /// Changes a conversation's labels, which have to be of its workspace: at most [`MAX_LABELS`]. Returns whether
    /// anything changed.
    async fn change_labels(
        &self,
        conversation: ConversationId,
        change: LabelChange,
        now: u64,
    ) -> Result<bool, InboxError>;

    /// Opens the conversations that were snoozed until `now` or earlier, at most `limit`. Returns how many.
    async fn open_snoozed(&self, now: u64, limit: usize) -> Result<usize, InboxError>;

    /// Writes a note, once for a key, and makes a mention for each person whom it names after an `@` ([`crate::named_in`]).
    async fn add_note(&self, note: NewNote) -> Result<NoteId, InboxError>;

    /// Changes the text of a note, and whom it mentions.
    async fn edit_note(&self, id: NoteId, text: String, now: u64) -> Result<(), InboxError>;

    /// Deletes a note and its text.
    async fn delete_note(&self, id: NoteId, now: u64) -> Result<(), InboxError>;

    /// Makes a collection: at most [`MAX_SHARED`] in a workspace.
    async fn add_collection(&self, workspace: WorkspaceId, name: String, now: u64) -> Result<CollectionId, InboxError>;

    /// Renames a collection.
    async fn rename_collection(&self, id: CollectionId, name: String, now: u64) -> Result<(), InboxError>;

    /// Deletes a collection. Its conversations stay, in no collection.
    async fn delete_collection(&self, id: CollectionId, now: u64) -> Result<(), InboxError>;

    /// Makes a label: at most [`MAX_SHARED`] in a workspace.
    async fn add_label(
        &self,
        workspace: WorkspaceId,
        name: String,
        color: String,
        now: u64,
    ) -> Result<LabelId, InboxError>;

    /// Changes a label's name and color.
    async fn edit_label(&self, id: LabelId, name: String, color: String, now: u64) -> Result<(), InboxError>;

    /// Deletes a label from all conversations.
    async fn delete_label(&self, id: LabelId, now: u64) -> Result<(), InboxError>;

    /// Makes a canned answer: at most [`MAX_SHARED`] in a workspace.
    async fn add_canned_answer(
        &self,
        workspace: WorkspaceId,
        content: CannedAnswerText,
        now: u64,
    ) -> Result<CannedAnswerId, InboxError>;

    /// Changes a canned answer.
    async fn edit_canned_answer(
        &self,
        id: CannedAnswerId,
        content: CannedAnswerText,
        now: u64,
    ) -> Result<(), InboxError>;

    /// Deletes a canned answer.
    async fn delete_canned_answer(&self, id: CannedAnswerId, now: u64) -> Result<(), InboxError>;
}
