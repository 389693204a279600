//! Owns: reading single rows: accounts, replies, files, deletion requests.
//! Does not own: conversations, see [`super::Conversations`].

use async_trait::async_trait;
use harness_contract::{AccountSettings, Setting};

use crate::{
    error::InboxError,
    model::{AccountId, AccountRow, ConversationId, ErasureView, MediaId, MediaView, ReplyId, ReplyView, Upload},
};

/// Reading single rows.
#[async_trait]
pub trait Lookups: Send + Sync {
    /// All accounts.
    async fn accounts(&self) -> Result<Vec<AccountRow>, InboxError>;

    /// One account.
    async fn account_row(&self, account: AccountId) -> Result<AccountRow, InboxError>;

    /// An account as its channel sees it, with the channel's id.
    async fn account(&self, account: AccountId) -> Result<(String, AccountSettings), InboxError>;

    /// The settings of the channel's account with this platform's id; none where there is no such account.
    async fn settings_of(&self, channel: &str, account: &str) -> Result<Vec<Setting>, InboxError>;

    /// Whether a reply with this key exists in the account of this conversation and was not refused.
    async fn has_reply(&self, conversation: ConversationId, key: &str) -> Result<bool, InboxError>;

    /// A reply with the outcomes of its steps.
    async fn reply(&self, reply: ReplyId) -> Result<ReplyView, InboxError>;

    /// A file of a message.
    async fn media(&self, id: MediaId) -> Result<MediaView, InboxError>;

    /// An uploaded file.
    async fn upload(&self, handle: &str) -> Result<Upload, InboxError>;

    /// The progress of a deletion request.
    async fn erasure(&self, code: &str) -> Result<ErasureView, InboxError>;
}
