//! Owns: the view of a message's files.
//! Does not own: downloads.

use rusqlite::Row;

use crate::{
    error::InboxError,
    model::{MediaId, MediaState, MediaView},
};

/// The columns of one file, in the order of [`select`].
type Columns = (
    MediaId,
    i64,
    String,
    String,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<i64>,
    Option<String>,
    Option<String>,
    Option<String>,
);

/// Parses the files of a message from a JSON list that holds a list of columns for each file.
pub(crate) fn from_json(files: &str) -> Result<Vec<MediaView>, InboxError> {
    let files: Vec<Columns> = serde_json::from_str(files)?;
    files.into_iter().map(of_columns).collect()
}

fn of_columns(columns: Columns) -> Result<MediaView, InboxError> {
    let (id, attachment, kind, state, reason, url, mime, size, sha256, name, stored_as) = columns;
    let state = MediaState::from_name(&state).ok_or(InboxError::UnknownState { what: "file", state })?;
    Ok(MediaView { id, attachment, kind, state, reason, url, mime, size, sha256, name, stored_as })
}

pub(crate) fn select(which: &str) -> String {
    format!(
        "SELECT id, attachment, kind, state, reason, url, mime, size, sha256, name, stored_as FROM media WHERE {which}"
    )
}

pub(crate) fn view(row: &Row<'_>) -> rusqlite::Result<MediaView> {
    Ok(MediaView {
        id: row.get(0)?,
        attachment: row.get(1)?,
        kind: row.get(2)?,
        state: row.get(3)?,
        reason: row.get(4)?,
        url: row.get(5)?,
        mime: row.get(6)?,
        size: row.get(7)?,
        sha256: row.get(8)?,
        name: row.get(9)?,
        stored_as: row.get(10)?,
    })
}
