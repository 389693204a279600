//! Owns: sealed credentials and connect links, in SQLite.
//! Does not own: the key, sealing, the meaning of a link.

use async_trait::async_trait;
use rusqlite::params;

use crate::{
    error::InboxError,
    model::{SealedCredential, StoredLink},
    sqlite::{
        columns::collect,
        rows::accounts::{put_credential, read_credential},
        store::SqliteStore,
    },
    store::Credentials,
};

#[async_trait]
impl Credentials for SqliteStore {
    async fn credentials(&self) -> Result<Vec<SealedCredential>, InboxError> {
        self.readers
            .read(|connection| {
                let sql = "SELECT channel, account, slot, sealed FROM credential";
                collect(connection, sql, [], read_credential)
            })
            .await
    }

    async fn put_credential(&self, credential: SealedCredential, connection: i64) -> Result<bool, InboxError> {
        self.writer
            .write(move |tx| {
                let current = tx
                    .prepare_cached(
                        "SELECT 1 FROM account WHERE channel = ?1 AND platform_id = ?2 AND connection = ?3
                             AND state <> 'disconnected'",
                    )?
                    .exists(params![credential.channel, credential.account, connection])?;
                if current {
                    put_credential(tx, &credential)?;
                }
                Ok(current)
            })
            .await
    }

    async fn put_channel_credential(&self, channel: &str, slot: &str, sealed: Vec<u8>) -> Result<(), InboxError> {
        let credential = SealedCredential { channel: channel.to_owned(), account: None, slot: slot.to_owned(), sealed };
        self.writer.write(move |tx| put_credential(tx, &credential)).await
    }

    async fn put_link(&self, link: StoredLink) -> Result<(), InboxError> {
        self.writer
            .write(move |tx| {
                tx.prepare_cached(
                    "INSERT INTO link (id, version, sealed) VALUES (?1, ?2, ?3)
                     ON CONFLICT DO UPDATE SET version = ?2, sealed = ?3 WHERE version < ?2",
                )?
                .execute(params![link.id, link.version, link.sealed])?;
                Ok(())
            })
            .await
    }

    async fn links(&self) -> Result<Vec<StoredLink>, InboxError> {
        self.readers
            .read(|connection| {
                collect(connection, "SELECT id, version, sealed FROM link", [], |row| {
                    Ok(StoredLink { id: row.get(0)?, version: row.get(1)?, sealed: row.get(2)? })
                })
            })
            .await
    }

    async fn delete_links(&self, ids: Vec<[u8; 32]>) -> Result<(), InboxError> {
        self.writer
            .write(move |tx| {
                let mut delete = tx.prepare_cached("DELETE FROM link WHERE id = ?1")?;
                ids.iter().try_for_each(|id| delete.execute(params![id]).map(|_| ()))?;
                Ok(())
            })
            .await
    }
}
