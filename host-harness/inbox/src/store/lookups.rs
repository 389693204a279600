//! Owns: reading what is not in a conversation's list: accounts, replies, files, requests for deletion.
//! Does not own: conversations, which are read through [`super::Conversations`].

use async_trait::async_trait;
use harness_contract::AccountSettings;

use crate::{
    error::InboxError,
    model::{AccountId, AccountRow, ConversationId, ErasureView, MediaId, MediaView, ReplyId, ReplyView, Upload},
};

/// Single things, for reading.
#[async_trait]
pub trait Lookups: Send + Sync {
    /// All accounts.
    async fn accounts(&self) -> Result<Vec<AccountRow>, InboxError>;

    /// One account.
    async fn account_row(&self, account: AccountId) -> Result<AccountRow, InboxError>;

    /// An account as its channel sees it, with the channel's id.
    async fn account(&self, account: AccountId) -> Result<(String, AccountSettings), InboxError>;

    /// Whether a reply was asked for under this key, in the account of this conversation, and not refused.
    async fn has_reply(&self, conversation: ConversationId, key: &str) -> Result<bool, InboxError>;

    /// A reply and the ends of its steps.
    async fn reply(&self, reply: ReplyId) -> Result<ReplyView, InboxError>;

    /// A file of a message.
    async fn media(&self, id: MediaId) -> Result<MediaView, InboxError>;

    /// A file that was given to be sent.
    async fn upload(&self, handle: &str) -> Result<Upload, InboxError>;

    /// How far a request for deletion has come.
    async fn erasure(&self, code: &str) -> Result<ErasureView, InboxError>;
}
