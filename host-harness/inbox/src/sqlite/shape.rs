//! Owns: whether the file's schema is the one that the migrations make, and nothing in it runs by itself that is not
//! ours: a trigger or a view of somebody else would act whenever the inbox is used.
//! Does not own: whether its pages are sound.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::{columns::collect, schema};
use crate::error::InboxError;

/// The kind and the words of each object, by its name.
type Objects = BTreeMap<String, (String, String)>;

/// What is in the schema and does not belong there, or is missing, a sentence each: of the schema with this number.
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

/// SQLite's own objects have no words, or a name that nobody else can give.
fn objects(connection: &Connection) -> Result<Objects, InboxError> {
    let rows: Vec<(String, String, String)> = collect(
        connection,
        "SELECT name, type, coalesce(sql, '') FROM sqlite_master WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
        [],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?;
    Ok(rows.into_iter().map(|(name, kind, sql)| (name, (kind, plain(&sql)))).collect())
}

/// Without the differences that mean nothing.
fn plain(sql: &str) -> String {
    let lines = sql.lines().map(|line| line.split("--").next().unwrap_or_default());
    lines.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ").replace('"', "")
}
