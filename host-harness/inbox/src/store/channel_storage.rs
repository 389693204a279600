//! Owns: what channels remember.
//! Does not own: what the values mean.

use async_trait::async_trait;
use harness_contract::StorageError;

use crate::model::AccountId;

/// What the keys and values of one account may take together, in bytes.
pub const STORAGE_QUOTA: u64 = 256 << 10;
/// The longest key, in bytes.
pub const MAX_STORAGE_KEY: usize = 256;

/// What a channel remembers of an account, by its own keys. One account never sees another's.
#[async_trait]
pub trait ChannelStorage: Send + Sync {
    /// `storage.get`
    async fn storage_get(&self, account: AccountId, key: &str) -> Result<Option<Vec<u8>>, StorageError>;

    /// `storage.set`: durable when it returns. Refused where the account was connected or disconnected since
    /// `connection`.
    async fn storage_set(
        &self,
        account: AccountId,
        connection: i64,
        key: &str,
        value: Vec<u8>,
    ) -> Result<(), StorageError>;

    /// `storage.delete`. Changes nothing where the account was connected or disconnected since `connection`.
    async fn storage_delete(&self, account: AccountId, connection: i64, key: &str) -> Result<(), StorageError>;

    /// `storage.keys`
    async fn storage_keys(&self, account: AccountId, prefix: &str) -> Result<Vec<String>, StorageError>;
}
