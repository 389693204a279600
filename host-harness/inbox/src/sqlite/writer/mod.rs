//! Owns: the only writing thread, with group commit: writes that wait together are committed together and share one
//! fsync.
//! Does not own: which of them comes next (`waiting`), the writes themselves, the connection's pragmas.

mod waiting;

use std::{
    fs::File,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc::{self, SyncSender, TrySendError},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::{oneshot, watch};

use self::waiting::{Priority, Ran, Waiting};
use super::{checkpoint::Checkpoints, failure::NotCommitted, rows::changes};
use crate::error::InboxError;

/// The most writes that may wait. Beyond it, deliveries are answered with "later", which makes the platform retry.
const QUEUE: usize = 8192;
/// The most writes per transaction, which limits how long the first of them waits for its commit.
const BATCH: usize = 512;
const THREAD: &str = "inbox-writer";

/// A write in two steps: it runs in the transaction, and after the commit it learns the result.
pub(crate) trait Job: Send {
    /// Returns whether it succeeded. If not, its changes are rolled back.
    fn run(&mut self, tx: &Transaction<'_>) -> bool;
    fn finish(self: Box<Self>, commit: Result<(), NotCommitted>);
}

/// A handle to the writing thread's queue, for code that submits its own jobs.
#[derive(Clone)]
pub(crate) struct Queue(SyncSender<(Priority, Box<dyn Job>)>);

impl Queue {
    /// Submits a background job with many rows. Returns it if the queue is full or closed.
    pub(crate) fn put(&self, job: Box<dyn Job>) -> Result<(), TrySendError<Box<dyn Job>>> {
        self.send(Priority::Bulk, job)
    }

    fn send(&self, priority: Priority, job: Box<dyn Job>) -> Result<(), TrySendError<Box<dyn Job>>> {
        self.0.try_send((priority, job)).map_err(|error| match error {
            TrySendError::Full((_, job)) => TrySendError::Full(job),
            TrySendError::Disconnected((_, job)) => TrySendError::Disconnected(job),
        })
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
            // Its own error is more specific than the transaction's.
            (Some(Err(error)), Err(_)) => Err(error),
            (_, Err(reason)) => Err(reason.into()),
            (None, Ok(())) => Err(InboxError::Closed),
        };
        // A caller that stopped waiting is not an error: the write is committed.
        let _ = self.reply.send(result);
    }
}

/// Runs a job in a savepoint, so that its failure rolls back nothing else.
fn in_savepoint(tx: &Transaction<'_>, job: &mut dyn Job) -> rusqlite::Result<()> {
    tx.prepare_cached("SAVEPOINT job")?.execute([])?;
    // On a full disk SQLite rolls back the whole transaction, and the savepoint with it.
    if !job.run(tx) && !tx.is_autocommit() {
        tx.prepare_cached("ROLLBACK TO job")?.execute([])?;
    }
    if !tx.is_autocommit() {
        tx.prepare_cached("RELEASE job")?.execute([])?;
    }
    Ok(())
}

/// The rows that a write of many writes before it lets people go first, so that each transaction is worth its commit.
pub(crate) const LEAST: usize = 32;

/// How many interactive writes wait. A write of many rows asks, and leaves the rest of them to another transaction.
#[derive(Clone, Default)]
pub(crate) struct People(Arc<AtomicUsize>);

impl People {
    pub(crate) fn wait(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }

    fn one_more(&self) -> Waits {
        self.0.fetch_add(1, Ordering::Relaxed);
        Waits(self.clone())
    }
}

/// One of them, until it is dropped.
struct Waits(People);

impl Drop for Waits {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

pub(crate) struct Writer {
    /// `None` during shutdown.
    queue: Option<Queue>,
    people: People,
    thread: Option<JoinHandle<()>>,
}

/// The file, locked for this process. Two hosts on one file would send everything twice.
pub(crate) struct Opened {
    pub(crate) connection: Connection,
    pub(crate) lock: File,
    pub(crate) path: PathBuf,
}

impl Writer {
    /// Starts the thread. It releases the file once all queue handles are dropped and all writes are done.
    pub(crate) fn start(
        Opened { mut connection, lock, path }: Opened,
    ) -> Result<(Self, Queue, watch::Receiver<u64>), InboxError> {
        let (queue, jobs) = mpsc::sync_channel(QUEUE);
        let (tell, newest) = watch::channel(changes::newest(&connection)?);
        let checkpoints = Checkpoints::start(&mut connection, &path)?;
        let thread = thread::Builder::new()
            .name(THREAD.into())
            .spawn(move || {
                run(connection, checkpoints, Waiting::new(jobs, QUEUE), &tell);
                drop(lock);
            })
            .map_err(|source| InboxError::Thread { name: THREAD, source })?;
        let queue = Queue(queue);
        let writer = Self { queue: Some(queue.clone()), people: People::default(), thread: Some(thread) };
        Ok((writer, queue, newest))
    }

    /// Runs a write that a person or a platform waits for, and returns once it is durable. Fails at once if the queue is
    /// full.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, InboxError> + Send + 'static,
    ) -> Result<T, InboxError> {
        let waits = self.people.one_more();
        let work = move |tx: &Transaction<'_>| {
            drop(waits);
            work(tx)
        };
        self.write_with(Priority::Interactive, work).await
    }

    /// The same for a worker's write, which waits behind those of people and may wait for company. For whatever grows
    /// with the traffic.
    pub(crate) async fn write_in_background<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, InboxError> + Send + 'static,
    ) -> Result<T, InboxError> {
        self.write_with(Priority::Background, work).await
    }

    /// The same for a write of many rows.
    pub(crate) async fn write_in_bulk<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, InboxError> + Send + 'static,
    ) -> Result<T, InboxError> {
        self.write_with(Priority::Bulk, work).await
    }

    /// Whether people wait, for a write of many rows.
    pub(crate) fn people(&self) -> People {
        self.people.clone()
    }

    async fn write_with<T: Send + 'static>(
        &self,
        priority: Priority,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, InboxError> + Send + 'static,
    ) -> Result<T, InboxError> {
        let (reply, answer) = oneshot::channel();
        let task = Box::new(Task { work: Some(work), result: None, reply });
        self.queue.as_ref().ok_or(InboxError::Closed)?.send(priority, task).map_err(|error| match error {
            TrySendError::Full(_) => InboxError::Busy(QUEUE),
            TrySendError::Disconnected(_) => InboxError::Closed,
        })?;
        answer.await.map_err(|_| InboxError::Closed)?
    }
}

impl Drop for Writer {
    /// Waits for the thread, so that the next host can open the file as soon as the inbox is dropped.
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

// `checkpoints` is dropped before the connection, which has to be the last: parameters are dropped from the last on.
fn run(
    mut connection: Connection,
    mut checkpoints: Checkpoints,
    mut waiting: Waiting<Box<dyn Job>>,
    newest: &watch::Sender<u64>,
) {
    let mut batch: Vec<Box<dyn Job>> = Vec::with_capacity(BATCH);
    loop {
        let due = checkpoints.due_in();
        if due == Some(Duration::ZERO) {
            checkpoints.make_empty(&connection);
            continue;
        }
        match waiting.wait(due) {
            Ok(true) => {}
            Ok(false) => continue,
            Err(_) => return,
        }
        let committed = commit_batch(&mut connection, &mut waiting, &mut batch);
        if let Err(reason) = &committed {
            tracing::error!(%reason, writes = batch.len(), "a transaction of the inbox failed");
        }
        tell_newest(&connection, newest);
        for job in batch.drain(..) {
            job.finish(committed.clone());
        }
        // After everybody has been told: they need not wait for it.
        checkpoints.after_write(&connection);
    }
}

/// Wakes the readers of the change feed if something was committed to it.
fn tell_newest(connection: &Connection, newest: &watch::Sender<u64>) {
    match changes::newest(connection) {
        Ok(seq) => {
            newest.send_if_modified(|known| std::mem::replace(known, seq) != seq);
        }
        Err(error) => {
            tracing::error!(%error, "the newest change cannot be read; readers of the feed wait for the next")
        }
    }
}

/// Runs what waits, and commits. Leaves in `batch` what it ran.
fn commit_batch(
    connection: &mut Connection,
    waiting: &mut Waiting<Box<dyn Job>>,
    batch: &mut Vec<Box<dyn Job>>,
) -> Result<(), NotCommitted> {
    let mut ran = Ran::default();
    let committed = run_batch(connection, waiting, batch, &mut ran);
    waiting.ended(ran);
    committed
}

fn run_batch(
    connection: &mut Connection,
    waiting: &mut Waiting<Box<dyn Job>>,
    batch: &mut Vec<Box<dyn Job>>,
    ran: &mut Ran,
) -> Result<(), NotCommitted> {
    // Taken before the transaction begins: if it cannot, somebody must be told.
    batch.extend(waiting.next(ran));
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if let Some(first) = batch.first_mut()
        && !first.run(&tx)
    {
        // The first job runs without a savepoint: nothing else is written yet, so the whole transaction can be rolled
        // back.
        return if tx.is_autocommit() { Err(NotCommitted::RolledBack) } else { Ok(tx.rollback()?) };
    }
    while batch.len() < BATCH
        && let Some(mut job) = waiting.next(ran)
    {
        let succeeded = in_savepoint(&tx, &mut *job);
        batch.push(job);
        succeeded?;
        if tx.is_autocommit() {
            return Err(NotCommitted::RolledBack);
        }
    }
    Ok(tx.commit()?)
}
