//! Owns: accounts and their archives' marks.
//! Does not own: their credentials (`credentials`), and what channels remember of them (`channel_storage`).

use async_trait::async_trait;

use crate::{
    error::InboxError,
    model::{AccountId, AccountState, DueHistory, HistoryMark, NewAccount, NewDelivery},
};

/// Accounts: connecting and disconnecting them, their states, and how far their archive has been read.
#[async_trait]
pub trait Accounts: Send + Sync {
    /// Makes an account known, or renews it: the id decides, so that it keeps its conversations whatever
    /// page or login it comes through. Deliveries that waited for it are translated again.
    async fn connect_account(&self, new: NewAccount) -> Result<AccountId, InboxError>;

    /// Notes whether an account can be used, and why not; nothing where it was connected or disconnected since
    /// `connection`: only connecting ends that an account is disconnected. Returns whether it was noted.
    async fn mark_account(
        &self,
        account: AccountId,
        connection: i64,
        state: AccountState,
        problem: Option<String>,
    ) -> Result<bool, InboxError>;

    /// Accounts whose credentials are to be renewed now.
    async fn due_refreshes(&self, now: u64) -> Result<Vec<AccountId>, InboxError>;

    /// Notes when an account's credentials end and when they are renewed next, if it is still connected as it was
    /// under `connection`.
    async fn note_refresh(
        &self,
        account: AccountId,
        connection: i64,
        refresh_before: Option<u64>,
        refresh_at: Option<u64>,
    ) -> Result<(), InboxError>;

    /// Forgets an account's credentials and what its channel remembers of it. Its conversations stay, or go where the
    /// present is given.
    async fn disconnect_account(&self, account: AccountId, delete_conversations: Option<u64>)
    -> Result<(), InboxError>;

    /// Accounts whose archive is to be read now.
    async fn due_history(&self, now: u64) -> Result<Vec<DueHistory>, InboxError>;

    /// Writes what was read into the journal, and how reading goes on: both or neither. Nothing where the account was
    /// connected or disconnected since `connection`: that reading begins anew, or has ended.
    async fn note_history(
        &self,
        account: AccountId,
        connection: i64,
        items: Vec<NewDelivery>,
        mark: HistoryMark,
    ) -> Result<(), InboxError>;
}
