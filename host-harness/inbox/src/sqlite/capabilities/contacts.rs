//! Owns: profiles of contacts, in SQLite.
//! Does not own: calls to the platform.

use async_trait::async_trait;
use harness_contract::ContactProfile;
use rusqlite::{OptionalExtension as _, params};

use crate::{
    error::InboxError,
    model::{AccountId, ContactId, DueProfile},
    sqlite::{
        columns::{as_millis, collect, next_after},
        rows::changes::Owner,
        store::SqliteStore,
    },
    store::Contacts,
};

#[async_trait]
impl Contacts for SqliteStore {
    async fn due_profiles(&self, now: u64, limit: usize) -> Result<Vec<DueProfile>, InboxError> {
        self.readers
            .read(move |connection| {
                collect(
                    connection,
                    // The first of each account by its index, then all of those by turns.
                    "SELECT id, account_id, platform_id, (
                         SELECT json_extract(c.thread, '$.id') FROM message m JOIN conversation c ON c.id = m.conversation_id
                         WHERE m.contact_id = turns.id ORDER BY m.id DESC LIMIT 1), channel
                     FROM (SELECT id, account_id, platform_id, channel FROM (
                         SELECT k.id, k.account_id, k.platform_id, a.channel, k.profile_at AS at,
                             row_number() OVER (PARTITION BY k.account_id ORDER BY k.profile_at, k.id DESC) AS turn
                         FROM account a CROSS JOIN contact k ON k.id IN (
                             SELECT d.id FROM contact d
                             WHERE d.account_id = a.id AND d.unnamed = 0 AND d.profile_at <= ?1
                             ORDER BY d.profile_at, d.id DESC LIMIT ?2)
                         WHERE a.state = 'connected')
                     ORDER BY turn, at, id DESC LIMIT ?2) turns",
                    params![as_millis(now), i64::try_from(limit).unwrap_or(i64::MAX)],
                    |row| {
                        Ok(DueProfile {
                            contact: row.get(0)?,
                            account: row.get(1)?,
                            platform_id: row.get(2)?,
                            thread: row.get(3)?,
                            channel: row.get(4)?,
                        })
                    },
                )
            })
            .await
    }

    async fn next_profile(&self, after: u64) -> Result<Option<u64>, InboxError> {
        self.readers
            .read(move |connection| {
                next_after(
                    connection,
                    // The first match in the index of each account.
                    "SELECT min(at) FROM (
                         SELECT (SELECT min(k.profile_at) FROM contact k
                                 WHERE k.account_id = a.id AND k.unnamed = 0 AND k.profile_at > ?1) AS at
                         FROM account a WHERE a.state = 'connected')",
                    after,
                )
            })
            .await
    }

    async fn note_profile(
        &self,
        contact: ContactId,
        profile: &ContactProfile,
        now: u64,
        next: u64,
    ) -> Result<(), InboxError> {
        let json = serde_json::to_string(profile)?;
        let (name, username) = (profile.contact.name.clone(), profile.contact.username.clone());
        self.writer
            .write(move |tx| {
                let told = params![contact, json, name, username];
                let before: Option<(AccountId, bool)> = tx
                    .prepare_cached(
                        "SELECT account_id, profile IS ?2 AND coalesce(?3, name) IS name AND profile_problem IS NULL
                           AND coalesce(?4, username) IS username FROM contact WHERE id = ?1",
                    )?
                    .query_row(told, |row| Ok((row.get(0)?, row.get(1)?)))
                    .optional()?;
                tx.prepare_cached(
                    "UPDATE contact SET profile = ?2, profile_at = ?5, profile_problem = NULL,
                         name = coalesce(?3, name), username = coalesce(?4, username) WHERE id = ?1",
                )?
                .execute(params![contact, json, name, username, as_millis(next)])?;
                match before {
                    Some((account, false)) => Owner { account, workspace: None, now }.note_contact(tx, contact),
                    _ => Ok(()),
                }
            })
            .await
    }

    async fn note_no_profile(&self, contact: ContactId, problem: String, next: u64) -> Result<(), InboxError> {
        self.writer
            .write(move |tx| {
                tx.prepare_cached("UPDATE contact SET profile_problem = ?2, profile_at = ?3 WHERE id = ?1")?
                    .execute(params![contact, problem, as_millis(next)])?;
                Ok(())
            })
            .await
    }
}
