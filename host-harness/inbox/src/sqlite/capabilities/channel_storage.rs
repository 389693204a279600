//! Owns: the channels' key-value storage, in SQLite.
//! Does not own: the meaning of the values.

use async_trait::async_trait;
use harness_contract::StorageError;
use rusqlite::{OptionalExtension as _, params};

use crate::{
    error::InboxError,
    model::AccountId,
    sqlite::{rows::accounts::is_current, store::SqliteStore},
    store::ChannelStorage,
    store::{MAX_STORAGE_KEY, STORAGE_QUOTA},
};

/// The most keys that one call lists.
const MAX_KEYS: i64 = 1000;

fn unavailable(error: &InboxError) -> StorageError {
    tracing::error!(%error, "a channel's storage did not answer");
    StorageError::Unavailable
}

fn checked(key: &str) -> Result<String, StorageError> {
    if key.is_empty() || key.len() > MAX_STORAGE_KEY { Err(StorageError::InvalidKey) } else { Ok(key.to_owned()) }
}

#[async_trait]
impl ChannelStorage for SqliteStore {
    async fn storage_get(&self, account: AccountId, key: &str) -> Result<Option<Vec<u8>>, StorageError> {
        let key = checked(key)?;
        let value = self.readers.read(move |connection| {
            Ok(connection
                .prepare_cached("SELECT value FROM channel_kv WHERE account_id = ?1 AND key = ?2")?
                .query_row(params![account, key], |row| row.get(0))
                .optional()?)
        });
        value.await.map_err(|error| unavailable(&error))
    }

    async fn storage_set(
        &self,
        account: AccountId,
        connection: i64,
        key: &str,
        value: Vec<u8>,
    ) -> Result<(), StorageError> {
        let key = checked(key)?;
        let stored = self.writer.write(move |tx| {
            if !is_current(tx, account, connection)? {
                return Err(InboxError::NotFound { what: "connection of the account", id: connection.to_string() });
            }
            let others: i64 = tx
                .prepare_cached(
                    "SELECT coalesce(sum(length(value) + length(CAST(key AS BLOB))), 0) FROM channel_kv WHERE account_id = ?1 AND key <> ?2",
                )?
                .query_row(params![account, key], |row| row.get(0))?;
            // Keys count too, so that empty values are not free.
            let taken = value.len().saturating_add(key.len()) as u64;
            if u64::try_from(others).unwrap_or(0).saturating_add(taken) > STORAGE_QUOTA {
                return Ok(false);
            }
            tx.prepare_cached(
                "INSERT INTO channel_kv (account_id, key, value) VALUES (?1, ?2, ?3)
                 ON CONFLICT DO UPDATE SET value = ?3",
            )?
            .execute(params![account, key, value])?;
            Ok(true)
        });
        match stored.await {
            Ok(true) => Ok(()),
            Ok(false) => Err(StorageError::QuotaExceeded(STORAGE_QUOTA)),
            Err(error) => Err(unavailable(&error)),
        }
    }

    async fn storage_delete(&self, account: AccountId, connection: i64, key: &str) -> Result<(), StorageError> {
        let key = checked(key)?;
        let deleted = self.writer.write(move |tx| {
            if is_current(tx, account, connection)? {
                tx.prepare_cached("DELETE FROM channel_kv WHERE account_id = ?1 AND key = ?2")?
                    .execute(params![account, key])?;
            }
            Ok(())
        });
        deleted.await.map_err(|error| unavailable(&error))
    }

    async fn storage_keys(&self, account: AccountId, prefix: &str) -> Result<Vec<String>, StorageError> {
        let prefix = prefix.to_owned();
        let keys = self.readers.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT key FROM channel_kv WHERE account_id = ?1 AND substr(key, 1, length(?2)) = ?2
                 ORDER BY key LIMIT ?3",
            )?;
            let rows = statement.query_map(params![account, prefix, MAX_KEYS], |row| row.get(0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        });
        keys.await.map_err(|error| unavailable(&error))
    }
}
