//! Owns: when the write-ahead log is copied into the file and emptied. Unsent content leaves the tables at once, but leaves
//! the log only when it is copied and truncated.
//! Does not own: copying while writes go on (`copier`).

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use rusqlite::Connection;

use super::{connection::BUSY, copier::Copier};
use crate::error::InboxError;

/// The log is emptied after this time without a write.
const IDLE: Duration = Duration::from_secs(1);
/// The log is emptied after this time even while writes continue, because any of it may be unsent by now.
const KEPT: Duration = Duration::from_secs(20);
/// The pages in the log from which it is written from its beginning again. Few, because the device writes them out at
/// once, and commits wait for it meanwhile.
const LARGE: u64 = 1_500;
/// The shortest time between two beginnings of a log that is only large. A burst writes the same pages again and again, and
/// each needs to be copied once.
const EVERY: Duration = Duration::from_millis(300);
/// The pages that were written while the log was copied, from which it is copied again first, so that the writer has little
/// left to copy.
const REST: u64 = 200;
/// The most copies in a row: each leaves less, unless the device is slower than the writer.
const ROUNDS: u32 = 4;
/// The longest wait for a reader that still needs the log, if it is too old. Writers wait meanwhile.
const YIELD: Duration = Duration::from_millis(50);
/// The longest pause between two attempts while a reader holds the log.
const LONGEST_PAUSE: Duration = Duration::from_secs(16);
/// The pause before the next attempt at a log that is only large.
const SOON: Duration = Duration::from_millis(100);

/// The schedule for emptying the log. While writes continue, a thread of its own copies what is in it first, so that the
/// writer only has the rest to copy; copying all of it keeps every other write waiting for a quarter of a second.
pub(crate) struct Checkpoints {
    /// The time of the first write since the log was last truncated.
    dirty_since: Option<Instant>,
    last_write: Instant,
    /// The pages in the log after the last commit.
    pages: Arc<AtomicU64>,
    copier: Copier,
    /// How often the log was copied since it was last written from its beginning, and its pages when the last copy began.
    copied: (u32, u64),
    /// The earliest next attempt, after a reader held the log.
    not_before: Instant,
    pause: Duration,
}

impl Checkpoints {
    /// For a file just opened: its log may contain another host's writes.
    pub(crate) fn start(connection: &mut Connection, path: &Path) -> Result<Self, InboxError> {
        let (now, pages) = (Instant::now(), Arc::new(AtomicU64::new(0)));
        let counted = Arc::clone(&pages);
        // In place of SQLite's own, which copies the log within the commit that makes it too large.
        connection.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, pages| {
            counted.store(u64::try_from(pages).unwrap_or(0), Ordering::Relaxed);
            Ok(())
        }))?;
        let copier = Copier::start(path)?;
        Ok(Self {
            dirty_since: Some(now),
            last_write: now,
            pages,
            copier,
            copied: (0, 0),
            not_before: now,
            pause: IDLE,
        })
    }

    /// The time until the log is due to be emptied if no write comes; `None` while it is empty.
    pub(crate) fn due_in(&self) -> Option<Duration> {
        self.dirty_since?;
        let at = (self.last_write + IDLE).max(self.not_before);
        Some(at.saturating_duration_since(Instant::now()))
    }

    /// After a write: empties the log if it is too old or too large and was copied, or has it copied.
    pub(crate) fn after_write(&mut self, connection: &Connection) {
        let now = Instant::now();
        self.last_write = now;
        let since = *self.dirty_since.get_or_insert(now);
        let pages = self.pages.load(Ordering::Relaxed);
        let (old, large) = (now >= since + KEPT, pages >= LARGE);
        if (!old && !large) || now < self.not_before || self.copier.is_copying() {
            return;
        }
        let (rounds, copied) = self.copied;
        let much_is_left = rounds < ROUNDS && pages.saturating_sub(copied) > REST;
        if !self.copier.has_copied() || much_is_left {
            self.copied = (rounds + 1, pages);
            self.copier.copy();
        } else if old {
            self.make_empty(connection);
        } else {
            self.begin_anew(connection);
        }
    }

    /// Copies the rest of the log, so that it is written from its beginning again. Waits for no reader: it grows meanwhile.
    fn begin_anew(&mut self, connection: &Connection) {
        self.forget();
        match checkpoint(connection, "RESTART", Duration::ZERO) {
            Ok(true) => {
                self.pages.store(0, Ordering::Relaxed);
                self.not_before = Instant::now() + EVERY;
            }
            Ok(false) => self.not_before = Instant::now() + SOON,
            Err(error) => self.failed(&error),
        }
    }

    /// Copies the log into the file and truncates it. If a reader needs the log, later attempts follow, at growing
    /// intervals.
    pub(crate) fn make_empty(&mut self, connection: &Connection) {
        self.forget();
        match checkpoint(connection, "TRUNCATE", YIELD) {
            Ok(true) => {
                self.pages.store(0, Ordering::Relaxed);
                self.dirty_since = None;
                self.pause = IDLE;
            }
            Ok(false) => self.later(),
            Err(error) => self.failed(&error),
        }
    }

    fn forget(&mut self) {
        self.copier.forget();
        self.copied = (0, 0);
    }

    fn failed(&mut self, error: &rusqlite::Error) {
        tracing::warn!(%error, "the write-ahead log could not be copied into the inbox's file");
        self.later();
    }

    fn later(&mut self) {
        self.not_before = Instant::now() + self.pause;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
    }
}

/// Copies the log and makes it unused. Returns whether it is: not while a reader needs it.
fn checkpoint(connection: &Connection, mode: &'static str, wait: Duration) -> rusqlite::Result<bool> {
    connection.busy_timeout(wait)?;
    let busy = connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |row| row.get::<_, i64>(0));
    connection.busy_timeout(BUSY)?;
    Ok(busy? == 0)
}
