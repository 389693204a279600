//! What can go wrong with the inbox's file.

use std::path::PathBuf;

/// Why the inbox did not do what was asked. Nothing of it was written.
#[derive(Debug, thiserror::Error)]
pub enum InboxError {
    /// The file cannot be opened.
    #[error("the inbox file {path} cannot be opened: {source}; the folder must exist and be writable")]
    Open {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: rusqlite::Error,
    },
    /// The file was written by a newer version.
    #[error(
        "the inbox file has schema {found}, this version knows up to {known}: use the version that wrote it, or a newer one"
    )]
    NewerSchema {
        /// In the file.
        found: i64,
        /// In this program.
        known: i64,
    },
    /// The file is not what it was.
    #[error(
        "the inbox file {path} is damaged: {finding}. Nothing in it was changed. Move it away, with the files beside it whose names begin alike, and put a backup in its place: `cargo harness restore --config FILE BACKUP`"
    )]
    Damaged {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        finding: String,
    },
    /// The file holds something else.
    #[error("the file {path} is {what} and no inbox. Nothing in it was changed: use another path for the inbox")]
    NoInbox {
        /// Which.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// The file could not be brought up to date.
    #[error(
        "the inbox file could not be brought from schema {found} to {known}: {source}. It was left as it was; the version that wrote it can still use it"
    )]
    Migration {
        /// In the file.
        found: i64,
        /// In this program.
        known: i64,
        /// Why.
        #[source]
        source: rusqlite::Error,
    },
    /// A read or write failed.
    #[error("the inbox could not be read or written: {0}")]
    Storage(#[from] rusqlite::Error),
    /// The disk is full or failing; nothing is acknowledged until that ends.
    #[error("the inbox could not be made durable: {0}")]
    Durability(String),
    /// Too much is waiting to be written.
    #[error("the inbox is busy: its queue of {0} writes is full")]
    Busy(usize),
    /// The thread that writes has ended.
    #[error("the inbox is closed")]
    Closed,
    /// A JSON column does not hold what it should.
    #[error("a row of the inbox holds JSON that cannot be read: {0}")]
    Json(#[from] serde_json::Error),
    /// The key asked for another reply before.
    #[error("the key `{0}` belongs to another reply; a new reply needs a new key")]
    KeyReused(String),
    /// There is no part in doubt.
    #[error("no part of reply {0} is ambiguous: there is nothing to settle or to send again")]
    NotAmbiguous(i64),
    /// Another process has the file.
    #[error("the inbox file {0} is in use by another process: one host at a time")]
    InUse(PathBuf),
    /// There is no such row.
    #[error("there is no {what} {id} in this inbox")]
    NotFound {
        /// What was looked for.
        what: &'static str,
        /// By which id.
        id: String,
    },
}
