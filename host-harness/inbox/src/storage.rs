//! What a channel remembers of an account, by its own keys. Belongs here: the bounds, and that one account
//! never sees another's. What the values mean is the channel's to know.

use harness_contract::StorageError;
use rusqlite::{OptionalExtension as _, params};

use crate::{Inbox, InboxError, accounts::is_current};

/// What the keys and values of one account may take together, in bytes.
const QUOTA: u64 = 256 << 10;
/// The longest key, in bytes.
pub const MAX_STORAGE_KEY: usize = 256;
/// Keys in one list.
const MAX_KEYS: i64 = 1000;

fn unavailable(error: &InboxError) -> StorageError {
    tracing::error!(%error, "a channel's storage did not answer");
    StorageError::Unavailable
}

fn checked(key: &str) -> Result<String, StorageError> {
    if key.is_empty() || key.len() > MAX_STORAGE_KEY { Err(StorageError::InvalidKey) } else { Ok(key.to_owned()) }
}

impl Inbox {
    /// `storage.get`
    pub async fn storage_get(&self, account: i64, key: &str) -> Result<Option<Vec<u8>>, StorageError> {
        let key = checked(key)?;
        let value = self.readers.read(|connection| {
            Ok(connection
                .prepare_cached("SELECT value FROM storage WHERE account_id = ?1 AND key = ?2")?
                .query_row(params![account, key], |row| row.get(0))
                .optional()?)
        });
        value.await.map_err(|error| unavailable(&error))
    }

    /// `storage.set`: durable when it returns. Refused where the account was connected or disconnected since
    /// `connection`.
    pub async fn storage_set(
        &self,
        account: i64,
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
                    "SELECT coalesce(sum(length(value) + length(CAST(key AS BLOB))), 0) FROM storage WHERE account_id = ?1 AND key <> ?2",
                )?
                .query_row(params![account, key], |row| row.get(0))?;
            // Empty values take room as well: they have keys.
            let taken = value.len().saturating_add(key.len()) as u64;
            if u64::try_from(others).unwrap_or(0).saturating_add(taken) > QUOTA {
                return Ok(false);
            }
            tx.prepare_cached(
                "INSERT INTO storage (account_id, key, value) VALUES (?1, ?2, ?3)
                 ON CONFLICT DO UPDATE SET value = ?3",
            )?
            .execute(params![account, key, value])?;
            Ok(true)
        });
        match stored.await {
            Ok(true) => Ok(()),
            Ok(false) => Err(StorageError::QuotaExceeded(QUOTA)),
            Err(error) => Err(unavailable(&error)),
        }
    }

    /// `storage.delete`. Changes nothing where the account was connected or disconnected since `connection`.
    pub async fn storage_delete(&self, account: i64, connection: i64, key: &str) -> Result<(), StorageError> {
        let key = checked(key)?;
        let deleted = self.writer.write(move |tx| {
            if is_current(tx, account, connection)? {
                tx.prepare_cached("DELETE FROM storage WHERE account_id = ?1 AND key = ?2")?
                    .execute(params![account, key])?;
            }
            Ok(())
        });
        deleted.await.map_err(|error| unavailable(&error))
    }

    /// `storage.keys`
    pub async fn storage_keys(&self, account: i64, prefix: &str) -> Result<Vec<String>, StorageError> {
        let keys = self.readers.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT key FROM storage WHERE account_id = ?1 AND substr(key, 1, length(?2)) = ?2
                 ORDER BY key LIMIT ?3",
            )?;
            let rows = statement.query_map(params![account, prefix, MAX_KEYS], |row| row.get(0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        });
        keys.await.map_err(|error| unavailable(&error))
    }
}
