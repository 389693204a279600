//! What a host does for itself now and then: it removes what need not be kept, and notices when its clock was set
//! back. Belongs here: when, and in which portions. What is removed, and how: the inbox's.

use std::{sync::Arc, time::Duration};

use harness_inbox::InboxError;

use crate::{host::Shared, media::store::StoreError, tasks::Worker};

/// How often it is looked whether it is time, and what the clock says.
const TICK: Duration = Duration::from_secs(1);
/// When it is tidied up first after a start.
const FIRST: Duration = Duration::from_secs(60);
/// How often it is tidied up.
const EVERY: Duration = Duration::from_secs(3600);
/// Deliveries that are emptied in one transaction.
const DELIVERIES: usize = 200;
/// Replies that are looked at in one go for the files that they name.
const REPLIES: usize = 500;
/// Keys of the media store that are compared with rows in one go.
const KEYS: usize = 500;
/// A file that no row names is left alone for this long, in milliseconds: its row may be under way.
const NAMELESS_MS: u64 = 24 * 3_600_000;
/// A clock that goes slower than time by less than this was not set back, in milliseconds.
const SLACK_MS: u64 = 2_000;

/// How long is kept what need not be kept. None is for ever.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Retention {
    /// Raw deliveries whose events are in the inbox: afterwards they are emptied, and cannot be translated again.
    pub deliveries: Option<Duration>,
    /// Files that were given to be sent and that no reply names.
    pub unused_files: Option<Duration>,
}

impl Default for Retention {
    fn default() -> Self {
        Self { deliveries: None, unused_files: Some(Duration::from_secs(30 * 24 * 3600)) }
    }
}

#[derive(Debug, thiserror::Error)]
enum UpkeepError {
    #[error(transparent)]
    Inbox(#[from] InboxError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Works for as long as the host lives.
pub(crate) async fn run(shared: Arc<Shared>) {
    tokio::join!(tidy_up(&shared), watch_clock(&shared));
}

async fn tidy_up(shared: &Shared) {
    let mut next = shared.clock.steady() + FIRST;
    loop {
        shared.clock.tick(TICK).await;
        if shared.clock.steady() < next {
            continue;
        }
        if let Ok(Err(error)) = shared.guarded(Worker::Upkeep, round(shared)).await {
            tracing::error!(%error, "tidying up pauses");
        }
        next = shared.clock.steady() + EVERY;
    }
}

async fn round(shared: &Shared) -> Result<(), UpkeepError> {
    let before = |age: Duration| shared.clock.now().saturating_sub(u64::try_from(age.as_millis()).unwrap_or(u64::MAX));
    let mut emptied = 0;
    if let Some(age) = shared.retention.deliveries {
        loop {
            let count = shared.inbox.empty_deliveries(before(age), DELIVERIES).await?;
            emptied += count;
            if count < DELIVERIES {
                break;
            }
        }
    }
    let mut parked = 0;
    if let Some(age) = shared.backlog.budget.parked {
        loop {
            let count = shared.inbox.expire_parked(before(age), DELIVERIES).await?;
            parked += count;
            if count < DELIVERIES {
                break;
            }
        }
    }
    let unused = match shared.retention.unused_files {
        Some(age) => remove_unused(shared, before(age)).await?,
        None => 0,
    };
    let nameless = remove_nameless(shared).await?;
    for (what, count) in
        [("deliveries", emptied), ("parked_deliveries", parked), ("unused_files", unused), ("nameless_files", nameless)]
    {
        if count > 0 {
            tracing::info!(what, count, "removed what need not be kept");
            shared.calls.metrics.removed(what, count);
        }
    }
    // Last, so that whoever sees it counted sees what was done.
    shared.calls.metrics.maintained();
    Ok(())
}

/// Removes files that were given to be sent before this time and are named by no reply.
async fn remove_unused(shared: &Shared, before: u64) -> Result<usize, UpkeepError> {
    let mut files = shared.inbox.files_before(before).await?;
    while !files.handles.is_empty() && shared.inbox.look_for_use(&mut files, REPLIES).await? {
        tokio::task::yield_now().await;
    }
    let mut removed = 0;
    for handle in files.handles {
        // First the row: what is left of a removal that was cut short has no name.
        if let Some(key) = shared.inbox.forget_file(handle, files.after).await? {
            shared.media.delete(&key).await?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// Removes files of the media store that no row names.
async fn remove_nameless(shared: &Shared) -> Result<usize, UpkeepError> {
    let old = shared.media.keys_before(shared.clock.now().saturating_sub(NAMELESS_MS)).await?;
    let mut removed = 0;
    for keys in old.chunks(KEYS) {
        for key in shared.inbox.unnamed(keys.to_vec()).await? {
            shared.media.delete(&key).await?;
            removed += 1;
        }
        tokio::task::yield_now().await;
    }
    Ok(removed)
}

/// Notices that the clock was set back. What waits for a time would wait longer by as much.
async fn watch_clock(shared: &Shared) {
    // What could not be written down yet.
    let mut owed: u64 = 0;
    loop {
        shared.clock.tick(TICK).await;
        let back = shared.clock.take_set_back(SLACK_MS);
        if back > 0 {
            tracing::warn!(seconds = back / 1000, "the clock was set back");
            shared.breakers.set_back(back);
            owed = owed.saturating_add(back);
        }
        if owed == 0 {
            continue;
        }
        match shared.inbox.clock_set_back(owed).await {
            Ok(()) => owed = 0,
            Err(error) => tracing::error!(%error, "what waits could not be told that the clock was set back"),
        }
        shared.queued.notify_one();
        shared.media_due.notify_one();
    }
}
