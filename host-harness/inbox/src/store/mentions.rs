//! Owns: which private notes mention whom, and what they have seen of it.
//! Does not own: the notes, whose writing makes and ends mentions ([`super::Organisation`]).

use async_trait::async_trait;

use crate::{
    error::InboxError,
    model::{ConversationId, MentionView, Page, Place, UserId},
};

/// Reading mentions.
#[async_trait]
pub trait MentionViews: Send + Sync {
    /// The notes that mention a user, before this cursor, newest first; with `unseen` only those that they have not seen.
    async fn mentions_before(
        &self,
        user: UserId,
        unseen: bool,
        before: Option<Place>,
        limit: usize,
    ) -> Result<Page<MentionView>, InboxError>;

    /// The conversations with mentions that a user has not seen, and how many: of the newest 1000 mentions.
    async fn unseen_mentions(&self, user: UserId) -> Result<Vec<(ConversationId, u64)>, InboxError>;
}

/// Seeing mentions.
#[async_trait]
pub trait Mentions: Send + Sync {
    /// A user has looked at a conversation: they have seen its notes. Returns whether anything was new to them.
    async fn see_mentions(&self, user: UserId, conversation: ConversationId, now: u64) -> Result<bool, InboxError>;
}
