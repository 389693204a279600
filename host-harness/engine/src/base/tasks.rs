//! Owns: running the workers' tasks: a panic is caught, counted and reported, and the worker goes on.
//! Does not own: what becomes of the interrupted work.

use std::{
    any::Any,
    collections::BTreeMap,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError},
    task::Poll,
    time::Duration,
};

use serde::Serialize;

use super::clock::Clock;

/// The pause after a panic or an error of the host, before a worker starts over.
pub(crate) const REST: Duration = Duration::from_secs(1);

/// The background workers.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Worker {
    /// Translates deliveries.
    Translate,
    /// Sends replies.
    Outbox,
    /// Downloads files.
    Media,
    /// Maintains accounts: credentials, history, profiles.
    Keeper,
    /// Looks up messages of which it is not known whether they were delivered.
    Doubts,
    /// Runs the retention jobs.
    Upkeep,
    /// Opens snoozed conversations at their time.
    Snoozes,
    /// Tells products what changes.
    Webhooks,
    /// Brings the search's index up to date.
    Index,
}

impl Worker {
    /// All workers.
    pub const ALL: [Self; 9] = [
        Self::Translate,
        Self::Outbox,
        Self::Media,
        Self::Keeper,
        Self::Doubts,
        Self::Upkeep,
        Self::Snoozes,
        Self::Webhooks,
        Self::Index,
    ];
}

/// A point in a worker's task.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Moment {
    /// The task starts.
    Begins,
    /// The attempt is recorded, and the request is about to be sent.
    Leaves,
}

/// A test hook, called at these points of every task.
#[derive(Clone)]
pub struct AtTask(Arc<dyn Fn(Worker, Moment) + Send + Sync>);

impl AtTask {
    /// A hook that calls this function.
    pub fn new(hook: impl Fn(Worker, Moment) + Send + Sync + 'static) -> Self {
        Self(Arc::new(hook))
    }
}

impl fmt::Debug for AtTask {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("AtTask")
    }
}

/// Panics of a worker's tasks since the start.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Panics {
    /// The worker.
    pub worker: Worker,
    /// The number of panics.
    pub count: u64,
    /// Time of the last one, in milliseconds since 1970.
    pub at: u64,
}

/// Runs tasks, and counts their panics.
#[derive(Debug)]
pub(crate) struct Tasks {
    hook: Option<AtTask>,
    clock: Clock,
    panics: Mutex<BTreeMap<Worker, (u64, u64)>>,
}

impl Tasks {
    pub(crate) fn new(hook: Option<AtTask>, clock: Clock) -> Self {
        Self { hook, clock, panics: Mutex::default() }
    }
}

/// A task panicked; with the panic's message.
#[derive(Clone, Debug)]
pub(crate) struct Panicked(pub(crate) String);

fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("without a word").to_owned()
}

impl Tasks {
    /// Runs a task to its end, or until it panics. Panics are counted.
    pub(crate) async fn guarded<T>(&self, worker: Worker, task: impl Future<Output = T>) -> Result<T, Panicked> {
        let mut task = std::pin::pin!(async {
            self.reaches(worker, Moment::Begins);
            task.await
        });
        let ended =
            std::future::poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| task.as_mut().poll(context))) {
                Ok(Poll::Pending) => Poll::Pending,
                Ok(Poll::Ready(value)) => Poll::Ready(Ok(value)),
                Err(panic) => Poll::Ready(Err(Panicked(words(&*panic)))),
            });
        let ended = ended.await;
        if let Err(panicked) = &ended {
            self.note_panic(worker, &panicked.0);
        }
        ended
    }

    /// Calls the test hook.
    pub(crate) fn reaches(&self, worker: Worker, moment: Moment) {
        if let Some(AtTask(hook)) = &self.hook {
            hook(worker, moment);
        }
    }

    /// Counts a panic of a worker's task.
    pub(crate) fn note_panic(&self, worker: Worker, reason: &str) {
        tracing::error!(?worker, reason, "a task of the host panicked; what it held was given back");
        let mut panics = self.panics.lock().unwrap_or_else(PoisonError::into_inner);
        let (count, at) = panics.entry(worker).or_default();
        (*count, *at) = (count.saturating_add(1), self.clock.now());
    }

    /// The panics since the start, by worker.
    pub(crate) fn panics(&self) -> Vec<Panics> {
        let panics = self.panics.lock().unwrap_or_else(PoisonError::into_inner);
        panics.iter().map(|(worker, (count, at))| Panics { worker: *worker, count: *count, at: *at }).collect()
    }
}

/// Runs a worker for as long as the host lives, restarting it after a panic.
pub(crate) async fn supervise<F: Future<Output = ()>>(tasks: Arc<Tasks>, worker: Worker, run: impl Fn() -> F) {
    while tasks.guarded(worker, run()).await.is_err() {
        tasks.clock.wait(REST).await;
    }
}
