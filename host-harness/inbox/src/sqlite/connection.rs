//! Owns: connections to the file: the writer with its pragmas, the read-only ones, and the lock against other
//! processes.
//! Does not own: the schema, the writes.

use std::{
    fs::{File, TryLockError},
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags};

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
        Ok(connection)
    };
    open().map_err(|source| InboxError::Open { path: path.to_owned(), source: source.into() })
}

/// The size in bytes to which SQLite shrinks the log file after a reset.
pub(crate) const LOG_LIMIT: i64 = 64 << 20;
