//! Owns: accounts and the progress of reading their histories.
//! Does not own: their credentials (`credentials`), their channels' key-value storage (`channel_storage`).

use async_trait::async_trait;
use harness_contract::{EntryPoints, Setting};

use crate::{
    error::InboxError,
    model::{AccountId, AccountState, DueHistory, HistoryMark, NewAccount, NewDelivery},
};

/// Accounts: connecting and disconnecting them, their states, and how far their history has been read.
#[async_trait]
pub trait Accounts: Send + Sync {
    /// Connects an account, or reconnects it. The platform's id identifies it, so it keeps its conversations whichever
    /// page or login it is connected through. Deliveries waiting for it are queued for translation again.
    ///
    /// # Errors
    /// [`InboxError::OtherWorkspace`] if it belongs to another workspace than the one given.
    async fn connect_account(&self, new: NewAccount) -> Result<AccountId, InboxError>;

    /// Records whether an account is usable, and if not, why. Does nothing if it was connected or disconnected since
    /// `connection`; a disconnected account stays so until it is connected again. Returns whether the state was
    /// recorded.
    async fn mark_account(
        &self,
        account: AccountId,
        connection: i64,
        state: AccountState,
        problem: Option<String>,
        now: u64,
    ) -> Result<bool, InboxError>;

    /// Records the entry points that the platform has taken.
    async fn note_entry_points(
        &self,
        account: AccountId,
        entry_points: &EntryPoints,
        now: u64,
    ) -> Result<(), InboxError>;

    /// Accounts whose credentials are due for renewal.
    async fn due_refreshes(&self, now: u64) -> Result<Vec<AccountId>, InboxError>;

    /// The next time after `after` at which credentials are due for renewal, in milliseconds since 1970.
    async fn next_refresh(&self, after: u64) -> Result<Option<u64>, InboxError>;

    /// Records when an account's credentials expire and when to renew them next. Does nothing if the account was
    /// connected or disconnected since `connection`.
    async fn note_refresh(
        &self,
        account: AccountId,
        connection: i64,
        refresh_before: Option<u64>,
        refresh_at: Option<u64>,
    ) -> Result<(), InboxError>;

    /// Deletes an account's credentials and its channel's storage. Its conversations stay, unless
    /// `delete_conversations`.
    async fn disconnect_account(
        &self,
        account: AccountId,
        delete_conversations: bool,
        now: u64,
    ) -> Result<(), InboxError>;

    /// Updates settings of the account that its channel found to have changed, and leaves the others. Does nothing if
    /// the account was connected or disconnected since `connection`.
    async fn note_settings(
        &self,
        account: AccountId,
        connection: i64,
        changed: Vec<Setting>,
        now: u64,
    ) -> Result<(), InboxError>;

    /// Accounts whose history is due to be read.
    async fn due_history(&self, now: u64) -> Result<Vec<DueHistory>, InboxError>;

    /// The next time after `after` at which a history is due to be read, in milliseconds since 1970.
    async fn next_history(&self, after: u64) -> Result<Option<u64>, InboxError>;

    /// Has an account's history read at once, back to `from` or to where it would have been read anyway. Reading that has
    /// begun goes on where it is. Does nothing if the history is not read, or if the account was connected or
    /// disconnected since `connection`.
    async fn read_history_again(
        &self,
        account: AccountId,
        connection: i64,
        from: u64,
        now: u64,
    ) -> Result<(), InboxError>;

    /// Writes what was read to the journal and records where reading continues, in one transaction. Does nothing if the
    /// account was connected or disconnected since `connection`: then reading has restarted or ended.
    async fn note_history(
        &self,
        account: AccountId,
        connection: i64,
        items: Vec<NewDelivery>,
        mark: HistoryMark,
    ) -> Result<(), InboxError>;
}
