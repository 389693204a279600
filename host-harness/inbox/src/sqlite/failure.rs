//! Owns: SQLite's errors, and states that this version does not know, as errors of the inbox.
//! Does not own: what the inbox's errors are.

use std::sync::Arc;

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ValueRef};

use crate::{
    error::InboxError,
    model::{AccountState, MediaState, ReplyState, StepState},
};

/// A state that this version does not know, on its way through a reader of rows.
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

/// Why nothing of a transaction was committed; told to each of its writes.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum NotCommitted {
    /// SQLite says why.
    #[error(transparent)]
    Sqlite(Arc<rusqlite::Error>),
    /// SQLite rolled back in the middle, which it does when it cannot write.
    #[error("the disk is full or failing, and the transaction was rolled back")]
    RolledBack,
    /// The writing thread has too much to do, or has ended.
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

/// States are read from columns by their names.
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

column!(AccountState: "account", MediaState: "file", ReplyState: "reply", StepState: "step");
