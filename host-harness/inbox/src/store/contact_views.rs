//! Owns: reading contacts.
//! Does not own: their conversations (`conversations`), fetching their profiles (`contacts`).

use async_trait::async_trait;

use crate::{
    error::InboxError,
    model::{ContactFilter, ContactId, ContactView, ConversationId, Page},
};

/// Reading contacts.
#[async_trait]
pub trait ContactViews: Send + Sync {
    /// Contacts older than this cursor that a filter lets through, newest first.
    async fn contacts_before(
        &self,
        filter: ContactFilter,
        before: Option<ContactId>,
        limit: usize,
    ) -> Result<Page<ContactView, ContactId>, InboxError>;

    /// One contact.
    async fn contact(&self, contact: ContactId) -> Result<ContactView, InboxError>;

    /// The conversations that a person is in: with this contact, in which it wrote, and those of the same platform id
    /// with other accounts of the channel in the same workspace. Newest first, at most `limit`.
    async fn conversations_with(&self, contact: ContactId, limit: usize) -> Result<Vec<ConversationId>, InboxError>;
}
