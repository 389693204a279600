//! The one thread that writes. Belongs here: group commit, pragmas, the schema. What waits when a
//! transaction begins is committed with it, so that many deliveries share one fsync.

use std::{
    fs::{File, TryLockError},
    path::{Path, PathBuf},
    sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender, TrySendError},
    thread::{self, JoinHandle},
    time::Duration,
};

use rusqlite::{Connection, Transaction, TransactionBehavior, functions::FunctionFlags};
use tokio::sync::oneshot;

use crate::{
    InboxError,
    apply::digest,
    checkpoint::{Checkpoints, LOG_LIMIT},
    integrity,
    private::private_options,
};

/// Writes that may wait. Beyond it the way in answers "later", which is what the platform understands.
const QUEUE: usize = 8192;
/// Writes in one transaction: bounds how long the first of them waits for its commit.
const BATCH: usize = 512;
/// How long a write waits for another process that has the file locked.
pub(crate) const BUSY: Duration = Duration::from_secs(5);
/// Schemas, oldest first; `user_version` counts how many were applied.
pub(crate) const MIGRATIONS: [&str; 6] = [
    include_str!("schema-1.sql"),
    include_str!("schema-2.sql"),
    include_str!("schema-3.sql"),
    include_str!("schema-4.sql"),
    include_str!("schema-5.sql"),
    include_str!("schema-6.sql"),
];

/// A write in two halves: it runs in the transaction, and after the commit it is told how that went.
pub(crate) trait Job: Send {
    /// Says whether it went well; what it wrote is taken back otherwise.
    fn run(&mut self, tx: &Transaction<'_>) -> bool;
    fn finish(self: Box<Self>, commit: Result<(), String>);
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

    fn finish(self: Box<Self>, commit: Result<(), String>) {
        let result = match (self.result, commit) {
            (Some(result), Ok(())) => result,
            // Its own reason says more than that of the transaction.
            (Some(Err(error)), Err(_)) => Err(error),
            (_, Err(reason)) => Err(InboxError::Durability(reason)),
            (None, Ok(())) => Err(InboxError::Closed),
        };
        // Nobody waiting any more is no error: the write counts.
        let _ = self.reply.send(result);
    }
}

/// A failing write takes itself back and leaves its neighbours alone.
fn in_savepoint(tx: &Transaction<'_>, job: &mut dyn Job) -> rusqlite::Result<()> {
    tx.prepare_cached("SAVEPOINT job")?.execute([])?;
    // A full disk makes SQLite take back the whole transaction: there is no savepoint left then.
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

/// Takes the file and brings its schema up to date.
pub(crate) fn open(path: &Path) -> Result<Opened, InboxError> {
    let lock = lock(path)?;
    integrity::at_start(path)?;
    let mut connection = connect(path)?;
    migrate(&mut connection)?;
    integrity::mark(path)?;
    Ok(Opened { connection, lock })
}

impl Writer {
    /// Writes from now on; the file is given up when the last of the queues is gone and all is written.
    pub(crate) fn start(Opened { connection, lock }: Opened) -> Result<(Self, Queue), InboxError> {
        let (queue, jobs) = mpsc::sync_channel(QUEUE);
        let thread = thread::Builder::new()
            .name("inbox-writer".into())
            .spawn(move || {
                run(connection, &jobs);
                drop(lock);
            })
            .map_err(|error| InboxError::Durability(format!("the writing thread did not start: {error}")))?;
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

const FULL: &str = "the disk is full or failing, and the transaction was taken back";

/// Runs the job that waits in `batch` and those behind it, and commits.
fn commit_batch(
    connection: &mut Connection,
    jobs: &Receiver<Box<dyn Job>>,
    batch: &mut Vec<Box<dyn Job>>,
) -> Result<(), String> {
    let text = |error: rusqlite::Error| error.to_string();
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(text)?;
    if let Some(first) = batch.first_mut()
        && !first.run(&tx)
    {
        // Nothing else was written: the whole is taken back, which costs the many that go well nothing.
        return if tx.is_autocommit() { Err(FULL.into()) } else { tx.rollback().map_err(text) };
    }
    while batch.len() < BATCH
        && let Ok(mut job) = jobs.try_recv()
    {
        let ran = in_savepoint(&tx, &mut *job);
        batch.push(job);
        ran.map_err(text)?;
        if tx.is_autocommit() {
            return Err(FULL.into());
        }
    }
    tx.commit().map_err(text)
}

/// Takes the file for this process.
pub(crate) fn lock(path: &Path) -> Result<File, InboxError> {
    let name = integrity::beside(path, ".lock");
    let failed = |error: std::io::Error| InboxError::Durability(format!("{}: {error}", path.display()));
    let file = private_options().create(true).truncate(false).write(true).open(&name).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(InboxError::InUse(path.to_owned())),
        Err(TryLockError::Error(error)) => return Err(failed(error)),
    }
    Ok(file)
}

/// Makes the file where it is missing, for this user alone: it holds conversations. SQLite gives its journal
/// files the same mode.
pub(crate) fn make_private(path: &Path) -> Result<(), InboxError> {
    let made = private_options().create(true).truncate(false).write(true).open(path);
    made.map(drop).map_err(|error| InboxError::Durability(format!("{}: {error}", path.display())))
}

fn connect(path: &Path) -> Result<Connection, InboxError> {
    make_private(path)?;
    let open = || -> rusqlite::Result<Connection> {
        let connection = Connection::open(path)?;
        // FULL makes every commit an fsync: a 200 must survive a power cut.
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", "ON")?;
        // What was unsent must be gone from the file, not only from the table.
        connection.pragma_update(None, "secure_delete", "ON")?;
        connection.pragma_update(None, "wal_autocheckpoint", 16_000)?;
        // What a savepoint may have to take back is kept in memory, not in a file.
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        // In KiB where negative: the indexes are touched all over.
        connection.pragma_update(None, "cache_size", -65_536)?;
        // A log that grew while a reader held it gives its room back.
        connection.pragma_update(None, "journal_size_limit", LOG_LIMIT)?;
        connection.busy_timeout(BUSY)?;
        connection.set_prepared_statement_cache_capacity(128);
        Ok(connection)
    };
    open().map_err(|source| InboxError::Open { path: PathBuf::from(path), source })
}

fn migrate(connection: &mut Connection) -> Result<(), InboxError> {
    let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    if found > known {
        return Err(InboxError::NewerSchema { found, known });
    }
    if found == known {
        return Ok(());
    }
    let done = usize::try_from(found).unwrap_or(0);
    apply_migrations(connection, done, MIGRATIONS.len()).map_err(|source| InboxError::Migration {
        found,
        known,
        source,
    })
}

/// A database of this schema, in memory, with nothing in it.
pub(crate) fn empty(schema: i64) -> Result<Connection, InboxError> {
    let mut connection = Connection::open_in_memory()?;
    apply_migrations(&mut connection, 0, usize::try_from(schema).unwrap_or(0))?;
    Ok(connection)
}

fn apply_migrations(connection: &mut Connection, done: usize, known: usize) -> rusqlite::Result<()> {
    // For schema 5.
    connection.create_scalar_function(
        "digest",
        1,
        FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_DIRECTONLY,
        |context| Ok(digest(context.get_raw(0).as_str()?)),
    )?;
    let tx = connection.transaction_with_behavior(TransactionBehavior::Exclusive)?;
    for migration in MIGRATIONS.iter().take(known).skip(done) {
        tx.execute_batch(migration)?;
    }
    tx.pragma_update(None, "user_version", i64::try_from(known).unwrap_or(i64::MAX))?;
    tx.commit()
}
