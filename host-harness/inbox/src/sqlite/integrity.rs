//! Owns: whether the file is intact: the quick check before every start, the full check, the wording of findings.
//! Does not own: writes to it.

use std::{
    fs,
    path::Path,
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::Duration,
};

use rusqlite::{Connection, ErrorCode};

use super::{arrivals, columns::collect, connection::open, schema::MIGRATIONS};
use crate::{error::InboxError, files::beside};

/// Time limit for the check at startup. The full check covers what it does not reach.
const AT_START: Duration = Duration::from_secs(3);
/// The most findings reported. One is enough to refuse a file.
const FINDINGS: u32 = 20;
/// Content of the lock file once there is an inbox beside it.
const MARK: &str = "There is an inbox beside this file. It is locked while a host runs.\n";

/// All problems of an inbox file, one finding per line; empty if it is intact. Reads the whole file, also beside a
/// running host.
pub fn check_file(path: &Path) -> Result<Vec<String>, InboxError> {
    if size(path) == 0 {
        return Err(InboxError::NotFound { what: "inbox file", id: path.display().to_string() });
    }
    let connection = open(path)?;
    match all_findings(path, &connection, "integrity_check") {
        Ok(findings) => Ok(findings),
        Err(error) => match finding(&error) {
            Some(finding) => Ok(vec![finding]),
            None => Err(error.into()),
        },
    }
}

/// A file in the media store that an inbox refers to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NamedFile {
    /// Its key.
    pub key: String,
    /// SHA-256 of its content, in hex.
    pub sha256: Option<String>,
}

/// The files in the media store that an inbox file refers to. Works beside a running host.
pub fn named_files(path: &Path) -> Result<Vec<NamedFile>, InboxError> {
    files_of(&open(path)?)
}

pub(crate) fn files_of(connection: &Connection) -> Result<Vec<NamedFile>, InboxError> {
    // A file with an earlier schema is read without migrating it.
    let uploads = if connection.table_exists(None, "upload")? { "upload" } else { "file" };
    collect(
        connection,
        &format!(
            "SELECT stored_as, sha256 FROM media WHERE state = 'stored' AND stored_as IS NOT NULL
             UNION ALL SELECT stored_as, sha256 FROM {uploads}"
        ),
        [],
        |row| Ok(NamedFile { key: row.get(0)?, sha256: row.get(1)? }),
    )
}

/// Rejects a file that is damaged or not an inbox, before anything is written to it.
pub(crate) fn at_start(path: &Path) -> Result<(), InboxError> {
    if size(path) == 0 {
        // SQLite would treat an empty file as a new database and discard its write-ahead log.
        if ["-wal", arrivals::FILE, ".lock"].iter().any(|end| size(&beside(path, end)) > 0) {
            return Err(damaged(
                path,
                "it is empty or missing, although there was an inbox in it (to begin with an empty one, move the \
                 files beside it away too, `.lock` among them)",
            ));
        }
        return Ok(());
    }
    let connection = open(path)?;
    let looked = within(&connection, AT_START, |connection| {
        let schema = belongs(connection)?;
        Ok((schema, if schema.is_ok() { all_findings(path, connection, "quick_check")? } else { Vec::new() }))
    });
    match looked {
        Ok(Some((Ok(()), findings))) if findings.is_empty() => Ok(()),
        Ok(Some((Ok(()), findings))) => Err(damaged(path, &findings.join("; "))),
        Ok(Some((Err(what), _))) => Err(InboxError::NoInbox { path: path.to_owned(), what }),
        Ok(None) => {
            tracing::info!(path = %path.display(), "the inbox file is too large to be checked in full at every start");
            Ok(())
        }
        Err(error) => match finding(&error) {
            Some(finding) => Err(damaged(path, &finding)),
            None => Err(InboxError::Open { path: path.to_owned(), source: error.into() }),
        },
    }
}

/// Marks that an inbox exists, so that an empty file is not mistaken for a new one later.
pub(crate) fn mark(path: &Path) -> Result<(), InboxError> {
    let lock = beside(path, ".lock");
    if size(&lock) > 0 {
        return Ok(());
    }
    fs::write(&lock, MARK).map_err(|source| InboxError::Lock { path: lock, source })
}

/// Problems found by SQLite, and rows whose counterpart is missing.
pub(crate) fn findings(connection: &Connection, check: &str) -> rusqlite::Result<Vec<String>> {
    let mut found: Vec<String> = {
        let mut statement = connection.prepare(&format!("PRAGMA {check}({FINDINGS})"))?;
        let rows = statement.query_map([], |row| row.get(0))?;
        rows.collect::<rusqlite::Result<_>>()?
    };
    found.retain(|line| line != "ok");
    let mut statement = connection.prepare("PRAGMA foreign_key_check")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if found.len() >= usize::try_from(FINDINGS).unwrap_or(usize::MAX) {
            break;
        }
        let (table, id, parent): (String, Option<i64>, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        found.push(format!("row {} of {table} names a {parent} that is not there", id.unwrap_or_default()));
    }
    Ok(found)
}

/// The findings, and problems that only the file size reveals.
fn all_findings(path: &Path, connection: &Connection, check: &str) -> rusqlite::Result<Vec<String>> {
    let page: i64 = connection.query_row("PRAGMA page_size", [], |row| row.get(0))?;
    let cut = u64::try_from(page).is_ok_and(|page| page > 0 && !size(path).is_multiple_of(page));
    // With a log beside it, a half-written page is restored from the log.
    if cut && size(&beside(path, "-wal")) == 0 {
        return Ok(vec!["it ends in the middle of a page".into()]);
    }
    findings(connection, check)
}

/// Whether the database is an inbox, judging by its schema. An inbox of a newer version counts as one.
fn belongs(connection: &Connection) -> rusqlite::Result<Result<(), &'static str>> {
    let schema: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let count = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    let tables = count("SELECT count(*) FROM sqlite_master")?;
    let journals = count("SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'delivery'")?;
    let newer = usize::try_from(schema).is_ok_and(|schema| schema > MIGRATIONS.len());
    Ok(match (schema, tables, journals) {
        (0, 0, _) => Ok(()),
        _ if newer => Ok(()),
        (0, _, _) => Err("another program's database"),
        (_, _, 0) => Err("a database without a journal"),
        _ => Ok(()),
    })
}

/// Runs a read with a time limit; `None` if it did not finish.
fn within<T>(
    connection: &Connection,
    bound: Duration,
    work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> rusqlite::Result<Option<T>> {
    let interrupt = connection.get_interrupt_handle();
    let (ended, end) = mpsc::channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            if end.recv_timeout(bound) == Err(RecvTimeoutError::Timeout) {
                interrupt.interrupt();
            }
        });
        let result = work(connection);
        drop(ended);
        match result {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) => Ok(None),
            result => result.map(Some),
        }
    })
}

/// What an error says about the file, if the file is the cause.
fn finding(error: &rusqlite::Error) -> Option<String> {
    match error.sqlite_error_code()? {
        ErrorCode::NotADatabase => Some("it is no SQLite database".into()),
        ErrorCode::DatabaseCorrupt => Some(error.to_string()),
        _ => None,
    }
}

fn damaged(path: &Path, finding: &str) -> InboxError {
    InboxError::Damaged { path: path.to_owned(), finding: finding.to_owned() }
}

fn size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |file| file.len())
}
