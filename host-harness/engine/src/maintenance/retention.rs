//! Owns: running the retention jobs in batches, and detecting that the clock was set back.
//! Does not own: what is removed, and how (the inbox).

use std::{sync::Arc, time::Duration};

use harness_inbox::{InboxError, Kept, KeptDays};

use super::Maintenance;
use crate::{base::tasks::Worker, store::StoreError};

/// Polling interval for the clock: nothing signals that the machine's clock was set.
const TICK: Duration = Duration::from_secs(1);
/// The delay of the first run after a start.
const FIRST: Duration = Duration::from_secs(60);
/// The interval between runs.
const EVERY: Duration = Duration::from_secs(3600);
/// Deliveries emptied per transaction.
const DELIVERIES: usize = 200;
/// Changes removed per transaction.
const CHANGES: usize = 2000;
/// Replies searched for file references per batch.
const REPLIES: usize = 500;
/// Keys of the media store compared with rows per batch.
const KEYS: usize = 500;
/// The minimum age of an orphaned file before it is removed, in milliseconds: its row may still be on the way.
const NAMELESS_MS: u64 = 24 * 3_600_000;
/// A clock that falls behind by less than this was not set back, in milliseconds.
const SLACK_MS: u64 = 2_000;

/// Retention periods. `None`: for ever.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Retention {
    /// Raw deliveries whose events are in the inbox. They are emptied, and cannot be translated again.
    pub deliveries: Option<Duration>,
    /// Uploaded files that no reply refers to.
    pub unused_files: Option<Duration>,
    /// Entries of the change feed. A reader that was away for longer is told that it missed some.
    pub changes: Option<Duration>,
}

impl Default for Retention {
    fn default() -> Self {
        let month = Some(Duration::from_secs(30 * 24 * 3600));
        Self { deliveries: None, unused_files: month, changes: month }
    }
}

const DAY: Duration = Duration::from_secs(24 * 3600);

/// How long something is kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Period {
    /// What is kept.
    pub what: Kept,
    /// How long, according to the configuration. `None`: for ever.
    pub configured: Option<Duration>,
    /// What somebody set in its place: days, or for ever.
    pub set: Option<Option<u32>>,
}

impl Period {
    /// The period that counts. `None`: for ever.
    pub fn age(&self) -> Option<Duration> {
        self.set.map_or(self.configured, |days| days.map(|days| DAY.saturating_mul(days)))
    }
}

/// What is kept for how long, of all that need not be kept for ever.
#[derive(Clone, Copy, Debug)]
pub struct Periods([Period; 4]);

impl Periods {
    pub(crate) fn new(configured: Retention, parked: Option<Duration>, set: &KeptDays) -> Self {
        Self(Kept::ALL.map(|what| {
            let configured = match what {
                Kept::Deliveries => configured.deliveries,
                Kept::Parked => parked,
                Kept::UnusedFiles => configured.unused_files,
                Kept::Changes => configured.changes,
            };
            let set = set.get(&what).map(|days| (*days > 0).then_some(*days));
            Period { what, configured, set }
        }))
    }

    /// All of them.
    pub fn all(&self) -> &[Period] {
        &self.0
    }

    /// How long something is kept. `None`: for ever.
    pub fn age(&self, what: Kept) -> Option<Duration> {
        self.0.iter().find(|period| period.what == what).and_then(Period::age)
    }
}

#[derive(Debug, thiserror::Error)]
enum MaintenanceError {
    #[error(transparent)]
    Inbox(#[from] InboxError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Runs for as long as the host lives.
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
    // Read anew: somebody may have set other periods.
    let periods = room.periods().await?;
    let mut emptied = 0;
    if let Some(age) = periods.age(Kept::Deliveries) {
        loop {
            let count = room.base.inbox.empty_deliveries(before(age), DELIVERIES).await?;
            emptied += count;
            if count < DELIVERIES {
                break;
            }
        }
    }
    let mut parked = 0;
    if let Some(age) = periods.age(Kept::Parked) {
        loop {
            let count = room.base.inbox.expire_parked(before(age), DELIVERIES).await?;
            parked += count;
            if count < DELIVERIES {
                break;
            }
        }
    }
    let mut changes = 0;
    if let Some(age) = periods.age(Kept::Changes) {
        loop {
            let count = room.base.inbox.expire_changes(before(age), CHANGES).await?;
            changes += count;
            if count < CHANGES {
                break;
            }
        }
    }
    let unused = match periods.age(Kept::UnusedFiles) {
        Some(age) => remove_unused(room, before(age)).await?,
        None => 0,
    };
    let nameless = remove_nameless(room).await?;
    for (what, count) in [
        ("deliveries", emptied),
        ("parked_deliveries", parked),
        ("changes", changes),
        ("unused_files", unused),
        ("nameless_files", nameless),
    ] {
        if count > 0 {
            tracing::info!(what, count, "removed what need not be kept");
            room.base.metrics.removed(what, count);
        }
    }
    // Last, so that once the run is counted its effects are visible.
    room.base.metrics.maintained();
    Ok(())
}

/// Removes files that were uploaded before this time and that no reply refers to.
async fn remove_unused(room: &Maintenance, before: u64) -> Result<usize, MaintenanceError> {
    let mut files = room.base.inbox.files_before(before).await?;
    while !files.handles.is_empty() && room.base.inbox.look_for_use(&mut files, REPLIES).await? {
        tokio::task::yield_now().await;
    }
    let mut removed = 0;
    for handle in files.handles {
        // The row goes first: if the removal is cut short, the file is left orphaned and is found later.
        if let Some(key) = room.base.inbox.forget_file(handle, files.after).await? {
            room.store.delete(&key).await?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// Removes files of the media store that no row refers to.
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

/// Detects that the clock was set back, and moves scheduled times with it. Otherwise they would be late by as much.
async fn watch_clock(room: &Maintenance) {
    // Milliseconds not yet applied to the inbox.
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
