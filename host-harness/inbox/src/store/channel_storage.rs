//! Owns: the channels' key-value storage.
//! Does not own: the meaning of the values.

use async_trait::async_trait;
use harness_contract::StorageError;

use crate::model::AccountId;

/// The most that the keys and values of one account may hold together, in bytes.
pub const STORAGE_QUOTA: u64 = 256 << 10;
/// The maximum length of a key, in bytes.
pub const MAX_STORAGE_KEY: usize = 256;

/// A channel's key-value storage, separate for each account.
#[async_trait]
pub trait ChannelStorage: Send + Sync {
    /// `storage.get`.
    async fn storage_get(&self, account: AccountId, key: &str) -> Result<Option<Vec<u8>>, StorageError>;

    /// `storage.set`: durable when it returns. Fails if the account was connected or disconnected since `connection`.
    async fn storage_set(
        &self,
        account: AccountId,
        connection: i64,
        key: &str,
        value: Vec<u8>,
    ) -> Result<(), StorageError>;

    /// `storage.delete`. Does nothing if the account was connected or disconnected since `connection`.
    async fn storage_delete(&self, account: AccountId, connection: i64, key: &str) -> Result<(), StorageError>;

    /// `storage.keys`.
    async fn storage_keys(&self, account: AccountId, prefix: &str) -> Result<Vec<String>, StorageError>;
}
