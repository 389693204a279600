//! Owns: reading conversations.
//! Does not own: changing them, which events and replies do.

use async_trait::async_trait;
use harness_contract::{ConversationContext, KnownComment, WindowPolicy};

use crate::{
    error::InboxError,
    model::{AccountId, ActivityView, ConversationId, ConversationSummary, Page, Place, TimelineEntry},
};

/// Conversations and what is in them, for reading; and that somebody has read them.
#[async_trait]
pub trait Conversations: Send + Sync {
    /// The newest conversations.
    async fn conversations(&self, limit: usize) -> Result<Vec<ConversationSummary>, InboxError> {
        Ok(self.conversations_before(None, limit).await?.entries)
    }

    /// Conversations, the newest first, behind this place.
    async fn conversations_before(
        &self,
        before: Option<Place>,
        limit: usize,
    ) -> Result<Page<ConversationSummary>, InboxError>;

    /// The newest messages of a conversation, in platform order.
    async fn timeline(&self, conversation: ConversationId, limit: usize) -> Result<Vec<TimelineEntry>, InboxError> {
        Ok(self.timeline_before(conversation, None, limit).await?.entries)
    }

    /// Messages of a conversation before this place, in platform order: the newest of them.
    async fn timeline_before(
        &self,
        conversation: ConversationId,
        before: Option<Place>,
        limit: usize,
    ) -> Result<Page<TimelineEntry>, InboxError>;

    /// Notices, the newest first, behind this place: all, or those of a conversation, or of a kind.
    async fn activities_before(
        &self,
        conversation: Option<ConversationId>,
        kind: Option<String>,
        before: Option<Place>,
        limit: usize,
    ) -> Result<Page<ActivityView>, InboxError>;

    /// Everything about a conversation that a message depends on, under the channel's policy.
    async fn context(
        &self,
        conversation: ConversationId,
        policy: &WindowPolicy,
        now: u64,
    ) -> Result<ConversationContext, InboxError>;

    /// What the channel gave to be kept for a message of the conversation's account; none where there is nothing.
    async fn message_context(&self, conversation: ConversationId, message: &str)
    -> Result<Option<Vec<u8>>, InboxError>;

    /// What is known of a public comment on what a conversation's account published; none where it never came.
    async fn known_comment(
        &self,
        conversation: ConversationId,
        comment: &str,
    ) -> Result<Option<KnownComment>, InboxError>;

    /// The channel that a conversation belongs to.
    async fn channel_of(&self, conversation: ConversationId) -> Result<String, InboxError>;

    /// The account's row that a conversation belongs to.
    async fn account_of(&self, conversation: ConversationId) -> Result<AccountId, InboxError>;

    /// Marks a conversation as read, which the customer is not told. Returns how many messages were unread.
    async fn mark_read(&self, conversation: ConversationId) -> Result<usize, InboxError>;
}
