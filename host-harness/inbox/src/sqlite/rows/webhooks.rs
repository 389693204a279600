//! Owns: rows of addresses that are told what changes, and of their last attempts.
//! Does not own: when they are told.

use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};

use super::changes::{self, Concerns};
use crate::{
    error::InboxError,
    model::{ChangeKind, KindFilter, WebhookAttempt, WebhookId, WebhookState, WebhookView},
    sqlite::columns::{as_millis, from_millis, json_column},
};

/// The last attempts that are kept of each address.
const KEPT: i64 = 100;

const COLUMNS: &str =
    "id, workspace_id, url, kinds, position, state, problem, failing_since, attempts, next_attempt_at, created_at";

/// The addresses that this clause finds.
pub(crate) fn select(clause: &str) -> String {
    format!("SELECT {COLUMNS} FROM webhook WHERE {clause}")
}

/// Reads what [`select`] found.
pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<WebhookView> {
    let state: String = row.get(5)?;
    Ok(WebhookView {
        id: row.get(0)?,
        workspace: row.get(1)?,
        url: row.get(2)?,
        kinds: KindFilter::stored(json_column(row, 3)?),
        position: from_millis(row.get(4)?),
        // Told nothing in a state that this version does not know.
        state: WebhookState::from_name(&state).unwrap_or(WebhookState::Paused),
        problem: row.get(6)?,
        failing_since: row.get::<_, Option<i64>>(7)?.map(from_millis),
        attempts: row.get(8)?,
        next_attempt_at: from_millis(row.get(9)?),
        created_at: from_millis(row.get(10)?),
    })
}

/// The address, which must exist.
pub(crate) fn webhook(connection: &Connection, id: WebhookId) -> Result<WebhookView, InboxError> {
    connection
        .prepare_cached(&select("id = ?1"))?
        .query_row(params![id], read)
        .optional()?
        .ok_or_else(|| InboxError::NotFound { what: "webhook", id: id.to_string() })
}

/// Writes that a setting of an address, or its state, changed.
pub(crate) fn note_change(tx: &Transaction<'_>, webhook: &WebhookView, now: u64) -> Result<(), InboxError> {
    let concerns =
        Concerns { workspace: Some(webhook.workspace), object: Some(webhook.id.get()), ..Concerns::default() };
    changes::note(tx, ChangeKind::SettingsUpdated, concerns, now)
}

/// Keeps an attempt, and the last ones before it.
pub(crate) fn note_attempt(tx: &Transaction<'_>, id: WebhookId, attempt: &WebhookAttempt) -> Result<(), InboxError> {
    let WebhookAttempt { seq, at, status, problem } = attempt;
    tx.prepare_cached(
        "INSERT INTO webhook_attempt (webhook_id, seq, at, status, problem)
         SELECT id, ?2, ?3, ?4, ?5 FROM webhook WHERE id = ?1",
    )?
    .execute(params![id, as_millis(*seq), as_millis(*at), status, problem])?;
    tx.prepare_cached(
        "DELETE FROM webhook_attempt WHERE webhook_id = ?1 AND id <= (
             SELECT id FROM webhook_attempt WHERE webhook_id = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
    )?
    .execute(params![id, KEPT])?;
    Ok(())
}
