//! Owns: connections to the file: the writer with its pragmas, the read-only ones, and the lock against other
//! processes.
//! Does not own: the schema, the writes.

use std::{
    fs::{File, TryLockError},
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, config::DbConfig};

use crate::{
    error::InboxError,
    files::{beside, private_options},
};

/// How long a write waits while another process has the file locked.
pub(crate) const BUSY: Duration = Duration::from_secs(5);

/// Locks the inbox for this process.
pub(crate) fn lock(path: &Path) -> Result<File, InboxError> {
    let name = beside(path, ".lock");
    let failed = |source| InboxError::Lock { path: path.to_owned(), source };
    let file = private_options().create(true).truncate(false).write(true).open(&name).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(InboxError::InUse(path.to_owned())),
        Err(TryLockError::Error(error)) => return Err(failed(error)),
    }
    Ok(file)
}

/// Creates the file if it is missing, readable by this user only, because it holds conversations. SQLite gives its
/// journal files the same mode.
pub(crate) fn make_private(path: &Path) -> Result<(), InboxError> {
    let made = private_options().create(true).truncate(false).write(true).open(path);
    made.map(drop).map_err(|source| InboxError::Create { path: path.to_owned(), source })
}

pub(crate) fn connect(path: &Path) -> Result<Connection, InboxError> {
    make_private(path)?;
    let open = || -> rusqlite::Result<Connection> {
        let connection = Connection::open(path)?;
        // FULL makes every commit an fsync: a delivery answered with 200 must survive a power failure.
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", "ON")?;
        // Unsent content must be gone from the file, not only from the table.
        connection.pragma_update(None, "secure_delete", "ON")?;
        // Keeps the rollback data of savepoints in memory instead of a file.
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        // In KiB, because negative. Writes touch pages all over the indexes.
        connection.pragma_update(None, "cache_size", -65_536)?;
        // Shrinks a log that grew while a reader held it.
        connection.pragma_update(None, "journal_size_limit", LOG_LIMIT)?;
        connection.busy_timeout(BUSY)?;
        keep_plans(&connection)?;
        connection.set_prepared_statement_cache_capacity(128);
        Ok(connection)
    };
    open().map_err(|source| InboxError::Open { path: PathBuf::from(path), source: source.into() })
}

/// Opens a read-only connection, even while another process writes.
pub(crate) fn open(path: &Path) -> Result<Connection, InboxError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || -> rusqlite::Result<Connection> {
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(Duration::from_secs(5))?;
        keep_plans(&connection)?;
        Ok(connection)
    };
    open().map_err(|source| InboxError::Open { path: path.to_owned(), source: source.into() })
}

/// Statements keep their plans. Otherwise SQLite prepares many of them anew whenever a value is bound, such as that of a
/// `LIMIT`, which costs more than running them.
pub(crate) fn keep_plans(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(drop)
}

/// The size in bytes to which SQLite shrinks the log file after a reset.
pub(crate) const LOG_LIMIT: i64 = 64 << 20;

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use rusqlite::StatementStatus;

    use super::*;

    #[test]
    fn a_statement_is_planned_once_whatever_is_bound() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("inbox.sqlite");
        let writer = connect(&path).unwrap();
        writer.execute_batch("CREATE TABLE number (n INTEGER)").unwrap();
        for connection in [&writer, &open(&path).unwrap()] {
            let mut statement = connection.prepare("SELECT n FROM number LIMIT ?1").unwrap();
            for limit in [1, 2, 3] {
                assert!(!statement.exists([limit]).unwrap());
            }
            assert_eq!(statement.get_status(StatementStatus::RePrepare), 0);
        }
    }
}
