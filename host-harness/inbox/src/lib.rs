//! Owns: the inbox: journal of raw deliveries, conversations, messages, windows and outbox, behind traits by capability.
//! Does not own: network, sandbox: channels hand in typed events and outcomes, products read the result.
//!
//! The way of a webhook: [`store::Journal::record`] (durable before it returns), then [`store::Deliveries::apply`]. The
//! way of a reply: [`store::Outbox::queue_reply`], [`store::Outbox::begin_steps`], [`store::Outbox::finish_step`].
//!
//! Imports go one way: `model` ← `error` ← `store` ← `sqlite` ← this file; `files` and `window` stand below all.

mod error;
mod files;
mod model;
mod sqlite;
pub mod store;
mod window;

use std::{ops::Deref, path::Path, sync::Arc};

pub use error::{Cause, InboxError};
pub use files::{beside, open_to_others, private_options};
pub use model::*;
#[cfg(fuzzing)]
#[doc(hidden)]
pub use sqlite::fuzzing;
pub use sqlite::{
    Claim, Copied, NamedFile, check_file, copy_file, known_schema, named_files, note_missing, verify_copy,
};
pub use store::MAX_STORAGE_KEY;
pub use window::compute as compute_window;

use store::{Store, Views};

/// A handle to an inbox for whoever embeds a host: [`Views`] says what it can do, which is reading.
#[derive(Clone)]
pub struct InboxView(Arc<dyn Views>);

impl Deref for InboxView {
    type Target = dyn Views;

    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}

/// A handle to an inbox, whatever store it is kept in: [`Store`] says what it can do. Cloning shares it; the store is
/// closed when the last handle is dropped.
#[derive(Clone)]
pub struct Inbox(Arc<dyn Store>);

impl Inbox {
    /// Opens an inbox in an SQLite file, or makes it, and brings its schema up to date.
    pub fn open(path: &Path) -> Result<Self, InboxError> {
        Ok(Self(Arc::new(sqlite::SqliteStore::open(path)?)))
    }

    /// The same inbox, for reading.
    pub fn view(&self) -> InboxView {
        InboxView(self.store())
    }

    /// The store, for whoever is to have some of its capabilities: `Arc<dyn Store>` becomes `Arc<dyn Outbox>`.
    pub fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.0)
    }
}

impl Deref for Inbox {
    type Target = dyn Store;

    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}
