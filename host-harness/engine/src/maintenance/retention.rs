//! Owns: removing what need not be kept any more, and noticing that the clock was set back: when, and in which portions.
//! Does not own: what is removed, and how (the inbox).

use std::{sync::Arc, time::Duration};

use harness_inbox::InboxError;

use super::Maintenance;
use crate::{base::tasks::Worker, store::StoreError};

/// How often the clock is looked at: nobody tells that a machine's was set.
const TICK: Duration = Duration::from_secs(1);
/// The first cleanup after a start.
const FIRST: Duration = Duration::from_secs(60);
/// The interval between cleanups.
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

/// Retention periods. None is for ever.
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
enum MaintenanceError {
    #[error(transparent)]
    Inbox(#[from] InboxError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Works for as long as the host lives.
pub(crate) async fn run(room: Arc<Maintenance>) {
    tokio::join!(tidy_up(&room), watch_clock(&room));
}

async fn tidy_up(room: &Maintenance) {
    room.base.clock.wait(FIRST).await;
    loop {
        if let Ok(Err(error)) = room.base.tasks.guarded(Worker::Upkeep, round(room)).await {
            tracing::error!(%error, "tidying up pauses");
        }
        room.base.clock.wait(EVERY).await;
    }
}

async fn round(room: &Maintenance) -> Result<(), MaintenanceError> {
    let before =
        |age: Duration| room.base.clock.now().saturating_sub(u64::try_from(age.as_millis()).unwrap_or(u64::MAX));
    let mut emptied = 0;
    if let Some(age) = room.retention.deliveries {
        loop {
            let count = room.base.inbox.empty_deliveries(before(age), DELIVERIES).await?;
            emptied += count;
            if count < DELIVERIES {
                break;
            }
        }
    }
    let mut parked = 0;
    if let Some(age) = room.backlog.budget.parked {
        loop {
            let count = room.base.inbox.expire_parked(before(age), DELIVERIES).await?;
            parked += count;
            if count < DELIVERIES {
                break;
            }
        }
    }
    let unused = match room.retention.unused_files {
        Some(age) => remove_unused(room, before(age)).await?,
        None => 0,
    };
    let nameless = remove_nameless(room).await?;
    for (what, count) in
        [("deliveries", emptied), ("parked_deliveries", parked), ("unused_files", unused), ("nameless_files", nameless)]
    {
        if count > 0 {
            tracing::info!(what, count, "removed what need not be kept");
            room.base.metrics.removed(what, count);
        }
    }
    // Last, so that whoever sees it counted sees what was done.
    room.base.metrics.maintained();
    Ok(())
}

/// Removes files that were given to be sent before this time and are named by no reply.
async fn remove_unused(room: &Maintenance, before: u64) -> Result<usize, MaintenanceError> {
    let mut files = room.base.inbox.files_before(before).await?;
    while !files.handles.is_empty() && room.base.inbox.look_for_use(&mut files, REPLIES).await? {
        tokio::task::yield_now().await;
    }
    let mut removed = 0;
    for handle in files.handles {
        // First the row: what is left of a removal that was cut short has no name.
        if let Some(key) = room.base.inbox.forget_file(handle, files.after).await? {
            room.store.delete(&key).await?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// Removes files of the media store that no row names.
async fn remove_nameless(room: &Maintenance) -> Result<usize, MaintenanceError> {
    let old = room.store.keys_before(room.base.clock.now().saturating_sub(NAMELESS_MS)).await?;
    let mut removed = 0;
    for keys in old.chunks(KEYS) {
        for key in room.base.inbox.unnamed(keys.to_vec()).await? {
            room.store.delete(&key).await?;
            removed += 1;
        }
        tokio::task::yield_now().await;
    }
    Ok(removed)
}

/// Notices that the clock was set back. What waits for a time would wait longer by as much.
async fn watch_clock(room: &Maintenance) {
    // What could not be written down yet.
    let mut owed: u64 = 0;
    loop {
        room.base.clock.sleep_until(Some(room.base.clock.after(TICK))).await;
        let back = room.base.clock.take_set_back(SLACK_MS);
        if back > 0 {
            tracing::warn!(seconds = back / 1000, "the clock was set back");
            room.channels.breakers.set_back(back);
            owed = owed.saturating_add(back);
        }
        if owed == 0 {
            continue;
        }
        match room.base.inbox.clock_set_back(owed).await {
            Ok(()) => owed = 0,
            Err(error) => tracing::error!(%error, "what waits could not be told that the clock was set back"),
        }
        room.base.wake.rescheduled();
    }
}
