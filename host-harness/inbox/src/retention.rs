//! What is kept no longer than needed. Belongs here: emptying raw deliveries that were read long ago, finding
//! files that nobody names. Not here: when, and the bytes of files.

use std::collections::HashSet;

use rusqlite::{OptionalExtension as _, params};

use crate::{Inbox, InboxError, journal::as_millis, read::collect};

/// What stands before a handle in the JSON of a message.
const HANDLE: &str = r#""handle":""#;

/// Files that were given to be sent, and up to which reply none was found that names them.
#[derive(Clone, Debug, Default)]
pub struct UnusedFiles {
    /// Their handles.
    pub handles: HashSet<String>,
    /// The row of the last reply that was looked at.
    pub after: i64,
    /// When the oldest of them was given, in milliseconds since 1970.
    since: i64,
}

impl Inbox {
    /// Empties deliveries that were received before this time and are in the inbox in full: at most so many, the
    /// oldest first. Returns how many those were. What is not in the inbox yet stays.
    ///
    /// Their rows stay too, since messages name them: a number that is used again would name another delivery.
    pub async fn empty_deliveries(&self, before: u64, limit: usize) -> Result<usize, InboxError> {
        self.writer
            .write(move |tx| {
                Ok(tx
                    .prepare_cached(
                        "UPDATE delivery SET state = 'redacted', headers = '[]', body = x'' WHERE id IN (
                             SELECT id FROM (SELECT id, received_at FROM delivery WHERE state = 'applied'
                                             ORDER BY id LIMIT ?2) WHERE received_at < ?1)",
                    )?
                    .execute(params![as_millis(before), i64::try_from(limit).unwrap_or(i64::MAX)])?)
            })
            .await
    }

    /// The files that were given before this time. Which of them are unused is found by
    /// [`Inbox::look_for_use`], piece by piece.
    pub async fn files_before(&self, before: u64) -> Result<UnusedFiles, InboxError> {
        self.readers
            .read(|connection| {
                let rows: Vec<(String, i64)> = collect(
                    connection,
                    "SELECT handle, created_at FROM file WHERE created_at < ?1",
                    params![as_millis(before)],
                    |row| Ok((row.get(0)?, row.get(1)?)),
                )?;
                let since = rows.iter().map(|(_, at)| *at).min().unwrap_or_default();
                Ok(UnusedFiles { handles: rows.into_iter().map(|(handle, _)| handle).collect(), after: 0, since })
            })
            .await
    }

    /// Looks at some more replies, and takes out the files that they name. Says whether there may be more.
    pub async fn look_for_use(&self, files: &mut UnusedFiles, limit: usize) -> Result<bool, InboxError> {
        let (after, since) = (files.after, files.since);
        let replies: Vec<(i64, String)> = self
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

    /// Forgets a file, unless a reply behind this row names it. Returns its key in the media store.
    pub async fn forget_file(&self, handle: String, after: i64) -> Result<Option<String>, InboxError> {
        self.writer
            .write(move |tx| {
                Ok(tx
                    .prepare_cached(
                        "DELETE FROM file WHERE handle = ?1
                           AND NOT EXISTS (SELECT 1 FROM reply WHERE id > ?2 AND instr(message, ?1) > 0)
                         RETURNING stored_as",
                    )?
                    .query_row(params![handle, after], |row| row.get(0))
                    .optional()?)
            })
            .await
    }

    /// Those of these keys that no row names. None where the inbox names no files at all: then it is more likely
    /// that the store is another inbox's.
    pub async fn unnamed(&self, keys: Vec<String>) -> Result<Vec<String>, InboxError> {
        self.readers
            .read(move |connection| {
                let any = "SELECT EXISTS (SELECT 1 FROM media) OR EXISTS (SELECT 1 FROM file)";
                if !connection.query_row(any, [], |row| row.get::<_, bool>(0))? {
                    return Ok(Vec::new());
                }
                let mut media = connection.prepare_cached("SELECT 1 FROM media WHERE id = ?1 AND stored_as = ?2")?;
                let mut file = connection.prepare_cached("SELECT 1 FROM file WHERE handle = ?1 AND stored_as = ?2")?;
                let mut unnamed = Vec::new();
                for key in keys {
                    let known = match key.split_once('/') {
                        Some(("inbound", row)) => media.exists(params![row.parse::<i64>().unwrap_or_default(), key])?,
                        Some(("outbound", handle)) => file.exists(params![handle, key])?,
                        // Not put there by an inbox.
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
