//! Owns: when the writing thread makes the write-ahead log empty: what was unsent is gone from the tables at once, and
//! from the log only when it has been copied into the file and cut.
//! Does not own: SQLite's automatic checkpoint, which never cuts.

use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::connection::BUSY;

/// Nobody writes for this long: the log is made empty.
const IDLE: Duration = Duration::from_secs(1);
/// Also while writes go on: everything may hold what was unsent since.
const KEPT: Duration = Duration::from_secs(20);
/// The longest wait for a reader who still needs the log; whoever writes waits meanwhile.
const YIELD: Duration = Duration::from_millis(50);
/// The longest pause between two attempts while a reader holds the log.
const LONGEST_PAUSE: Duration = Duration::from_secs(16);

/// When the log is made empty next.
pub(crate) struct Checkpoints {
    /// When the first write was made since the log was empty.
    dirty_since: Option<Instant>,
    last_write: Instant,
    /// A reader held the log: not before this.
    not_before: Instant,
    pause: Duration,
}

impl Checkpoints {
    /// For a file that was just opened: its log may hold what another host left.
    pub(crate) fn new() -> Self {
        let now = Instant::now();
        Self { dirty_since: Some(now), last_write: now, not_before: now, pause: IDLE }
    }

    /// Something was written.
    pub(crate) fn note_write(&mut self) {
        self.last_write = Instant::now();
        self.dirty_since.get_or_insert(self.last_write);
    }

    /// How long until the log is to be made empty; none while it is.
    pub(crate) fn due_in(&self) -> Option<Duration> {
        let since = self.dirty_since?;
        let at = (self.last_write + IDLE).min(since + KEPT).max(self.not_before);
        Some(at.saturating_duration_since(Instant::now()))
    }

    /// Copies the log into the file and cuts it. Where a reader needs it, that is tried again later, less and less
    /// often.
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

/// Says whether the log is empty now.
fn cut(connection: &Connection) -> rusqlite::Result<bool> {
    connection.busy_timeout(YIELD)?;
    let busy = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
    connection.busy_timeout(BUSY)?;
    Ok(busy? == 0)
}
