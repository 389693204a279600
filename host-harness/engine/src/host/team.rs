//! Owns: the product's interface to what a team makes of conversations: states, assignees, collections, labels, notes,
//! canned answers, saved views.
//! Does not own: reading them ([`Host::inbox`]), who may change them.

use harness_inbox::{
    AccountId, CannedAnswerId, CannedAnswerText, CollectionId, ConversationChange, ConversationId, InboxError,
    LabelChange, LabelId, NewNote, NewSavedView, NewState, NoteId, Organised, SavedViewId, UserId, ViewFilters,
    WhenClosed, WorkspaceId,
};

use super::{Host, HostError};
use crate::organisation::{self, Filled, Values, fill};

impl Host {
    /// Changes a conversation's state, assignee or collection.
    ///
    /// # Errors
    /// `NotFound` for an assignee or a collection of another workspace, `Continued` for one that goes on in another
    /// conversation and is to be opened.
    pub async fn change_conversation(
        &self,
        conversation: ConversationId,
        change: ConversationChange,
    ) -> Result<Organised, HostError> {
        let changed = self.base().inbox.change_conversation(conversation, change, self.clock().now()).await?;
        if matches!(change.state, Some(NewState::Snoozed(_))) {
            self.base().wake.snoozed.notify_one();
        }
        Ok(changed)
    }

    /// Chooses what becomes of an account's closed conversations when the customer writes again.
    pub async fn choose_when_closed(&self, account: AccountId, choice: WhenClosed) -> Result<(), HostError> {
        Ok(self.base().inbox.choose_when_closed(account, choice, self.clock().now()).await?)
    }

    /// Changes a conversation's labels. Returns whether anything changed.
    pub async fn change_labels(&self, conversation: ConversationId, change: LabelChange) -> Result<bool, HostError> {
        Ok(self.base().inbox.change_labels(conversation, change, self.clock().now()).await?)
    }

    /// Writes a private note in the name of a user, or of a program called `author`. With a key that was given before it is
    /// the note that was written then.
    pub async fn add_note(
        &self,
        conversation: ConversationId,
        user: Option<UserId>,
        author: &str,
        text: &str,
        key: Option<&str>,
    ) -> Result<NoteId, HostError> {
        let (author, text, key) = (author.to_owned(), organisation::note(text)?, key.map(str::to_owned));
        let note = NewNote { conversation, user, author, text, key, now: self.clock().now() };
        Ok(self.base().inbox.add_note(note).await?)
    }

    /// Changes the text of a note.
    pub async fn edit_note(&self, id: NoteId, text: &str) -> Result<(), HostError> {
        Ok(self.base().inbox.edit_note(id, organisation::note(text)?, self.clock().now()).await?)
    }

    /// Deletes a note.
    pub async fn delete_note(&self, id: NoteId) -> Result<(), HostError> {
        Ok(self.base().inbox.delete_note(id, self.clock().now()).await?)
    }

    /// Saves a view of the list: for a user of the workspace, or for everybody in it.
    pub async fn save_view(
        &self,
        workspace: WorkspaceId,
        user: Option<UserId>,
        name: &str,
        filters: ViewFilters,
    ) -> Result<SavedViewId, HostError> {
        let (name, now) = (organisation::name(name)?, self.clock().now());
        Ok(self.base().inbox.save_view(NewSavedView { workspace, user, name, filters, now }).await?)
    }

    /// Changes a saved view's name, or what it shows. `None` leaves it as it is.
    pub async fn change_view(
        &self,
        id: SavedViewId,
        name: Option<&str>,
        filters: Option<ViewFilters>,
    ) -> Result<(), HostError> {
        let name = name.map(organisation::name).transpose()?;
        Ok(self.base().inbox.change_view(id, name, filters, self.clock().now()).await?)
    }

    /// Deletes a saved view.
    pub async fn delete_view(&self, id: SavedViewId) -> Result<(), HostError> {
        Ok(self.base().inbox.delete_view(id, self.clock().now()).await?)
    }

    /// A user has looked at a conversation, and at the notes in it that mention them. Returns whether one was new.
    pub async fn see_mentions(&self, user: UserId, conversation: ConversationId) -> Result<bool, HostError> {
        Ok(self.base().inbox.see_mentions(user, conversation, self.clock().now()).await?)
    }

    /// Makes a collection.
    pub async fn add_collection(&self, workspace: WorkspaceId, name: &str) -> Result<CollectionId, HostError> {
        let name = organisation::name(name)?;
        Ok(self.base().inbox.add_collection(workspace, name, self.clock().now()).await?)
    }

    /// Renames a collection.
    pub async fn rename_collection(&self, id: CollectionId, name: &str) -> Result<(), HostError> {
        Ok(self.base().inbox.rename_collection(id, organisation::name(name)?, self.clock().now()).await?)
    }

    /// Deletes a collection; its conversations stay, in none.
    pub async fn delete_collection(&self, id: CollectionId) -> Result<(), HostError> {
        Ok(self.base().inbox.delete_collection(id, self.clock().now()).await?)
    }

    /// Makes a label.
    pub async fn add_label(&self, workspace: WorkspaceId, name: &str, color: &str) -> Result<LabelId, HostError> {
        let (name, color) = (organisation::name(name)?, organisation::color(color)?);
        Ok(self.base().inbox.add_label(workspace, name, color, self.clock().now()).await?)
    }

    /// Changes a label.
    pub async fn edit_label(&self, id: LabelId, name: &str, color: &str) -> Result<(), HostError> {
        let (name, color) = (organisation::name(name)?, organisation::color(color)?);
        Ok(self.base().inbox.edit_label(id, name, color, self.clock().now()).await?)
    }

    /// Deletes a label from all conversations.
    pub async fn delete_label(&self, id: LabelId) -> Result<(), HostError> {
        Ok(self.base().inbox.delete_label(id, self.clock().now()).await?)
    }

    /// Makes a canned answer.
    pub async fn add_canned_answer(
        &self,
        workspace: WorkspaceId,
        content: &CannedAnswerText,
    ) -> Result<CannedAnswerId, HostError> {
        let content = organisation::canned_answer(content)?;
        Ok(self.base().inbox.add_canned_answer(workspace, content, self.clock().now()).await?)
    }

    /// Changes a canned answer.
    pub async fn edit_canned_answer(&self, id: CannedAnswerId, content: &CannedAnswerText) -> Result<(), HostError> {
        let content = organisation::canned_answer(content)?;
        Ok(self.base().inbox.edit_canned_answer(id, content, self.clock().now()).await?)
    }

    /// Deletes a canned answer.
    pub async fn delete_canned_answer(&self, id: CannedAnswerId) -> Result<(), HostError> {
        Ok(self.base().inbox.delete_canned_answer(id, self.clock().now()).await?)
    }

    /// A canned answer with its variables filled in for a conversation of the same workspace. `agent` is the name of the
    /// person who answers.
    pub async fn fill_canned_answer(
        &self,
        id: CannedAnswerId,
        conversation: ConversationId,
        agent: Option<&str>,
    ) -> Result<Filled, HostError> {
        let inbox = &self.base().inbox;
        let answer = inbox.canned_answer(id).await?;
        let about = inbox.conversation(conversation).await?;
        if about.workspace != answer.workspace {
            return Err(InboxError::NotFound { what: "conversation", id: conversation.to_string() }.into());
        }
        let account = inbox.account_row(about.account_id).await?;
        let values = Values {
            contact_name: about.name,
            contact_username: about.username,
            agent_name: agent.map(str::to_owned),
            account_name: Some(account.name),
            account_username: account.username,
        };
        Ok(fill(&answer.text, &values)?)
    }
}
