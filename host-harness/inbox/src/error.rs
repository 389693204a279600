//! Owns: what can go wrong with an inbox, one variant for each.
//! Does not own: what an operator types to mend it, which the command line says.

use std::{error::Error, io, path::PathBuf, sync::Arc};

use crate::model::ReplyId;

/// An error of the store's own, such as its database's.
pub type Cause = Box<dyn Error + Send + Sync>;

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
        source: Cause,
    },
    /// The file cannot be created.
    #[error("the file {path} cannot be created: {source}; the folder must exist and be writable")]
    Create {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file that keeps other processes away cannot be locked or written.
    #[error("the inbox cannot be locked: {path}: {source}; the folder must exist and be writable")]
    Lock {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Another process has the file.
    #[error("the inbox file {0} is in use by another process: one host at a time")]
    InUse(PathBuf),
    /// The file of accepted deliveries cannot be opened or read.
    #[error("the accepted deliveries in {path} cannot be read: {source}")]
    Arrivals {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A thread of the store did not start.
    #[error("the thread {name} did not start: {source}")]
    Thread {
        /// Which.
        name: &'static str,
        /// Why.
        #[source]
        source: io::Error,
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
        source: Cause,
    },
    /// The file is not what it was.
    #[error(
        "the inbox file {path} is damaged: {finding}. Nothing in it was changed. Move it away, with the files beside it whose names begin alike, and put a backup in its place"
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
    /// A read or write failed.
    #[error("the inbox could not be read or written: {0}")]
    Storage(#[source] Cause),
    /// A transaction was not committed, such as on a full disk.
    #[error("the inbox could not be made durable: {0}")]
    NotCommitted(#[source] Cause),
    /// A delivery could not be made durable, such as on a full disk.
    #[error("the delivery could not be made durable: {0}")]
    NotAccepted(#[source] Arc<io::Error>),
    /// Deliveries that were accepted do not get into the inbox, so no more are accepted until they do.
    #[error("accepted deliveries do not get into the inbox: {0}")]
    Stuck(#[source] Arc<InboxError>),
    /// Too much is waiting to be written.
    #[error("the inbox is busy: its queue of {0} writes is full")]
    Busy(usize),
    /// The threads of the store have ended.
    #[error("the inbox is closed")]
    Closed,
    /// A JSON column does not hold what it should.
    #[error("a row of the inbox holds JSON that cannot be read: {0}")]
    Json(#[from] serde_json::Error),
    /// A row holds a state that this version does not know.
    #[error("a {what} in the inbox has the state `{state}`, which this version does not know")]
    UnknownState {
        /// The kind of row.
        what: &'static str,
        /// In the row.
        state: String,
    },
    /// The key asked for another reply before.
    #[error("the key `{0}` belongs to another reply; a new reply needs a new key")]
    KeyReused(String),
    /// There is no part in doubt.
    #[error("no part of reply {0} is ambiguous: there is nothing to settle or to send again")]
    NotAmbiguous(ReplyId),
    /// There is no such row.
    #[error("there is no {what} {id} in this inbox")]
    NotFound {
        /// What was looked for.
        what: &'static str,
        /// By which id.
        id: String,
    },
}
