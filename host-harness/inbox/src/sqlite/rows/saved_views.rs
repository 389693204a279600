//! Owns: saving, changing and deleting saved views.
//! Does not own: reading them.

use rusqlite::{OptionalExtension as _, Transaction, params};

use super::shared::{LABELS, check_in_workspace, name_taken, note_settings};
use crate::{
    error::InboxError,
    model::{LabelId, NewSavedView, SavedViewId, ViewFilters, WorkspaceId},
    sqlite::columns::as_millis,
    store::MAX_VIEWS,
};

const WHAT: &str = "saved view";

/// There is no such view.
pub(crate) fn missing(id: SavedViewId) -> InboxError {
    InboxError::NotFound { what: WHAT, id: id.to_string() }
}

/// Saves a view.
pub(crate) fn save(tx: &Transaction<'_>, new: &NewSavedView) -> Result<SavedViewId, InboxError> {
    let NewSavedView { workspace, user, name, filters, now } = new;
    if let Some(user) = user {
        check_in_workspace(tx, "user", user.get(), *workspace)?;
    }
    check_label(tx, *workspace, filters.label)?;
    let count: i64 = tx
        .prepare_cached("SELECT count(*) FROM saved_view WHERE workspace_id = ?1 AND user_id IS ?2")?
        .query_row(params![workspace, user], |row| row.get(0))?;
    if usize::try_from(count).unwrap_or(usize::MAX) >= MAX_VIEWS {
        return Err(InboxError::TooMany { what: "saved views", most: MAX_VIEWS });
    }
    let ViewFilters { whose, channel, label, unread, text } = filters;
    tx.prepare_cached(
        "INSERT INTO saved_view (workspace_id, user_id, name, whose, channel, label_id, unread, text, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![workspace, user, name, whose.name(), channel, label, unread, text, as_millis(*now)])
    .map_err(|error| name_taken(error, WHAT, name))?;
    let id = SavedViewId::new(tx.last_insert_rowid());
    note_settings(tx, *workspace, id.get(), *now)?;
    Ok(id)
}

/// Changes a view's name, or what it shows.
pub(crate) fn change(
    tx: &Transaction<'_>,
    id: SavedViewId,
    name: Option<&str>,
    filters: Option<&ViewFilters>,
    now: u64,
) -> Result<(), InboxError> {
    let workspace = workspace_of(tx, id)?;
    if let Some(name) = name {
        tx.prepare_cached("UPDATE saved_view SET name = ?2 WHERE id = ?1")?
            .execute(params![id, name])
            .map_err(|error| name_taken(error, WHAT, name))?;
    }
    if let Some(ViewFilters { whose, channel, label, unread, text }) = filters {
        check_label(tx, workspace, *label)?;
        tx.prepare_cached(
            "UPDATE saved_view SET whose = ?2, channel = ?3, label_id = ?4, unread = ?5, text = ?6 WHERE id = ?1",
        )?
        .execute(params![id, whose.name(), channel, label, unread, text])?;
    }
    note_settings(tx, workspace, id.get(), now)
}

/// Deletes a view.
pub(crate) fn delete(tx: &Transaction<'_>, id: SavedViewId, now: u64) -> Result<(), InboxError> {
    let workspace = workspace_of(tx, id)?;
    tx.prepare_cached("DELETE FROM saved_view WHERE id = ?1")?.execute(params![id])?;
    note_settings(tx, workspace, id.get(), now)
}

fn check_label(tx: &Transaction<'_>, workspace: WorkspaceId, label: Option<LabelId>) -> Result<(), InboxError> {
    label.map_or(Ok(()), |label| check_in_workspace(tx, LABELS.what(), label.get(), workspace))
}

fn workspace_of(tx: &Transaction<'_>, id: SavedViewId) -> Result<WorkspaceId, InboxError> {
    tx.prepare_cached("SELECT workspace_id FROM saved_view WHERE id = ?1")?
        .query_row(params![id], |row| row.get(0))
        .optional()?
        .ok_or_else(|| missing(id))
}
