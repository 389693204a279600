//! Owns: whether the file's schema is exactly the one that the migrations produce. A foreign trigger or view would run
//! whenever the inbox is used.
//! Does not own: whether its pages are intact.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::{columns::collect, schema};
use crate::error::InboxError;

/// The kind and SQL of each object, by name.
type Objects = BTreeMap<String, (String, String)>;

/// Objects that are missing from the schema with this number, changed, or foreign to it; one sentence each.
pub(crate) fn foreign(connection: &Connection, schema: i64) -> Result<Vec<String>, InboxError> {
    let expected = objects(&schema::empty(schema)?)?;
    let found = objects(connection)?;
    let added = found.iter().filter_map(|(name, (kind, words))| match expected.get(name) {
        None => Some(format!("the {kind} `{name}` is not the inbox's")),
        Some((_, known)) if known != words => Some(format!("the {kind} `{name}` is not as the inbox made it")),
        Some(_) => None,
    });
    let missing = expected.iter().filter(|(name, _)| !found.contains_key(*name));
    let missing = missing.map(|(name, (kind, _))| format!("the {kind} `{name}` is missing"));
    Ok(added.chain(missing).collect())
}

/// SQLite's internal objects are left out: they have no SQL, or a reserved name.
fn objects(connection: &Connection) -> Result<Objects, InboxError> {
    let rows: Vec<(String, String, String)> = collect(
        connection,
        "SELECT name, type, coalesce(sql, '') FROM sqlite_master WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
        [],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?;
    Ok(rows.into_iter().map(|(name, kind, sql)| (name, (kind, plain(&sql)))).collect())
}

/// Removes differences without meaning: comments, whitespace and quotes.
fn plain(sql: &str) -> String {
    let lines = sql.lines().map(|line| line.split("--").next().unwrap_or_default());
    lines.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ").replace('"', "")
}
