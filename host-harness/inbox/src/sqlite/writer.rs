//! Owns: the one thread that writes, with group commit: what waits when a transaction begins is committed with it, so
//! that many writes share one fsync.
//! Does not own: what they write, and the connection's pragmas.

use std::{
    fs::File,
    sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender, TrySendError},
    thread::{self, JoinHandle},
    time::Duration,
};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::oneshot;

use super::{checkpoint::Checkpoints, failure::NotCommitted};
use crate::error::InboxError;

/// Writes that may wait. Beyond it the way in answers "later", which is what the platform understands.
const QUEUE: usize = 8192;
/// Writes in one transaction: bounds how long the first of them waits for its commit.
const BATCH: usize = 512;
const THREAD: &str = "inbox-writer";

/// A write in two halves: it runs in the transaction, and after the commit it is told how that went.
pub(crate) trait Job: Send {
    /// Says whether it succeeded; what it wrote is rolled back otherwise.
    fn run(&mut self, tx: &Transaction<'_>) -> bool;
    fn finish(self: Box<Self>, commit: Result<(), NotCommitted>);
}

/// The way to the writing thread, for whoever hands in jobs of its own.
#[derive(Clone)]
pub(crate) struct Queue(SyncSender<Box<dyn Job>>);

impl Queue {
    /// Gives the job back when the queue is full or closed.
    pub(crate) fn put(&self, job: Box<dyn Job>) -> Result<(), TrySendError<Box<dyn Job>>> {
        self.0.try_send(job)
    }
}

struct Task<T, F> {
    work: Option<F>,
    result: Option<Result<T, InboxError>>,
    reply: oneshot::Sender<Result<T, InboxError>>,
}

impl<T: Send, F> Job for Task<T, F>
where
    F: FnOnce(&Transaction<'_>) -> Result<T, InboxError> + Send,
{
    fn run(&mut self, tx: &Transaction<'_>) -> bool {
        self.result = self.work.take().map(|work| work(tx));
        matches!(self.result, Some(Ok(_)))
    }

    fn finish(self: Box<Self>, commit: Result<(), NotCommitted>) {
        let result = match (self.result, commit) {
            (Some(result), Ok(())) => result,
            // Its own reason says more than that of the transaction.
            (Some(Err(error)), Err(_)) => Err(error),
            (_, Err(reason)) => Err(reason.into()),
            (None, Ok(())) => Err(InboxError::Closed),
        };
        // Nobody waiting any more is no error: the write counts.
        let _ = self.reply.send(result);
    }
}

/// A failing write is rolled back alone.
fn in_savepoint(tx: &Transaction<'_>, job: &mut dyn Job) -> rusqlite::Result<()> {
    tx.prepare_cached("SAVEPOINT job")?.execute([])?;
    // On a full disk SQLite rolls back the whole transaction, and the savepoint is gone.
    if !job.run(tx) && !tx.is_autocommit() {
        tx.prepare_cached("ROLLBACK TO job")?.execute([])?;
    }
    if !tx.is_autocommit() {
        tx.prepare_cached("RELEASE job")?.execute([])?;
    }
    Ok(())
}

pub(crate) struct Writer {
    /// None when it ends.
    queue: Option<Queue>,
    thread: Option<JoinHandle<()>>,
}

/// The file, taken for this process. Two hosts on one file would send everything twice.
pub(crate) struct Opened {
    pub(crate) connection: Connection,
    pub(crate) lock: File,
}

impl Writer {
    /// Writes from now on; the file is given up when the last of the queues is gone and all is written.
    pub(crate) fn start(Opened { connection, lock }: Opened) -> Result<(Self, Queue), InboxError> {
        let (queue, jobs) = mpsc::sync_channel(QUEUE);
        let thread = thread::Builder::new()
            .name(THREAD.into())
            .spawn(move || {
                run(connection, &jobs);
                drop(lock);
            })
            .map_err(|source| InboxError::Thread { name: THREAD, source })?;
        let queue = Queue(queue);
        Ok((Self { queue: Some(queue.clone()), thread: Some(thread) }, queue))
    }

    /// Runs a write and returns when it is durable. Full queues refuse at once.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, InboxError> + Send + 'static,
    ) -> Result<T, InboxError> {
        let (reply, answer) = oneshot::channel();
        let task = Box::new(Task { work: Some(work), result: None, reply });
        self.queue.as_ref().ok_or(InboxError::Closed)?.put(task).map_err(|error| match error {
            TrySendError::Full(_) => InboxError::Busy(QUEUE),
            TrySendError::Disconnected(_) => InboxError::Closed,
        })?;
        answer.await.map_err(|_| InboxError::Closed)?
    }
}

impl Drop for Writer {
    /// The file is free for the next host as soon as this one has let go of its inbox.
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(mut connection: Connection, jobs: &Receiver<Box<dyn Job>>) {
    let mut batch: Vec<Box<dyn Job>> = Vec::with_capacity(BATCH);
    let mut checkpoints = Checkpoints::new();
    loop {
        let next = match checkpoints.due_in() {
            None => jobs.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(Duration::ZERO) => {
                checkpoints.make_empty(&connection);
                continue;
            }
            Some(wait) => jobs.recv_timeout(wait),
        };
        match next {
            Ok(first) => batch.push(first),
            Err(RecvTimeoutError::Timeout) => continue,
            Err(RecvTimeoutError::Disconnected) => return,
        }
        let committed = commit_batch(&mut connection, jobs, &mut batch);
        checkpoints.note_write();
        if let Err(reason) = &committed {
            tracing::error!(%reason, writes = batch.len(), "a transaction of the inbox failed");
        }
        for job in batch.drain(..) {
            job.finish(committed.clone());
        }
    }
}

/// Runs the job that waits in `batch` and those behind it, and commits.
fn commit_batch(
    connection: &mut Connection,
    jobs: &Receiver<Box<dyn Job>>,
    batch: &mut Vec<Box<dyn Job>>,
) -> Result<(), NotCommitted> {
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if let Some(first) = batch.first_mut()
        && !first.run(&tx)
    {
        // Nothing else was written, so the transaction is rolled back. This saves the first write its savepoint.
        return if tx.is_autocommit() { Err(NotCommitted::RolledBack) } else { Ok(tx.rollback()?) };
    }
    while batch.len() < BATCH
        && let Ok(mut job) = jobs.try_recv()
    {
        let ran = in_savepoint(&tx, &mut *job);
        batch.push(job);
        ran?;
        if tx.is_autocommit() {
            return Err(NotCommitted::RolledBack);
        }
    }
    Ok(tx.commit()?)
}
