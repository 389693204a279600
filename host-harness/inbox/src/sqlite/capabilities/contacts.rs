//! Owns: profiles of contacts, in SQLite.
//! Does not own: calls to the platform.

use async_trait::async_trait;
use harness_contract::ContactProfile;
use rusqlite::params;

use crate::{
    error::InboxError,
    model::{ContactId, ConversationId, DueProfile, Update},
    sqlite::{
        columns::{as_millis, collect, next_after},
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

    async fn note_profile(&self, contact: ContactId, profile: &ContactProfile, next: u64) -> Result<(), InboxError> {
        let json = serde_json::to_string(profile)?;
        let (name, username) = (profile.contact.name.clone(), profile.contact.username.clone());
        let conversations = self
            .writer
            .write(move |tx| {
                tx.prepare_cached(
                    "UPDATE contact SET profile = ?2, profile_at = ?3, profile_problem = NULL,
                         name = coalesce(?4, name), username = coalesce(?5, username) WHERE id = ?1",
                )?
                .execute(params![contact, json, as_millis(next), name, username])?;
                let mut statement = tx.prepare_cached("SELECT id FROM conversation WHERE contact_id = ?1")?;
                Ok(statement
                    .query_map(params![contact], |row| row.get(0))?
                    .collect::<Result<Vec<ConversationId>, _>>()?)
            })
            .await?;
        self.announce(
            conversations.into_iter().map(|conversation| Update::Conversation { conversation, kind: "contact_update" }),
        );
        Ok(())
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
