//! Owns: addresses that are told what changes, in SQLite.
//! Does not own: telling them, their rows (`rows::webhooks`).

use async_trait::async_trait;
use rusqlite::{OptionalExtension as _, params};

use crate::{
    error::InboxError,
    model::{
        NewWebhook, WebhookAttempt, WebhookChange, WebhookFailure, WebhookId, WebhookState, WebhookView, WorkspaceId,
    },
    sqlite::{
        columns::{as_millis, collect, from_millis, next_after},
        rows::{
            changes,
            webhooks::{note_attempt, note_change, read, select, webhook},
        },
        store::SqliteStore,
    },
    store::Webhooks,
};

#[async_trait]
impl Webhooks for SqliteStore {
    async fn add_webhook(&self, new: NewWebhook) -> Result<WebhookView, InboxError> {
        let kinds = serde_json::to_string(new.kinds.names())?;
        self.writer
            .write(move |tx| {
                let there: usize = tx
                    .prepare_cached("SELECT count(*) FROM webhook WHERE workspace_id = ?1")?
                    .query_row(params![new.workspace], |row| row.get::<_, i64>(0))?
                    .try_into()
                    .unwrap_or(usize::MAX);
                if there >= new.most {
                    return Err(InboxError::TooMany { what: "webhooks", most: new.most });
                }
                tx.prepare_cached(
                    "INSERT INTO webhook (workspace_id, url, kinds, secret, position, created_at)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                )?
                .execute(params![
                    new.workspace,
                    new.url,
                    kinds,
                    new.secret,
                    as_millis(changes::newest(tx)?),
                    as_millis(new.now)
                ])?;
                let made = webhook(tx, WebhookId::new(tx.last_insert_rowid()))?;
                note_change(tx, &made, new.now)?;
                Ok(made)
            })
            .await
    }

    async fn webhooks(&self, workspace: WorkspaceId) -> Result<Vec<WebhookView>, InboxError> {
        let sql = select("workspace_id = ?1 ORDER BY id");
        self.readers.read(move |connection| collect(connection, &sql, params![workspace], read)).await
    }

    async fn webhook(&self, id: WebhookId) -> Result<WebhookView, InboxError> {
        self.readers.read(move |connection| webhook(connection, id)).await
    }

    async fn webhook_secret(&self, id: WebhookId) -> Result<Vec<u8>, InboxError> {
        self.readers
            .read(move |connection| {
                connection
                    .prepare_cached("SELECT secret FROM webhook WHERE id = ?1")?
                    .query_row(params![id], |row| row.get(0))
                    .optional()?
                    .ok_or_else(|| InboxError::NotFound { what: "webhook", id: id.to_string() })
            })
            .await
    }

    async fn due_webhooks(&self, now: u64, limit: usize) -> Result<Vec<WebhookView>, InboxError> {
        let sql = select(
            "state = 'active' AND next_attempt_at <= ?1
               AND position <> (SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'change')
             ORDER BY next_attempt_at, position, id LIMIT ?2",
        );
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.readers.read(move |connection| collect(connection, &sql, params![as_millis(now), limit], read)).await
    }

    async fn next_webhook(&self, after: u64) -> Result<Option<u64>, InboxError> {
        self.readers
            .read(move |connection| {
                let sql = "SELECT min(next_attempt_at) FROM webhook WHERE next_attempt_at > ?1 AND state = 'active'";
                next_after(connection, sql, after)
            })
            .await
    }

    async fn change_webhook(&self, id: WebhookId, change: WebhookChange, now: u64) -> Result<WebhookView, InboxError> {
        let kinds = change.kinds.as_ref().map(|kinds| serde_json::to_string(kinds.names())).transpose()?;
        self.writer
            .write(move |tx| {
                webhook(tx, id)?;
                let state =
                    change.paused.map(|paused| if paused { WebhookState::Paused } else { WebhookState::Active }.name());
                tx.prepare_cached(
                    "UPDATE webhook SET url = coalesce(?2, url), kinds = coalesce(?3, kinds),
                         state = coalesce(?4, state), position = coalesce(?5, position),
                         problem = iif(coalesce(?4, state) = 'failed', problem, NULL),
                         failing_since = NULL, attempts = 0, next_attempt_at = 0 WHERE id = ?1",
                )?
                .execute(params![id, change.url, kinds, state, change.position.map(as_millis)])?;
                let changed = webhook(tx, id)?;
                note_change(tx, &changed, now)?;
                Ok(changed)
            })
            .await
    }

    async fn delete_webhook(&self, id: WebhookId, now: u64) -> Result<(), InboxError> {
        self.writer
            .write(move |tx| {
                let gone = webhook(tx, id)?;
                tx.prepare_cached("DELETE FROM webhook WHERE id = ?1")?.execute(params![id])?;
                note_change(tx, &gone, now)
            })
            .await
    }

    async fn webhook_attempts(&self, id: WebhookId, limit: usize) -> Result<Vec<WebhookAttempt>, InboxError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.readers
            .read(move |connection| {
                collect(
                    connection,
                    "SELECT seq, at, status, problem FROM webhook_attempt WHERE webhook_id = ?1 ORDER BY id DESC LIMIT ?2",
                    params![id, limit],
                    |row| {
                        let (seq, at) = (from_millis(row.get(0)?), from_millis(row.get(1)?));
                        Ok(WebhookAttempt { seq, at, status: row.get(2)?, problem: row.get(3)? })
                    },
                )
            })
            .await
    }

    async fn note_told(
        &self,
        id: WebhookId,
        from: u64,
        position: u64,
        attempts: Vec<WebhookAttempt>,
    ) -> Result<bool, InboxError> {
        self.writer
            .write_in_background(move |tx| {
                let moved = tx
                    .prepare_cached(
                        "UPDATE webhook SET position = ?3, problem = NULL, failing_since = NULL, attempts = 0,
                             next_attempt_at = 0
                         WHERE id = ?1 AND position = ?2 AND state = 'active'",
                    )?
                    .execute(params![id, as_millis(from), as_millis(position)])?;
                attempts.iter().try_for_each(|attempt| note_attempt(tx, id, attempt))?;
                Ok(moved == 1)
            })
            .await
    }

    async fn note_not_told(
        &self,
        id: WebhookId,
        from: u64,
        attempt: WebhookAttempt,
        then: WebhookFailure,
    ) -> Result<(), InboxError> {
        self.writer
            .write_in_background(move |tx| {
                let (next, state, problem) = match &then {
                    WebhookFailure::Later(next) => (as_millis(*next), WebhookState::Active, attempt.problem.as_ref()),
                    WebhookFailure::End(reason) => (0, WebhookState::Failed, Some(reason)),
                };
                let noted = tx
                    .prepare_cached(
                        "UPDATE webhook SET attempts = attempts + 1, failing_since = coalesce(failing_since, ?3),
                             next_attempt_at = ?4, state = ?5, problem = ?6
                         WHERE id = ?1 AND position = ?2 AND state = 'active'",
                    )?
                    .execute(params![id, as_millis(from), as_millis(attempt.at), next, state.name(), problem])?;
                note_attempt(tx, id, &attempt)?;
                if noted == 1 && state == WebhookState::Failed {
                    note_change(tx, &webhook(tx, id)?, attempt.at)?;
                }
                Ok(())
            })
            .await
    }

    async fn note_webhook_test(&self, id: WebhookId, attempt: WebhookAttempt) -> Result<(), InboxError> {
        self.writer.write(move |tx| note_attempt(tx, id, &attempt)).await
    }
}
