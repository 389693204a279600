//! Owns: what the conversations of a workspace share: collections, labels, canned answers.
//! Does not own: which conversation has which (`organisation`).

use rusqlite::{OptionalExtension as _, ToSql, Transaction, ffi::SQLITE_CONSTRAINT_UNIQUE, params};

use super::changes::{Concerns, note};
use crate::{error::InboxError, model::ChangeKind, model::WorkspaceId, sqlite::columns::as_millis, store::MAX_SHARED};

/// A table of rows with names that are unique in their workspace.
pub(crate) struct Shared {
    table: &'static str,
    /// What a row is called, and several.
    what: &'static str,
    several: &'static str,
    /// The columns that are written, the name first.
    columns: &'static [&'static str],
}

/// See [`crate::model::CollectionView`].
pub(crate) const COLLECTIONS: Shared =
    Shared { table: "collection", what: "collection", several: "collections", columns: &["name"] };
/// See [`crate::model::LabelView`].
pub(crate) const LABELS: Shared =
    Shared { table: "label", what: "label", several: "labels", columns: &["name", "color"] };
/// See [`crate::model::CannedAnswerView`].
pub(crate) const CANNED_ANSWERS: Shared = Shared {
    table: "canned_answer",
    what: "canned answer",
    several: "canned answers",
    columns: &["shortcut", "title", "text"],
};

impl Shared {
    /// What a row is called.
    pub(crate) const fn what(&self) -> &'static str {
        self.what
    }

    /// Adds a row with these values, one for each column.
    pub(crate) fn add(
        &self,
        tx: &Transaction<'_>,
        workspace: WorkspaceId,
        values: &[&str],
        now: u64,
    ) -> Result<i64, InboxError> {
        let Self { table, several, columns, .. } = self;
        let count: i64 = tx
            .prepare_cached(&format!("SELECT count(*) FROM {table} WHERE workspace_id = ?1"))?
            .query_row(params![workspace], |row| row.get(0))?;
        if usize::try_from(count).unwrap_or(usize::MAX) >= MAX_SHARED {
            return Err(InboxError::TooMany { what: several, most: MAX_SHARED });
        }
        let places: Vec<_> = (3..).take(columns.len()).map(|nth| format!("?{nth}")).collect();
        let sql = format!(
            "INSERT INTO {table} (workspace_id, created_at, {}) VALUES (?1, ?2, {})",
            columns.join(", "),
            places.join(", ")
        );
        let now_millis = as_millis(now);
        let mut all: Vec<&dyn ToSql> = vec![&workspace, &now_millis];
        all.extend(values.iter().map(|value| value as &dyn ToSql));
        tx.prepare_cached(&sql)?.execute(&*all).map_err(|error| self.taken(error, values))?;
        let id = tx.last_insert_rowid();
        self.note(tx, workspace, id, now)?;
        Ok(id)
    }

    /// Changes a row to these values.
    pub(crate) fn edit(&self, tx: &Transaction<'_>, id: i64, values: &[&str], now: u64) -> Result<(), InboxError> {
        let workspace = self.workspace(tx, id)?;
        let set: Vec<_> = (2..).zip(self.columns).map(|(nth, column)| format!("{column} = ?{nth}")).collect();
        let sql = format!("UPDATE {} SET {} WHERE id = ?1", self.table, set.join(", "));
        let mut all: Vec<&dyn ToSql> = vec![&id];
        all.extend(values.iter().map(|value| value as &dyn ToSql));
        tx.prepare_cached(&sql)?.execute(&*all).map_err(|error| self.taken(error, values))?;
        self.note(tx, workspace, id, now)
    }

    /// Deletes a row. What refers to it loses it.
    pub(crate) fn delete(&self, tx: &Transaction<'_>, id: i64, now: u64) -> Result<(), InboxError> {
        let workspace = self.workspace(tx, id)?;
        tx.prepare_cached(&format!("DELETE FROM {} WHERE id = ?1", self.table))?.execute(params![id])?;
        self.note(tx, workspace, id, now)
    }

    fn workspace(&self, tx: &Transaction<'_>, id: i64) -> Result<WorkspaceId, InboxError> {
        tx.prepare_cached(&format!("SELECT workspace_id FROM {} WHERE id = ?1", self.table))?
            .query_row(params![id], |row| row.get(0))
            .optional()?
            .ok_or_else(|| InboxError::NotFound { what: self.what, id: id.to_string() })
    }

    fn note(&self, tx: &Transaction<'_>, workspace: WorkspaceId, id: i64, now: u64) -> Result<(), InboxError> {
        note_settings(tx, workspace, id, now)
    }

    fn taken(&self, error: rusqlite::Error, values: &[&str]) -> InboxError {
        name_taken(error, self.what, values.first().copied().unwrap_or_default())
    }
}

/// Refuses what names a row of another workspace, or none. Tables are called as their rows are.
pub(crate) fn check_in_workspace(
    tx: &Transaction<'_>,
    table: &'static str,
    id: i64,
    workspace: WorkspaceId,
) -> Result<(), InboxError> {
    let sql = format!("SELECT 1 FROM {table} WHERE id = ?1 AND workspace_id = ?2");
    if tx.prepare_cached(&sql)?.exists(params![id, workspace])? {
        return Ok(());
    }
    Err(InboxError::NotFound { what: table, id: id.to_string() })
}

/// Notes a change of what a workspace shares.
pub(crate) fn note_settings(tx: &Transaction<'_>, workspace: WorkspaceId, id: i64, now: u64) -> Result<(), InboxError> {
    let concerns = Concerns { workspace: Some(workspace), object: Some(id), ..Concerns::default() };
    note(tx, ChangeKind::SettingsUpdated, concerns, now)
}

/// The error of a write that gave a row this name.
pub(crate) fn name_taken(error: rusqlite::Error, what: &'static str, name: &str) -> InboxError {
    match error.sqlite_error().map(|error| error.extended_code) {
        Some(SQLITE_CONSTRAINT_UNIQUE) => InboxError::NameTaken { what, name: name.to_owned() },
        _ => error.into(),
    }
}
