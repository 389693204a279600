//! Owns: uploaded files, and finding stored files without a row, in SQLite.
//! Does not own: the bytes.

use async_trait::async_trait;
use rusqlite::{OptionalExtension as _, params};

use crate::{
    error::InboxError,
    model::{MediaId, ReplyId, UnusedFiles, Upload, WorkspaceId},
    sqlite::{
        columns::{as_millis, collect},
        rows::erasure::HANDLE,
        store::SqliteStore,
    },
    store::Uploads,
};

#[async_trait]
impl Uploads for SqliteStore {
    async fn store_upload(&self, file: Upload, workspace: WorkspaceId, now: u64) -> Result<(), InboxError> {
        self.writer
            .write(move |tx| {
                tx.prepare_cached(
                    "INSERT INTO upload (handle, name, mime, size, sha256, stored_as, created_at, workspace_id)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                )?
                .execute(params![
                    file.handle,
                    file.name,
                    file.mime,
                    as_millis(file.size),
                    file.sha256,
                    file.stored_as,
                    as_millis(now),
                    workspace
                ])?;
                Ok(())
            })
            .await
    }

    async fn files_before(&self, before: u64) -> Result<UnusedFiles, InboxError> {
        self.readers
            .read(move |connection| {
                let rows: Vec<(String, i64)> = collect(
                    connection,
                    "SELECT handle, created_at FROM upload WHERE created_at < ?1",
                    params![as_millis(before)],
                    |row| Ok((row.get(0)?, row.get(1)?)),
                )?;
                let since = rows.iter().map(|(_, at)| *at).min().unwrap_or_default();
                Ok(UnusedFiles {
                    handles: rows.into_iter().map(|(handle, _)| handle).collect(),
                    after: ReplyId::new(0),
                    since,
                })
            })
            .await
    }

    async fn look_for_use(&self, files: &mut UnusedFiles, limit: usize) -> Result<bool, InboxError> {
        let (after, since) = (files.after, files.since);
        let replies: Vec<(ReplyId, String)> = self
            .readers
            .read(move |connection| {
                collect(
                    connection,
                    "SELECT id, message FROM reply WHERE id > ?1 AND created_at >= ?2 ORDER BY id LIMIT ?3",
                    params![after, since, i64::try_from(limit).unwrap_or(i64::MAX)],
                    |row| Ok((row.get(0)?, row.get(1)?)),
                )
            })
            .await?;
        for (id, message) in &replies {
            for rest in message.split(HANDLE).skip(1) {
                files.handles.remove(rest.split('"').next().unwrap_or_default());
            }
            files.after = *id;
        }
        Ok(!replies.is_empty())
    }

    async fn forget_file(&self, handle: String, after: ReplyId) -> Result<Option<String>, InboxError> {
        self.writer
            .write(move |tx| {
                Ok(tx
                    .prepare_cached(
                        "DELETE FROM upload WHERE handle = ?1
                           AND NOT EXISTS (SELECT 1 FROM reply WHERE id > ?2 AND instr(message, ?1) > 0)
                         RETURNING stored_as",
                    )?
                    .query_row(params![handle, after], |row| row.get(0))
                    .optional()?)
            })
            .await
    }

    async fn unnamed(&self, keys: Vec<String>) -> Result<Vec<String>, InboxError> {
        self.readers
            .read(move |connection| {
                let any = "SELECT EXISTS (SELECT 1 FROM media) OR EXISTS (SELECT 1 FROM upload)";
                if !connection.query_row(any, [], |row| row.get::<_, bool>(0))? {
                    return Ok(Vec::new());
                }
                let mut media = connection.prepare_cached("SELECT 1 FROM media WHERE id = ?1 AND stored_as = ?2")?;
                let mut file =
                    connection.prepare_cached("SELECT 1 FROM upload WHERE handle = ?1 AND stored_as = ?2")?;
                let mut unnamed = Vec::new();
                for key in keys {
                    let known = match key.split_once('/') {
                        Some(("inbound", row)) => media.exists(params![row.parse::<MediaId>().ok(), key])?,
                        Some(("outbound", handle)) => file.exists(params![handle, key])?,
                        // Not stored by an inbox.
                        _ => true,
                    };
                    if !known {
                        unnamed.push(key);
                    }
                }
                Ok(unnamed)
            })
            .await
    }
}
