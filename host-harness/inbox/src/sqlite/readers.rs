//! Owns: a few reader threads, each with its own connection, so that queries neither block async threads nor wait for
//! the writer; and that a query sees the file as of one moment, however many statements it is.
//! Does not own: the queries.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, Receiver, Sender},
    },
    thread::{self, JoinHandle},
};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::connection;
use crate::error::InboxError;

/// The number of concurrent queries.
const THREADS: usize = 4;

/// Statements that each connection keeps compiled: more than there are.
const STATEMENTS: usize = 128;
/// Pages of the file that each connection keeps, in KiB. It forgets them at its first query after a commit. Mapping the
/// file does not help: SQLite gives up the mapping then, too, and faulting the pages in again costs more than copying
/// them.
const CACHE_KIB: i64 = 16 << 10;

const THREAD: &str = "inbox-reader";

/// A query waiting for a thread. If the connection failed to open, the query gets the error instead.
type Job = Box<dyn FnOnce(Result<&Connection, InboxError>) + Send>;

/// The reader threads. On drop they finish their current query and close their connections.
pub(crate) struct Readers {
    /// `None` during shutdown.
    queue: Option<Sender<Job>>,
    threads: Vec<JoinHandle<()>>,
}

impl Readers {
    /// Starts the threads. Each opens its connection at its first query.
    pub(crate) fn start(path: &Path) -> Result<Self, InboxError> {
        let (queue, jobs) = mpsc::channel();
        let jobs = Arc::new(Mutex::new(jobs));
        let mut readers = Self { queue: Some(queue), threads: Vec::with_capacity(THREADS) };
        for _ in 0..THREADS {
            let (path, jobs) = (path.to_owned(), Arc::clone(&jobs));
            let thread = thread::Builder::new()
                .name(THREAD.into())
                .spawn(move || run(path, &jobs))
                .map_err(|source| InboxError::Thread { name: THREAD, source })?;
            readers.threads.push(thread);
        }
        Ok(readers)
    }

    /// Runs a query on one of the threads. If the caller stops waiting before it begins, it is skipped.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, InboxError> + Send + 'static,
    ) -> Result<T, InboxError> {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            if !reply.is_closed() {
                // A caller that stopped waiting is not an error.
                let _ = reply.send(connection.and_then(|connection| as_of_one_moment(connection, query)));
            }
        });
        self.queue.as_ref().ok_or(InboxError::Closed)?.send(job).map_err(|_| InboxError::Closed)?;
        answer.await.map_err(|_| InboxError::Closed)?
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.queue = None;
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn run(path: PathBuf, jobs: &Mutex<Receiver<Job>>) {
    let mut open: Option<Connection> = None;
    loop {
        // The other threads wait for the lock instead of the queue.
        let next = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = next else { return };
        match &open {
            Some(connection) => job(Ok(connection)),
            None => match connect(&path) {
                Ok(connection) => job(Ok(open.insert(connection))),
                Err(error) => job(Err(error)),
            },
        }
    }
}

/// In one transaction, so that its statements agree, and so that the later ones find what the earlier have read of the file.
fn as_of_one_moment<T>(
    connection: &Connection,
    query: impl FnOnce(&Connection) -> Result<T, InboxError>,
) -> Result<T, InboxError> {
    connection.prepare_cached("BEGIN")?.execute([])?;
    let result = query(connection);
    // SQLite has ended it already where the file could not be read.
    if !connection.is_autocommit() {
        connection.prepare_cached("COMMIT")?.execute([])?;
    }
    result
}

fn connect(path: &Path) -> Result<Connection, InboxError> {
    let connection = connection::open(path)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // Negative: in KiB instead of pages.
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    Ok(connection)
}
