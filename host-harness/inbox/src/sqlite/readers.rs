//! Owns: threads that read: a few, each with a connection of its own, so that no query holds up an async thread and
//! none waits for the writer.
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

/// Queries that run at once.
const THREADS: usize = 4;

const THREAD: &str = "inbox-reader";

/// A query that waits for a thread; without a connection it says why there is none.
type Job = Box<dyn FnOnce(Result<&Connection, InboxError>) + Send>;

/// The threads. Dropped, they finish the query at hand and close their connections.
pub(crate) struct Readers {
    /// None when they end.
    queue: Option<Sender<Job>>,
    threads: Vec<JoinHandle<()>>,
}

impl Readers {
    /// Starts the threads; each opens its connection at its first query.
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

    /// Runs a query on one of the threads. Whoever stops waiting before it begins saves it.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, InboxError> + Send + 'static,
    ) -> Result<T, InboxError> {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            if !reply.is_closed() {
                // Nobody waiting any more is no error.
                let _ = reply.send(connection.and_then(query));
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
        // The others wait for the lock instead of the queue.
        let next = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = next else { return };
        match &open {
            Some(connection) => job(Ok(connection)),
            None => match connection::open(&path) {
                Ok(connection) => job(Ok(open.insert(connection))),
                Err(error) => job(Err(error)),
            },
        }
    }
}
