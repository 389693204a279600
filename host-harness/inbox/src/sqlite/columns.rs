//! Owns: values in columns and back: times, counts, JSON, digests of event ids; and collecting rows.
//! Does not own: the meaning of the columns.

use rusqlite::{Connection, Row, types::Type};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use crate::error::InboxError;

/// SQLite's integers are signed; out-of-range timestamps are clamped.
pub(crate) fn as_millis(at: u64) -> i64 {
    i64::try_from(at).unwrap_or(i64::MAX)
}

pub(crate) fn from_millis(at: i64) -> u64 {
    u64::try_from(at).unwrap_or(0)
}

pub(crate) fn with_one_more(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1)
}

pub(crate) fn index(step: usize) -> i64 {
    i64::try_from(step).unwrap_or(i64::MAX)
}

pub(crate) fn collect<T>(
    connection: &Connection,
    sql: &str,
    params: impl rusqlite::Params,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, InboxError> {
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map(params, read)?;
    Ok(rows.collect::<rusqlite::Result<Vec<T>>>()?)
}

/// The earliest time later than `after`, from a query that returns one row and takes `after` as `?1`.
pub(crate) fn next_after(connection: &Connection, sql: &str, after: u64) -> Result<Option<u64>, InboxError> {
    let next: Option<i64> = connection.prepare_cached(sql)?.query_row([as_millis(after)], |row| row.get(0))?;
    Ok(next.map(from_millis))
}

pub(crate) fn raw(text: Option<String>) -> Result<Option<Box<RawValue>>, InboxError> {
    Ok(text.map(RawValue::from_string).transpose()?)
}

/// Parses a column that holds JSON.
pub(crate) fn json_column<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let text = row.get_ref(column)?.as_str()?;
    serde_json::from_str(text)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error)))
}

/// The short digest that represents an event's id in the table of applied events.
pub(crate) fn digest(event_id: &str) -> [u8; 16] {
    let mut half = [0; 16];
    half.iter_mut().zip(Sha256::digest(event_id)).for_each(|(to, from)| *to = from);
    half
}
