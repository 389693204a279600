//! Owns: when the writing thread empties the write-ahead log. Unsent content leaves the tables at once, but leaves the
//! log only when it is checkpointed and truncated.
//! Does not own: SQLite's automatic checkpoint, which never truncates.

use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::connection::BUSY;

/// The log is emptied after this time without a write.
const IDLE: Duration = Duration::from_secs(1);
/// The log is emptied after this time even while writes continue, because any of it may be unsent by now.
const KEPT: Duration = Duration::from_secs(20);
/// The longest wait for a reader that still needs the log. Writers wait meanwhile.
const YIELD: Duration = Duration::from_millis(50);
/// The longest pause between two attempts while a reader holds the log.
const LONGEST_PAUSE: Duration = Duration::from_secs(16);

/// The schedule for emptying the log.
pub(crate) struct Checkpoints {
    /// The time of the first write since the log was last empty.
    dirty_since: Option<Instant>,
    last_write: Instant,
    /// The earliest next attempt, after a reader held the log.
    not_before: Instant,
    pause: Duration,
}

impl Checkpoints {
    /// For a file just opened: its log may contain another host's writes.
    pub(crate) fn new() -> Self {
        let now = Instant::now();
        Self { dirty_since: Some(now), last_write: now, not_before: now, pause: IDLE }
    }

    /// Records a write.
    pub(crate) fn note_write(&mut self) {
        self.last_write = Instant::now();
        self.dirty_since.get_or_insert(self.last_write);
    }

    /// The time until the log is due to be emptied; `None` while it is empty.
    pub(crate) fn due_in(&self) -> Option<Duration> {
        let since = self.dirty_since?;
        let at = (self.last_write + IDLE).min(since + KEPT).max(self.not_before);
        Some(at.saturating_duration_since(Instant::now()))
    }

    /// Copies the log into the file and truncates it. If a reader needs the log, later attempts follow, at growing
    /// intervals.
    pub(crate) fn make_empty(&mut self, connection: &Connection) {
        match cut(connection) {
            Ok(true) => {
                self.dirty_since = None;
                self.pause = IDLE;
            }
            Ok(false) => self.later(),
            Err(error) => {
                tracing::warn!(%error, "the write-ahead log could not be copied into the inbox's file");
                self.later();
            }
        }
    }

    fn later(&mut self) {
        self.not_before = Instant::now() + self.pause;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
    }
}

/// Returns whether the log is empty now.
fn cut(connection: &Connection) -> rusqlite::Result<bool> {
    connection.busy_timeout(YIELD)?;
    let busy = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
    connection.busy_timeout(BUSY)?;
    Ok(busy? == 0)
}
