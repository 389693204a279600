//! Owns: finding messages by their words and conversations by their names.
//! Does not own: what a word is (`words`), when the index is brought up to date (the engine).

use async_trait::async_trait;

use crate::{
    error::InboxError,
    model::{ConversationHit, MessageHit, MessageSearch, Page, Place, WorkspaceId},
};

/// Searching.
#[async_trait]
pub trait SearchViews: Send + Sync {
    /// Messages with these words before this cursor, the last that came first. Nothing for a text without a word.
    async fn search_messages(
        &self,
        search: MessageSearch,
        before: Option<Place>,
        limit: usize,
    ) -> Result<Page<MessageHit>, InboxError>;

    /// Conversations of a workspace whose customer or thread has these words in its name, newest first: at most `limit`.
    async fn search_names(
        &self,
        workspace: WorkspaceId,
        text: String,
        limit: usize,
    ) -> Result<Vec<ConversationHit>, InboxError>;
}

/// The index of the search. What is deleted or edited leaves it in the transaction that deletes it; what is new comes
/// into it later, so that accepting messages does not wait for it.
#[async_trait]
pub trait SearchIndex: Send + Sync {
    /// Indexes at most `limit` texts and names that are new, and fewer if somebody waits for another write. Returns how many
    /// it took: 0 if none are left.
    async fn index(&self, limit: usize) -> Result<usize, InboxError>;
}
