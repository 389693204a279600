//! A message's files as they are shown.
//! Not here: their downloads.

use rusqlite::{Connection, Row, params};

use crate::{
    error::InboxError,
    model::{MediaState, MediaView},
};

/// The files of a message.
pub(crate) fn of_message(connection: &Connection, message: i64) -> Result<Vec<MediaView>, InboxError> {
    let mut statement = connection.prepare_cached(&select("message_id = ?1 ORDER BY attachment"))?;
    let rows = statement.query_map(params![message], view)?;
    Ok(rows.collect::<Result<_, _>>()?)
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
        state: MediaState::from_name(&row.get::<_, String>(3)?),
        reason: row.get(4)?,
        url: row.get(5)?,
        mime: row.get(6)?,
        size: row.get(7)?,
        sha256: row.get(8)?,
        name: row.get(9)?,
        stored_as: row.get(10)?,
    })
}
