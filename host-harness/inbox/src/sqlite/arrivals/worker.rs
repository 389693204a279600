//! Owns: the thread that appends to the arrivals file and moves deliveries into the journal's table.
//! Does not own: the file format (`log`), recovery after a crash (`recovery`).

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, Ordering},
        mpsc::{self, Receiver, RecvTimeoutError, Sender, TrySendError},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use rusqlite::Transaction;
use tokio::sync::{oneshot, watch};

use super::{
    log::Log,
    recovery::insert_rows,
    row::{Arrival, DeliveryRow},
    waiting::{MAX_WAITING, Waiting},
};
use crate::{
    error::InboxError,
    model::DeliveryId,
    sqlite::{
        failure::NotCommitted,
        writer::{Job, Queue},
    },
};

/// The most deliveries per fsync.
const BATCH: usize = 512;
const THREAD: &str = "inbox-arrivals";
/// The most rows per transaction.
const MOVE: usize = 2048;
/// How long the first delivery of a transaction waits for others. It is already durable, and commits are expensive.
const GATHER: Duration = Duration::from_millis(4);
/// The file size in bytes from which the file is rewound once all its deliveries have rows.
const REWIND: u64 = 4 << 20;
/// The file size in bytes from which new deliveries wait until all others have rows and the file can be truncated.
/// Keeps the file from growing while deliveries arrive faster than rows are written.
const FULL: u64 = 64 << 20;
/// The file is truncated after this time without a delivery. Once the rows are written, it is only a copy of messages
/// that people may unsend.
const IDLE: Duration = Duration::from_secs(1);
/// The file is truncated after this time even if deliveries keep arriving.
const KEPT: Duration = Duration::from_secs(10);
/// New deliveries wait after this time until the file can be truncated.
const OVERDUE: Duration = Duration::from_secs(30);
/// The delay before retrying rows that could not be written.
const PAUSE: Duration = Duration::from_millis(200);

type Reply = oneshot::Sender<Result<DeliveryId, InboxError>>;

enum Request {
    Record(DeliveryRow, Reply),
    Appended(Vec<Arrival>, Result<(), Arc<InboxError>>),
    Close,
}

/// State shared between the thread and its callers.
struct Shared {
    /// The last id assigned to any row of the journal.
    last_id: AtomicI64,
    /// Accepted deliveries without a row.
    waiting: Mutex<Waiting>,
    /// Why no deliveries are accepted at present.
    stuck: Mutex<Option<Arc<InboxError>>>,
    /// The last id whose row is written.
    appended: watch::Sender<DeliveryId>,
}

/// The arrivals of an inbox.
pub(crate) struct Arrivals {
    shared: Arc<Shared>,
    requests: Sender<Request>,
    thread: Option<JoinHandle<()>>,
}

impl Arrivals {
    /// Starts with an empty file, as [`recover`] leaves it.
    pub(crate) fn start(log: Log, last_id: DeliveryId, journal: Queue) -> Result<Self, InboxError> {
        let shared = Arc::new(Shared {
            last_id: AtomicI64::new(last_id.get()),
            waiting: Mutex::default(),
            stuck: Mutex::new(None),
            appended: watch::Sender::new(last_id),
        });
        // Unbounded, so that the writing thread never waits for this one. `Waiting` limits the number of requests.
        let (requests, received) = mpsc::channel();
        let worker = Worker {
            shared: Arc::clone(&shared),
            log,
            journal,
            requests: requests.clone(),
            waiting: VecDeque::new(),
            waiting_since: None,
            held: Vec::new(),
            moving: false,
            retry_at: None,
            truncated_at: Instant::now(),
        };
        let thread = thread::Builder::new()
            .name(THREAD.into())
            .spawn(move || worker.run(&received))
            .map_err(|source| InboxError::Thread { name: THREAD, source })?;
        Ok(Self { shared, requests, thread: Some(thread) })
    }

    /// Returns the delivery's id once the delivery is durable. Its row follows later.
    pub(crate) async fn record(&self, row: DeliveryRow) -> Result<DeliveryId, InboxError> {
        let shared = &self.shared;
        if let Some(reason) = &*shared.stuck.lock().unwrap_or_else(PoisonError::into_inner) {
            return Err(InboxError::Stuck(Arc::clone(reason)));
        }
        if !shared.waiting().enter(&row.channel, row.size()) {
            return Err(InboxError::Busy(MAX_WAITING));
        }
        let (reply, answer) = oneshot::channel();
        self.requests.send(Request::Record(row, reply)).map_err(|_| InboxError::Closed)?;
        answer.await.map_err(|_| InboxError::Closed)?
    }

    /// An id for a row that is written directly into the journal.
    pub(crate) fn next_id(&self) -> DeliveryId {
        self.shared.next_id()
    }

    /// Whether all accepted deliveries have their rows.
    pub(crate) fn all_have_rows(&self) -> bool {
        self.shared.waiting().is_empty()
    }

    /// The deliveries without a row. Whoever counts the journal as well takes this first and then asks
    /// [`Waiting::behind`] the position that they see.
    pub(crate) fn waiting(&self) -> Waiting {
        self.shared.waiting().clone()
    }

    /// Notifies when deliveries have received their rows.
    pub(crate) fn appended(&self) -> watch::Receiver<DeliveryId> {
        self.shared.appended.subscribe()
    }

    /// The last id assigned.
    pub(crate) fn last_id(&self) -> DeliveryId {
        DeliveryId::new(self.shared.last_id.load(Ordering::Acquire))
    }
}

impl Drop for Arrivals {
    /// Waits for the thread, which owns the file until it ends.
    fn drop(&mut self) {
        let _ = self.requests.send(Request::Close);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn next_id(&self) -> DeliveryId {
        DeliveryId::new(self.last_id.fetch_add(1, Ordering::AcqRel) + 1)
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stops counting these deliveries: they have rows or were rejected.
    fn leave<'a>(&self, arrivals: impl IntoIterator<Item = &'a Arrival>) {
        let mut waiting = self.waiting();
        arrivals.into_iter().for_each(|arrival| waiting.leave(&arrival.row.channel, arrival.id, arrival.row.size()));
    }

    fn are_durable(&self, arrivals: &[Arrival]) {
        let mut waiting = self.waiting();
        arrivals.iter().for_each(|arrival| waiting.is_durable(&arrival.row.channel, arrival.id, arrival.row.size()));
    }
}

struct Worker {
    shared: Arc<Shared>,
    log: Log,
    journal: Queue,
    requests: Sender<Request>,
    waiting: VecDeque<Arrival>,
    /// When the oldest of them started waiting.
    waiting_since: Option<Instant>,
    /// Requests received while the file was full.
    held: Vec<(Arrival, Reply)>,
    /// Whether rows are being written. The next ones wait, to keep the order.
    moving: bool,
    retry_at: Option<Instant>,
    /// When the file was last truncated.
    truncated_at: Instant,
}

impl Worker {
    fn run(mut self, requests: &Receiver<Request>) {
        let mut open = true;
        // Before the inbox closes, waiting deliveries get their rows, unless the journal fails.
        while open || (self.retry_at.is_none() && (self.moving || !self.waiting.is_empty())) {
            let mut next = match requests.recv_timeout(self.next_look()) {
                Ok(request) => Some(request),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            if next.is_none() && self.all_appended() {
                self.truncate();
            }
            let mut arrived = std::mem::take(&mut self.held);
            while let Some(request) = next {
                match request {
                    Request::Record(row, reply) => arrived.push((Arrival { id: self.shared.next_id(), row }, reply)),
                    Request::Appended(arrivals, result) => self.appended(arrivals, result),
                    Request::Close => open = false,
                }
                next = if arrived.len() < BATCH { requests.try_recv().ok() } else { None };
            }
            if self.must_be_truncated() && !self.all_appended() {
                self.held = arrived;
            } else {
                if self.must_be_truncated() {
                    self.truncate();
                }
                self.append(arrived);
            }
            if !open || self.next_look() == Duration::ZERO {
                self.move_on();
            }
        }
        if self.all_appended() {
            self.truncate();
        }
    }

    /// How long the thread may sleep if no request arrives.
    fn next_look(&self) -> Duration {
        match (self.moving, self.retry_at, self.waiting_since) {
            (true, ..) => PAUSE,
            (false, Some(at), _) => at.saturating_duration_since(Instant::now()),
            (false, None, Some(since)) => GATHER.saturating_sub(since.elapsed()),
            (false, None, None) => IDLE,
        }
    }

    fn must_be_truncated(&self) -> bool {
        self.log.len() >= FULL || (self.log.len() > 0 && self.truncated_at.elapsed() >= OVERDUE)
    }

    fn all_appended(&self) -> bool {
        self.waiting.is_empty() && !self.moving
    }

    fn truncate(&mut self) {
        self.log.truncate();
        self.truncated_at = Instant::now();
    }

    fn append(&mut self, arrived: Vec<(Arrival, Reply)>) {
        let (arrivals, replies): (Vec<_>, Vec<_>) = arrived.into_iter().unzip();
        if arrivals.is_empty() {
            return;
        }
        match self.log.append(&arrivals) {
            Ok(()) => {
                self.shared.are_durable(&arrivals);
                for (arrival, reply) in arrivals.iter().zip(replies) {
                    // A caller that stopped waiting is not an error: the delivery is stored.
                    let _ = reply.send(Ok(arrival.id));
                }
                self.waiting.extend(arrivals);
                self.waiting_since.get_or_insert_with(Instant::now);
            }
            Err(error) => {
                tracing::error!(%error, deliveries = arrivals.len(), "deliveries could not be made durable");
                let error = Arc::new(error);
                self.refuse(&arrivals, replies, || InboxError::NotAccepted(Arc::clone(&error)));
            }
        }
    }

    fn refuse(&self, arrivals: &[Arrival], replies: Vec<Reply>, reason: impl Fn() -> InboxError) {
        self.shared.leave(arrivals);
        for reply in replies {
            let _ = reply.send(Err(reason()));
        }
    }

    /// Hands waiting deliveries to the journal, unless some are already being written.
    fn move_on(&mut self) {
        if self.moving || self.waiting.is_empty() {
            return;
        }
        let arrivals = self.waiting.drain(..self.waiting.len().min(MOVE)).collect();
        // The rest has already waited long enough.
        self.waiting_since = self.waiting_since.filter(|_| !self.waiting.is_empty());
        let job = Move { arrivals, problem: None, done: self.requests.clone() };
        match self.journal.put(Box::new(job)) {
            Ok(()) => self.moving = true,
            Err(TrySendError::Full(job) | TrySendError::Disconnected(job)) => {
                job.finish(Err(NotCommitted::NotTaken));
            }
        }
    }

    fn appended(&mut self, arrivals: Vec<Arrival>, result: Result<(), Arc<InboxError>>) {
        self.moving = false;
        let stuck = match result {
            Ok(()) => {
                self.shared.leave(&arrivals);
                if let Some(last) = arrivals.last() {
                    self.shared.appended.send_replace(last.id);
                }
                if self.waiting.is_empty() && self.truncated_at.elapsed() >= KEPT {
                    self.truncate();
                } else if self.waiting.is_empty() && self.log.len() >= REWIND {
                    self.log.rewind();
                }
                self.retry_at = None;
                None
            }
            Err(reason) => {
                let (held, replies): (Vec<_>, Vec<_>) = std::mem::take(&mut self.held).into_iter().unzip();
                self.refuse(&held, replies, || InboxError::Stuck(Arc::clone(&reason)));
                for arrival in arrivals.into_iter().rev() {
                    self.waiting.push_front(arrival);
                }
                self.retry_at = Some(Instant::now() + PAUSE);
                Some(reason)
            }
        };
        *self.shared.stuck.lock().unwrap_or_else(PoisonError::into_inner) = stuck;
    }
}

/// Inserts the rows of arrivals, all or none.
struct Move {
    arrivals: Vec<Arrival>,
    problem: Option<InboxError>,
    done: Sender<Request>,
}

impl Job for Move {
    fn run(&mut self, tx: &Transaction<'_>) -> bool {
        self.problem = insert_rows(tx, &self.arrivals).err();
        self.problem.is_none()
    }

    fn finish(self: Box<Self>, commit: Result<(), NotCommitted>) {
        let result = match self.problem {
            Some(problem) => Err(Arc::new(problem)),
            None => commit.map_err(|reason| Arc::new(reason.into())),
        };
        // During shutdown the thread may be gone; the file still has the deliveries.
        let _ = self.done.send(Request::Appended(self.arrivals, result));
    }
}
