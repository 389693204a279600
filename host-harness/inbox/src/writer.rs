//! The one thread that writes. Belongs here: group commit, pragmas, the schema. What waits when a
//! transaction begins is committed with it, so that many deliveries share one fsync.

use std::{
    collections::VecDeque,
    fs::{File, OpenOptions, TryLockError},
    path::{Path, PathBuf},
    sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender},
    thread,
    time::{Duration, Instant},
};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::oneshot;

use crate::{InboxError, integrity};

/// Writes that may wait. Beyond it the way in answers "later", which is what the platform understands.
const QUEUE: usize = 8192;
/// Writes in one transaction: bounds how long the first of them waits for its commit.
const BATCH: usize = 512;
/// How long a write that may wait lets others go first: somebody waits for them, and the next ones are
/// probably already on their way.
const LULL: Duration = Duration::from_millis(1);
/// The longest that it waits, however many others come.
const LONGEST_WAIT: Duration = Duration::from_millis(100);

/// Schemas, oldest first; `user_version` counts how many were applied.
pub(crate) const MIGRATIONS: [&str; 4] = [
    include_str!("schema-1.sql"),
    include_str!("schema-2.sql"),
    include_str!("schema-3.sql"),
    include_str!("schema-4.sql"),
];

/// A write in two halves: it runs in the transaction, and after the commit it is told how that went.
trait Job: Send {
    fn run(&mut self, tx: &Transaction<'_>);
    fn finish(self: Box<Self>, commit: Result<(), String>);
}

/// A write, and whether it may let others go first.
struct Queued {
    job: Box<dyn Job>,
    can_wait: bool,
}

/// Writes that let others go first, and since when.
type Waiting = VecDeque<(Instant, Box<dyn Job>)>;

struct Task<T, F> {
    work: Option<F>,
    /// Whether a failure leaves something behind that must be taken back.
    many: bool,
    result: Option<Result<T, InboxError>>,
    reply: oneshot::Sender<Result<T, InboxError>>,
}

impl<T: Send, F> Job for Task<T, F>
where
    F: FnOnce(&Transaction<'_>) -> Result<T, InboxError> + Send,
{
    fn run(&mut self, tx: &Transaction<'_>) {
        if let Some(work) = self.work.take() {
            self.result = Some(if self.many { in_savepoint(tx, work) } else { work(tx) });
        }
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
fn in_savepoint<T>(
    tx: &Transaction<'_>,
    work: impl FnOnce(&Transaction<'_>) -> Result<T, InboxError>,
) -> Result<T, InboxError> {
    tx.prepare_cached("SAVEPOINT job")?.execute([])?;
    let result = work(tx);
    if result.is_err() {
        if tx.is_autocommit() {
            // A full disk makes SQLite take back the whole transaction: there is no savepoint left.
            return result;
        }
        tx.prepare_cached("ROLLBACK TO job")?.execute([])?;
    }
    tx.prepare_cached("RELEASE job")?.execute([])?;
    result
}

pub(crate) struct Writer {
    queue: SyncSender<Queued>,
    /// Held for as long as the inbox is open: two hosts on one file would send everything twice.
    _lock: File,
}

impl Writer {
    pub(crate) fn open(path: &Path) -> Result<Self, InboxError> {
        let lock = lock(path)?;
        integrity::at_start(path)?;
        let mut connection = connect(path)?;
        migrate(&mut connection)?;
        integrity::mark(path)?;
        let (queue, jobs) = mpsc::sync_channel(QUEUE);
        thread::Builder::new()
            .name("inbox-writer".into())
            .spawn(move || run(connection, jobs))
            .map_err(|error| InboxError::Durability(format!("the writing thread did not start: {error}")))?;
        Ok(Self { queue, _lock: lock })
    }

    /// Runs a write and returns when it is durable. Full queues refuse at once.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, InboxError> + Send + 'static,
    ) -> Result<T, InboxError> {
        self.queue(work, true, false).await
    }

    /// The same for a write of a single statement, which takes itself back when it fails.
    pub(crate) async fn write_one<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, InboxError> + Send + 'static,
    ) -> Result<T, InboxError> {
        self.queue(work, false, false).await
    }

    /// The same for a write that nobody outside waits for: those that somebody waits for go first.
    pub(crate) async fn write_later<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, InboxError> + Send + 'static,
    ) -> Result<T, InboxError> {
        self.queue(work, true, true).await
    }

    async fn queue<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, InboxError> + Send + 'static,
        many: bool,
        can_wait: bool,
    ) -> Result<T, InboxError> {
        let (reply, answer) = oneshot::channel();
        let task = Box::new(Task { work: Some(work), many, result: None, reply });
        self.queue.try_send(Queued { job: task, can_wait }).map_err(|error| match error {
            mpsc::TrySendError::Full(_) => InboxError::Busy(QUEUE),
            mpsc::TrySendError::Disconnected(_) => InboxError::Closed,
        })?;
        answer.await.map_err(|_| InboxError::Closed)?
    }
}

fn run(mut connection: Connection, jobs: Receiver<Queued>) {
    let mut batch: Vec<Box<dyn Job>> = Vec::with_capacity(BATCH);
    let mut waiting = Waiting::new();
    while let Some(first) = next(&jobs, &mut waiting) {
        batch.push(first);
        let committed = commit_batch(&mut connection, &jobs, &mut waiting, &mut batch);
        if let Err(reason) = &committed {
            tracing::error!(%reason, writes = batch.len(), "a transaction of the inbox failed");
        }
        for job in batch.drain(..) {
            job.finish(committed.clone());
        }
    }
}

/// The write with which the next transaction begins; none when the inbox is closed.
fn next(jobs: &Receiver<Queued>, waiting: &mut Waiting) -> Option<Box<dyn Job>> {
    loop {
        let queued = match waiting.front() {
            None => jobs.recv().ok()?,
            Some((since, _)) if since.elapsed() >= LONGEST_WAIT => return waiting.pop_front().map(|(_, job)| job),
            Some(_) => match jobs.recv_timeout(LULL) {
                Ok(queued) => queued,
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    return waiting.pop_front().map(|(_, job)| job);
                }
            },
        };
        if !queued.can_wait {
            return Some(queued.job);
        }
        waiting.push_back((Instant::now(), queued.job));
    }
}

fn commit_batch(
    connection: &mut Connection,
    jobs: &Receiver<Queued>,
    waiting: &mut Waiting,
    batch: &mut Vec<Box<dyn Job>>,
) -> Result<(), String> {
    let text = |error: rusqlite::Error| error.to_string();
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(text)?;
    let mut next = 0;
    while let Some(job) = batch.get_mut(next) {
        job.run(&tx);
        if tx.is_autocommit() {
            return Err("the disk is full or failing, and the transaction was taken back".into());
        }
        next += 1;
        while batch.len() < BATCH
            && let Ok(queued) = jobs.try_recv()
        {
            if queued.can_wait {
                waiting.push_back((Instant::now(), queued.job));
            } else {
                batch.push(queued.job);
                break;
            }
        }
    }
    tx.commit().map_err(text)
}

/// Takes the file for this process.
pub(crate) fn lock(path: &Path) -> Result<File, InboxError> {
    let name = integrity::beside(path, ".lock");
    let failed = |error: std::io::Error| InboxError::Durability(format!("{}: {error}", path.display()));
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(&name).map_err(failed)?;
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
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop).map_err(|error| InboxError::Durability(format!("{}: {error}", path.display())))
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
        connection.pragma_update(None, "wal_autocheckpoint", 4000)?;
        // What a savepoint may have to take back is kept in memory, not in a file.
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        // In KiB where negative: the indexes are touched all over.
        connection.pragma_update(None, "cache_size", -65_536)?;
        connection.busy_timeout(Duration::from_secs(5))?;
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
    let apply = |connection: &mut Connection| -> rusqlite::Result<()> {
        let tx = connection.transaction_with_behavior(TransactionBehavior::Exclusive)?;
        for migration in MIGRATIONS.iter().skip(done) {
            tx.execute_batch(migration)?;
        }
        tx.pragma_update(None, "user_version", known)?;
        tx.commit()
    };
    apply(connection).map_err(|source| InboxError::Migration { found, known, source })
}
