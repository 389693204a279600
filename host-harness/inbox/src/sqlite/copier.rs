//! Owns: the thread that copies the write-ahead log into the file while writes go on.
//! Does not own: when, and emptying the log, which only the writer can (`checkpoint`).

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
        mpsc::{self, Receiver, Sender},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use rusqlite::Connection;

use super::connection;
use crate::error::InboxError;

const THREAD: &str = "inbox-copier";

const NOTHING: u8 = 0;
const COPYING: u8 = 1;
const COPIED: u8 = 2;

/// The thread. On drop it finishes and closes its connection, so that the writer's is the last.
pub(crate) struct Copier {
    state: Arc<AtomicU8>,
    /// `None` during shutdown.
    orders: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Copier {
    /// Starts the thread. It opens its connection when it is first needed.
    pub(crate) fn start(path: &Path) -> Result<Self, InboxError> {
        let (orders, received) = mpsc::channel();
        let state = Arc::new(AtomicU8::new(NOTHING));
        let (path, told) = (path.to_owned(), Arc::clone(&state));
        let thread = thread::Builder::new()
            .name(THREAD.into())
            .spawn(move || run(&path, &received, &told))
            .map_err(|source| InboxError::Thread { name: THREAD, source })?;
        Ok(Self { state, orders: Some(orders), thread: Some(thread) })
    }

    /// Has the log copied, as far as no reader needs the file as it was.
    pub(crate) fn copy(&self) {
        self.state.store(COPYING, Ordering::Release);
        if self.orders.as_ref().is_none_or(|orders| orders.send(()).is_err()) {
            self.state.store(COPIED, Ordering::Release);
        }
    }

    pub(crate) fn is_copying(&self) -> bool {
        self.state.load(Ordering::Acquire) == COPYING
    }

    /// Whether it was copied since [`Copier::forget`], so that little is left to copy.
    pub(crate) fn has_copied(&self) -> bool {
        self.state.load(Ordering::Acquire) == COPIED
    }

    /// The next emptying begins with copying again. What is under way goes on.
    pub(crate) fn forget(&self) {
        let _ = self.state.compare_exchange(COPIED, NOTHING, Ordering::AcqRel, Ordering::Acquire);
    }
}

impl Drop for Copier {
    fn drop(&mut self) {
        self.orders = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(path: &Path, orders: &Receiver<()>, state: &AtomicU8) {
    let mut open: Option<Connection> = None;
    while orders.recv().is_ok() {
        // The writer copies everything itself if this fails, and reports it.
        if let Err(error) = copy(path, &mut open) {
            tracing::debug!(%error, "the write-ahead log could not be copied beside the writes");
        }
        state.store(COPIED, Ordering::Release);
    }
}

fn copy(path: &Path, open: &mut Option<Connection>) -> Result<(), InboxError> {
    let connection = match open {
        Some(connection) => connection,
        None => open.insert(connection::connect(path)?),
    };
    // If the writer empties the log at this moment, nothing is left to do.
    connection.busy_timeout(Duration::ZERO)?;
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?;
    Ok(())
}
