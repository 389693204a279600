//! Owns: converting SQLite's errors and unknown states into errors of the inbox.
//! Does not own: the inbox's error type.

use std::sync::Arc;

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ValueRef};

use crate::{
    error::InboxError,
    model::{AccountState, ConversationState, MediaState, ReplyState, Role, StepState, WhenClosed},
};

/// A state that this version does not know, wrapped to pass through rusqlite's row readers.
#[derive(Debug, thiserror::Error)]
#[error("a {what} has the unknown state `{state}`")]
struct UnknownState {
    what: &'static str,
    state: String,
}

impl From<rusqlite::Error> for InboxError {
    fn from(error: rusqlite::Error) -> Self {
        match error {
            rusqlite::Error::FromSqlConversionFailure(column, kind, source) => {
                match source.downcast::<UnknownState>() {
                    Ok(unknown) => Self::UnknownState { what: unknown.what, state: unknown.state },
                    Err(source) => {
                        Self::Storage(Box::new(rusqlite::Error::FromSqlConversionFailure(column, kind, source)))
                    }
                }
            }
            error => Self::Storage(Box::new(error)),
        }
    }
}

/// Why a transaction was not committed. Every write in it receives this.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum NotCommitted {
    /// SQLite's reason.
    #[error(transparent)]
    Sqlite(Arc<rusqlite::Error>),
    /// SQLite rolled back in the middle of the transaction, as it does when it cannot write.
    #[error("the disk is full or failing, and the transaction was rolled back")]
    RolledBack,
    /// The writing thread's queue is full, or the thread has ended.
    #[error("the writing thread takes no more work")]
    NotTaken,
}

impl From<rusqlite::Error> for NotCommitted {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(Arc::new(error))
    }
}

impl From<NotCommitted> for InboxError {
    fn from(reason: NotCommitted) -> Self {
        Self::NotCommitted(Box::new(reason))
    }
}

/// Reads states from columns by name.
macro_rules! column {
    ($($state:ty: $what:literal),+) => {
        $(
            impl FromSql for $state {
                fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                    let name = value.as_str()?;
                    let unknown = || UnknownState { what: $what, state: name.to_owned() };
                    Self::from_name(name).ok_or_else(|| FromSqlError::Other(Box::new(unknown())))
                }
            }
        )+
    };
}

column!(
    AccountState: "account", ConversationState: "conversation", MediaState: "file", ReplyState: "reply", Role: "role", StepState: "step",
    WhenClosed: "choice of an account"
);
