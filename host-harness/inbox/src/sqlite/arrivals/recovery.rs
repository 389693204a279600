//! Owns: inserting journal rows for the records of the arrivals file: after a crash, in a backup, in normal operation.
//! Does not own: the file format.

use std::path::Path;

use rusqlite::{Connection, Transaction, params};

use super::{log::Log, row::Arrival};
use crate::{error::InboxError, model::DeliveryId};

pub(crate) fn insert_rows(tx: &Transaction<'_>, arrivals: &[Arrival]) -> Result<(), InboxError> {
    let Some(last) = arrivals.last() else { return Ok(()) };
    for Arrival { id, row } in arrivals {
        row.insert(tx, *id)?;
    }
    tx.prepare_cached("UPDATE arrival SET position = ?1")?.execute(params![last.id])?;
    Ok(())
}

/// Inserts the rows that are missing for records of the file, empties it, and returns it with the last id assigned.
pub(crate) fn recover(connection: &mut Connection, path: &Path) -> Result<(Log, DeliveryId), InboxError> {
    let failed = |source| InboxError::Arrivals { path: path.to_owned(), source };
    let mut log = Log::open(path).map_err(failed)?;
    let found = log.read().map_err(failed)?;
    let tx = connection.transaction()?;
    let missing = add_missing(&tx, found)?;
    let newest: Option<DeliveryId> = tx.query_row("SELECT max(id) FROM delivery", [], |row| row.get(0))?;
    let position: DeliveryId = tx.query_row("SELECT position FROM arrival", [], |row| row.get(0))?;
    tx.commit()?;
    if missing > 0 {
        tracing::info!(deliveries = missing, "deliveries that had no row yet got one");
    }
    log.truncate();
    Ok((log, position.max(newest.unwrap_or(position))))
}

/// Inserts the rows that are missing for records of an arrivals file. Returns how many there were.
pub(crate) fn add_missing(tx: &Transaction<'_>, mut found: Vec<Arrival>) -> Result<usize, InboxError> {
    let position: DeliveryId = tx.query_row("SELECT position FROM arrival", [], |row| row.get(0))?;
    found.retain(|arrival| arrival.id > position);
    insert_rows(tx, &found)?;
    Ok(found.len())
}
