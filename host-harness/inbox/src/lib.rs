//! Owns: the inbox: the journal of raw deliveries, conversations, messages, windows and the outbox, as capability
//! traits.
//! Does not own: network or sandbox. Channels hand in typed events and outcomes; products read the result.
//!
//! The path of a webhook: [`store::Journal::record`] (durable before it returns), then [`store::Deliveries::apply`].
//! The path of a reply: [`store::Outbox::queue_reply`], [`store::Outbox::begin_steps`], [`store::Outbox::finish_step`].
//!
//! Times are in milliseconds since 1970.
//!
//! Imports go one way: `model` ← `error` ← `store` ← `sqlite` ← this file; `follow` reads what this file hands out.
//! `files` and `window` import none of them, `words` only `model`.

mod error;
mod files;
mod follow;
mod model;
mod sqlite;
pub mod store;
mod window;
mod words;

use std::{ops::Deref, path::Path, sync::Arc};

pub use error::{Cause, InboxError};
pub use files::{beside, open_to_others, private_options};
pub use follow::Follower;
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

/// A read-only handle to an inbox, for a program that embeds a host. [`Views`] lists its operations.
#[derive(Clone)]
pub struct InboxView(Arc<dyn Views>);

impl Deref for InboxView {
    type Target = dyn Views;

    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}

impl InboxView {
    /// Follows the change feed from now on, of all workspaces.
    pub fn follow(&self) -> Follower {
        Follower::new(self.clone(), None, None)
    }
}

/// A handle to an inbox, independent of the store behind it. [`Store`] lists its operations. Clones share the store,
/// which is closed when the last handle is dropped.
#[derive(Clone)]
pub struct Inbox(Arc<dyn Store>);

impl Inbox {
    /// Opens the inbox in an SQLite file, creating the file if necessary, and migrates its schema to this version.
    pub fn open(path: &Path) -> Result<Self, InboxError> {
        Ok(Self(Arc::new(sqlite::SqliteStore::open(path)?)))
    }

    /// A read-only handle to the same inbox.
    pub fn view(&self) -> InboxView {
        InboxView(self.store())
    }

    /// The store, for code that needs only some of its capabilities: `Arc<dyn Store>` coerces to `Arc<dyn Outbox>`.
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
