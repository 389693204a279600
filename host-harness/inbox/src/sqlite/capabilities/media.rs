//! Owns: the states of messages' files, in SQLite.
//! Does not own: downloading, storing the bytes.

use std::collections::HashSet;

use async_trait::async_trait;
use rusqlite::{OptionalExtension as _, params};

use crate::{
    error::InboxError,
    model::{ChangeKind, ConversationId, DueMedia, MediaEnd, MediaId, MessageId},
    sqlite::{
        columns::{as_millis, next_after},
        rows::changes::{Concerns, note},
        store::SqliteStore,
        views,
    },
    store::MediaFiles,
};

#[async_trait]
impl MediaFiles for SqliteStore {
    async fn due_media(&self, now: u64, except: &[MediaId], limit: usize) -> Result<Vec<DueMedia>, InboxError> {
        let except: HashSet<MediaId> = except.iter().copied().collect();
        self.readers.read(move |connection| views::downloads::due(connection, now, &except, limit)).await
    }

    async fn begin_media(&self, files: Vec<(MediaId, String)>) -> Result<Vec<MediaId>, InboxError> {
        self.writer
            .write_in_background(move |tx| {
                let mut statement = tx.prepare_cached(
                    "UPDATE media SET attempts = attempts + 1, stored_as = ?2 WHERE id = ?1 AND state = 'remote'",
                )?;
                let mut begun = Vec::with_capacity(files.len());
                for (id, key) in files {
                    if statement.execute(params![id, key])? == 1 {
                        begun.push(id);
                    }
                }
                Ok(begun)
            })
            .await
    }

    async fn next_media(&self, after: u64) -> Result<Option<u64>, InboxError> {
        self.readers
            .read(move |connection| {
                next_after(
                    connection,
                    "SELECT min(next_attempt_at) FROM media WHERE state = 'remote' AND next_attempt_at > ?1",
                    after,
                )
            })
            .await
    }

    async fn delivery_of_media(&self, id: MediaId) -> Result<Option<Vec<u8>>, InboxError> {
        self.readers
            .read(move |connection| {
                Ok(connection
                    .prepare_cached(
                        "SELECT delivery.body FROM media JOIN message ON message.id = media.message_id
                         JOIN delivery ON delivery.id = message.delivery_id
                         WHERE media.id = ?1 AND delivery.state <> 'purged'",
                    )?
                    .query_row(params![id], |row| row.get(0))
                    .optional()?)
            })
            .await
    }

    async fn finish_media(&self, id: MediaId, end: MediaEnd, now: u64) -> Result<(), InboxError> {
        self.writer
            .write_in_background(move |tx| {
                let changed = match &end {
                    MediaEnd::Stored { mime, size, sha256 } => tx
                        .prepare_cached(
                            "UPDATE media SET state = 'stored', reason = NULL, mime = ?2, size = ?3, sha256 = ?4
                             WHERE id = ?1 AND state = 'remote'",
                        )?
                        .execute(params![id, mime, as_millis(*size), sha256])?,
                    MediaEnd::Ended { state, reason } => tx
                        .prepare_cached("UPDATE media SET state = ?2, reason = ?3 WHERE id = ?1 AND state = 'remote'")?
                        .execute(params![id, state.name(), reason])?,
                    MediaEnd::Later { at, reason } => tx
                        .prepare_cached(
                            "UPDATE media SET next_attempt_at = ?2, reason = ?3 WHERE id = ?1 AND state = 'remote'",
                        )?
                        .execute(params![id, as_millis(*at), reason])?,
                };
                let of: Option<(MessageId, ConversationId)> = tx
                    .prepare_cached(
                        "SELECT message.id, message.conversation_id FROM media
                         JOIN message ON message.id = media.message_id WHERE media.id = ?1",
                    )?
                    .query_row(params![id], |row| Ok((row.get(0)?, row.get(1)?)))
                    .optional()?;
                let Some((message, conversation)) = of.filter(|_| changed > 0) else { return Ok(()) };
                let concerns =
                    Concerns { message: Some(message), object: Some(id.get()), ..Concerns::conversation(conversation) };
                note(tx, ChangeKind::MessageMedia, concerns, now)
            })
            .await
    }

    async fn purgeable_media(&self, limit: usize) -> Result<Vec<(MediaId, String)>, InboxError> {
        self.readers
            .read(move |connection| {
                let mut statement = connection.prepare_cached(
                    "SELECT id, stored_as FROM media
                     WHERE stored_as IS NOT NULL AND state <> 'stored' AND state <> 'remote' LIMIT ?1",
                )?;
                let limit = i64::try_from(limit).unwrap_or(i64::MAX);
                let rows = statement.query_map(params![limit], |row| Ok((row.get(0)?, row.get(1)?)))?;
                Ok(rows.collect::<Result<_, _>>()?)
            })
            .await
    }

    async fn note_purged(&self, id: MediaId) -> Result<(), InboxError> {
        self.writer
            .write_in_background(move |tx| {
                tx.prepare_cached("UPDATE media SET stored_as = NULL WHERE id = ?1")?.execute(params![id])?;
                Ok(())
            })
            .await
    }
}
