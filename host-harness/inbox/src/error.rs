//! Owns: the errors of an inbox, one variant each.
//! Does not own: the commands that repair it, which the command line names.

use std::{error::Error, io, path::PathBuf, sync::Arc};

use crate::model::{ConversationId, ReplyId};

/// An error of the underlying store, such as its database.
pub type Cause = Box<dyn Error + Send + Sync>;

/// Why an operation on the inbox failed. Nothing of it was written.
#[derive(Debug, thiserror::Error)]
pub enum InboxError {
    /// The inbox file cannot be opened.
    #[error("the inbox file {path} cannot be opened: {source}; the folder must exist and be writable")]
    Open {
        /// The path of the inbox file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: Cause,
    },
    /// A file cannot be created.
    #[error("the file {path} cannot be created: {source}; the folder must exist and be writable")]
    Create {
        /// The path of the file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The lock file, which keeps other processes away, cannot be locked or written.
    #[error("the inbox cannot be locked: {path}: {source}; the folder must exist and be writable")]
    Lock {
        /// The path of the lock file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// Another process uses the inbox file.
    #[error("the inbox file {0} is in use by another process: one host at a time")]
    InUse(PathBuf),
    /// The file of accepted deliveries cannot be opened or read.
    #[error("the accepted deliveries in {path} cannot be read: {source}")]
    Arrivals {
        /// The path of the file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A thread of the store did not start.
    #[error("the thread {name} did not start: {source}")]
    Thread {
        /// The name of the thread.
        name: &'static str,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A newer version wrote the file.
    #[error(
        "the inbox file has schema {found}, this version knows up to {known}: use the version that wrote it, or a newer one"
    )]
    NewerSchema {
        /// The schema version of the file.
        found: i64,
        /// The newest schema version that this program knows.
        known: i64,
    },
    /// The migration of the file's schema failed.
    #[error(
        "the inbox file could not be brought from schema {found} to {known}: {source}. It was left as it was; the version that wrote it can still use it"
    )]
    Migration {
        /// The schema version of the file.
        found: i64,
        /// The newest schema version that this program knows.
        known: i64,
        /// The cause.
        #[source]
        source: Cause,
    },
    /// The file is damaged.
    #[error(
        "the inbox file {path} is damaged: {finding}. Nothing in it was changed. Move it away, with the files beside it whose names begin alike, and put a backup in its place"
    )]
    Damaged {
        /// The path of the inbox file.
        path: PathBuf,
        /// What is wrong with it.
        finding: String,
    },
    /// The file is not an inbox.
    #[error("the file {path} is {what} and no inbox. Nothing in it was changed: use another path for the inbox")]
    NoInbox {
        /// The path of the file.
        path: PathBuf,
        /// What the file is instead.
        what: &'static str,
    },
    /// A read or write failed.
    #[error("the inbox could not be read or written: {0}")]
    Storage(#[source] Cause),
    /// A transaction was not committed, for example because the disk is full.
    #[error("the inbox could not be made durable: {0}")]
    NotCommitted(#[source] Cause),
    /// A delivery could not be made durable, for example because the disk is full.
    #[error("the delivery could not be made durable: {0}")]
    NotAccepted(#[source] Arc<io::Error>),
    /// Accepted deliveries cannot be written into the inbox. No more are accepted until they can.
    #[error("accepted deliveries do not get into the inbox: {0}")]
    Stuck(#[source] Arc<InboxError>),
    /// The queue of writes is full; holds its capacity.
    #[error("the inbox is busy: its queue of {0} writes is full")]
    Busy(usize),
    /// The threads of the store have ended.
    #[error("the inbox is closed")]
    Closed,
    /// A JSON column holds invalid JSON.
    #[error("a row of the inbox holds JSON that cannot be read: {0}")]
    Json(#[from] serde_json::Error),
    /// A row has a state that this version does not know.
    #[error("a {what} in the inbox has the state `{state}`, which this version does not know")]
    UnknownState {
        /// The kind of row.
        what: &'static str,
        /// The state in the row.
        state: String,
    },
    /// The key was already used for a different reply, or a different note.
    #[error("the key `{0}` was used for something else before; what is new needs a new key")]
    KeyReused(String),
    /// The conversation was closed and begun anew: nothing more is written in it.
    #[error(
        "the customer wrote again after this conversation was closed, and it goes on in another one: write there, and leave this one closed"
    )]
    Continued {
        /// The conversation that was asked for.
        conversation: ConversationId,
        /// The one that goes on.
        by: ConversationId,
    },
    /// No part of the reply is ambiguous.
    #[error("no part of reply {0} is ambiguous: there is nothing to settle or to send again")]
    NotAmbiguous(ReplyId),
    /// Somebody on this host has the e-mail address.
    #[error("somebody on this host has this e-mail address already, in this workspace or in another one")]
    EmailTaken,
    /// Nobody would be left who can manage the workspace.
    #[error("this is the only admin of the workspace who can sign in: make somebody else an admin first")]
    LastAdmin,
    /// The account is connected in another workspace.
    #[error("this account belongs to another workspace of this host; there, and nowhere else, it can be connected")]
    OtherWorkspace,
    /// The row does not exist.
    #[error("there is no {what} {id} in this inbox")]
    NotFound {
        /// The kind of row.
        what: &'static str,
        /// The id that was looked up.
        id: String,
    },
    /// The name is used by another row of the workspace.
    #[error("there is another {what} with the name `{name}`; choose another name")]
    NameTaken {
        /// The kind of row.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// There are as many rows as there may be.
    #[error("there are {most} {what} already, which is the most; delete one first")]
    TooMany {
        /// The kind of rows, in the plural.
        what: &'static str,
        /// The most that there may be.
        most: usize,
    },
}

impl InboxError {
    /// There is no such conversation.
    pub(crate) fn no_conversation(conversation: ConversationId) -> Self {
        Self::NotFound { what: "conversation", id: conversation.to_string() }
    }
}
