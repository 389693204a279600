//! Owns: lookups of single rows, in SQLite.
//! Does not own: lists (`conversations`).

use async_trait::async_trait;
use harness_contract::{AccountSettings, Setting};
use rusqlite::{OptionalExtension as _, params};

use crate::{
    error::InboxError,
    model::{AccountId, AccountRow, ConversationId, ErasureView, MediaId, MediaView, ReplyId, ReplyView, Upload},
    sqlite::{
        columns::{collect, from_millis},
        rows::accounts::{COLUMNS, account_settings, read_account},
        store::SqliteStore,
        views::{
            self,
            media::{select, view},
        },
    },
    store::Lookups,
};

#[async_trait]
impl Lookups for SqliteStore {
    async fn accounts(&self) -> Result<Vec<AccountRow>, InboxError> {
        self.readers
            .read(|connection| {
                let sql = format!("SELECT {COLUMNS} FROM account ORDER BY id");
                collect(connection, &sql, [], read_account)
            })
            .await
    }

    async fn account_row(&self, account: AccountId) -> Result<AccountRow, InboxError> {
        let found = self.readers.read(move |connection| {
            let sql = format!("SELECT {COLUMNS} FROM account WHERE id = ?1");
            Ok(connection.prepare_cached(&sql)?.query_row(params![account], read_account).optional()?)
        });
        found.await?.ok_or_else(|| InboxError::NotFound { what: "account", id: account.to_string() })
    }

    async fn account(&self, account: AccountId) -> Result<(String, AccountSettings), InboxError> {
        let found = self.readers.read(move |connection| {
            Ok(connection
                .prepare_cached("SELECT channel, platform_id, settings FROM account WHERE id = ?1")?
                .query_row(params![account], |row| Ok((row.get(0)?, row.get(1)?, row.get::<_, String>(2)?)))
                .optional()?)
        });
        let not_found = || InboxError::NotFound { what: "account", id: account.to_string() };
        let (channel, id, settings) = found.await?.ok_or_else(not_found)?;
        Ok((channel, account_settings(id, &settings)?))
    }

    async fn settings_of(&self, channel: &str, account: &str) -> Result<Vec<Setting>, InboxError> {
        let (channel, account) = (channel.to_owned(), account.to_owned());
        let found = self.readers.read(move |connection| {
            Ok(connection
                .prepare_cached("SELECT settings FROM account WHERE channel = ?1 AND platform_id = ?2")?
                .query_row(params![channel, account], |row| row.get::<_, String>(0))
                .optional()?)
        });
        Ok(found.await?.map(|settings| serde_json::from_str(&settings)).transpose()?.unwrap_or_default())
    }

    async fn reply(&self, reply: ReplyId) -> Result<ReplyView, InboxError> {
        self.readers.read(move |connection| views::replies::reply_view(connection, reply)).await
    }

    async fn has_reply(&self, conversation: ConversationId, key: &str) -> Result<bool, InboxError> {
        let key = key.to_owned();
        self.readers
            .read(move |connection| {
                Ok(connection
                    .prepare_cached(
                        "SELECT EXISTS (SELECT 1 FROM reply JOIN conversation ON conversation.id = ?1
                           WHERE reply.account_id = conversation.account_id AND reply.key = ?2
                             AND reply.state <> 'refused')",
                    )?
                    .query_row(params![conversation, key], |row| row.get(0))?)
            })
            .await
    }

    async fn media(&self, id: MediaId) -> Result<MediaView, InboxError> {
        self.readers
            .read(move |connection| {
                connection
                    .prepare_cached(&select("id = ?1"))?
                    .query_row(params![id], view)
                    .optional()?
                    .ok_or(InboxError::NotFound { what: "media", id: id.to_string() })
            })
            .await
    }

    async fn upload(&self, handle: &str) -> Result<Upload, InboxError> {
        let handle = handle.to_owned();
        self.readers
            .read(move |connection| {
                connection
                    .prepare_cached("SELECT handle, name, mime, size, sha256, stored_as FROM upload WHERE handle = ?1")?
                    .query_row(params![handle], |row| {
                        Ok(Upload {
                            handle: row.get(0)?,
                            name: row.get(1)?,
                            mime: row.get(2)?,
                            size: from_millis(row.get(3)?),
                            sha256: row.get(4)?,
                            stored_as: row.get(5)?,
                        })
                    })
                    .optional()?
                    .ok_or(InboxError::NotFound { what: "file", id: handle })
            })
            .await
    }

    async fn erasure(&self, code: &str) -> Result<ErasureView, InboxError> {
        let wanted = code.to_owned();
        let found = self.readers.read(move |connection| {
            let sql = "SELECT received_at, finished_at, accounts, contacts FROM erasure WHERE code = ?1";
            let read = |row: &rusqlite::Row<'_>| {
                Ok(ErasureView {
                    received_at: from_millis(row.get(0)?),
                    finished_at: row.get::<_, Option<i64>>(1)?.map(from_millis),
                    accounts: row.get(2)?,
                    contacts: row.get(3)?,
                })
            };
            Ok(connection.prepare_cached(sql)?.query_row(params![wanted], read).optional()?)
        });
        found.await?.ok_or_else(|| InboxError::NotFound { what: "request with the code", id: code.to_owned() })
    }
}
