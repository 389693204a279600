//! Owns: reading conversations.
//! Does not own: changes to them, which come from events and replies.

use async_trait::async_trait;
use harness_contract::{ConversationContext, KnownComment, Window, WindowPolicy};

use crate::{
    error::InboxError,
    model::{
        AccountId, ActivityFilter, ActivityId, ActivityView, Around, ConversationEntry, ConversationFilter,
        ConversationId, ConversationSummary, MergedPlace, MessageId, Page, Place, TimelineEntry, WorkspaceId,
    },
};

/// Reading conversations and their content, and marking them as read.
#[async_trait]
pub trait Conversations: Send + Sync {
    /// The newest conversations.
    async fn conversations(&self, limit: usize) -> Result<Vec<ConversationSummary>, InboxError> {
        Ok(self.conversations_before(None, limit).await?.entries)
    }

    /// Conversations older than this cursor, newest first.
    async fn conversations_before(
        &self,
        before: Option<Place>,
        limit: usize,
    ) -> Result<Page<ConversationSummary>, InboxError> {
        self.conversations_of(ConversationFilter::default(), before, limit).await
    }

    /// Conversations that a filter lets through and that are older than this cursor, newest first.
    async fn conversations_of(
        &self,
        filter: ConversationFilter,
        before: Option<Place>,
        limit: usize,
    ) -> Result<Page<ConversationSummary>, InboxError>;

    /// One conversation, as in the list.
    async fn conversation(&self, conversation: ConversationId) -> Result<ConversationSummary, InboxError>;

    /// The newest messages and activities of a conversation before this cursor, in platform order.
    async fn entries_before(
        &self,
        conversation: ConversationId,
        before: Option<MergedPlace>,
        limit: usize,
    ) -> Result<Page<ConversationEntry, MergedPlace>, InboxError>;

    /// The newest messages of a conversation, in platform order.
    async fn timeline(&self, conversation: ConversationId, limit: usize) -> Result<Vec<TimelineEntry>, InboxError> {
        Ok(self.timeline_before(conversation, None, limit).await?.entries)
    }

    /// The newest messages of a conversation before this cursor, in platform order.
    async fn timeline_before(
        &self,
        conversation: ConversationId,
        before: Option<Place>,
        limit: usize,
    ) -> Result<Page<TimelineEntry>, InboxError>;

    /// The oldest messages of a conversation after this cursor, oldest first; the page's `next` goes on towards the newest.
    async fn timeline_after(
        &self,
        conversation: ConversationId,
        after: Place,
        limit: usize,
    ) -> Result<Page<TimelineEntry>, InboxError>;

    /// The messages around one of a conversation, oldest first: at most `limit` before it, and as many from it on. `None`
    /// where the conversation does not have it.
    async fn timeline_around(
        &self,
        conversation: ConversationId,
        message: MessageId,
        limit: usize,
    ) -> Result<Option<Around>, InboxError>;

    /// Activities before this cursor that a filter lets through, newest first.
    async fn activities_before(
        &self,
        filter: ActivityFilter,
        before: Option<Place>,
        limit: usize,
    ) -> Result<Page<ActivityView>, InboxError>;

    /// One message, with its conversation.
    async fn message(&self, message: MessageId) -> Result<(ConversationId, TimelineEntry), InboxError>;

    /// One activity.
    async fn activity(&self, activity: ActivityId) -> Result<ActivityView, InboxError>;

    /// The newest message of each of these conversations, in their order; `None` where there is none.
    async fn newest_messages(
        &self,
        conversations: Vec<ConversationId>,
    ) -> Result<Vec<Option<TimelineEntry>>, InboxError>;

    /// The windows of these conversations, as in their [`context`](Self::context). One that does not exist is left out.
    async fn windows(
        &self,
        conversations: Vec<ConversationId>,
        policy: &WindowPolicy,
        now: u64,
    ) -> Result<Vec<(ConversationId, Window)>, InboxError>;

    /// Everything that sending to a conversation depends on, under the channel's policy.
    async fn context(
        &self,
        conversation: ConversationId,
        policy: &WindowPolicy,
        now: u64,
    ) -> Result<ConversationContext, InboxError>;

    /// The context that the channel supplied for a message of the conversation's account; `None` if it supplied none.
    async fn message_context(&self, conversation: ConversationId, message: &str)
    -> Result<Option<Vec<u8>>, InboxError>;

    /// What is known of a public comment on content of the conversation's account; `None` if it was never received.
    async fn known_comment(
        &self,
        conversation: ConversationId,
        comment: &str,
    ) -> Result<Option<KnownComment>, InboxError>;

    /// The channel that a conversation belongs to.
    async fn channel_of(&self, conversation: ConversationId) -> Result<String, InboxError>;

    /// The row id of the account that a conversation belongs to.
    async fn account_of(&self, conversation: ConversationId) -> Result<AccountId, InboxError>;

    /// The unread messages of a workspace's open and pending conversations, counted up to `most`.
    async fn unread(&self, workspace: WorkspaceId, most: i64) -> Result<i64, InboxError>;

    /// Marks a conversation as read, without telling the customer. Returns how many messages were unread.
    async fn mark_read(&self, conversation: ConversationId, now: u64) -> Result<usize, InboxError>;

    /// Marks the newest message of the customer as unread, so that the conversation stands out again. Returns whether
    /// there is one, and it was read.
    async fn mark_unread(&self, conversation: ConversationId, now: u64) -> Result<bool, InboxError>;
}
