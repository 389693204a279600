//! What waits for a time, when the clock turns out to be wrong. Belongs here: moving those times. Not here: how a
//! wrong clock is noticed.

use rusqlite::params;

use crate::{Inbox, InboxError, journal::as_millis};

/// The longest wait for the next attempt at a reply, in milliseconds: what a platform may ask for.
const LONGEST_REPLY: u64 = 24 * 3_600_000;
/// The longest wait for the next attempt at a file, in milliseconds.
const LONGEST_MEDIA: u64 = 3_600_000;

impl Inbox {
    /// The clock was set back by so many milliseconds: whatever waits for a time is due as much earlier.
    pub async fn clock_set_back(&self, by: u64) -> Result<(), InboxError> {
        self.writer
            .write(move |tx| {
                for (table, column, which) in [
                    ("reply", "next_attempt_at", "state IN ('queued', 'sending')"),
                    ("media", "next_attempt_at", "state = 'remote'"),
                    ("pause", "until", "until > 0"),
                    ("step", "look_at", "look_at IS NOT NULL"),
                    ("account", "refresh_at", "refresh_at IS NOT NULL"),
                    ("account", "history_at", "history_at IS NOT NULL"),
                ] {
                    let sql = format!("UPDATE {table} SET {column} = max(0, {column} - ?1) WHERE {which}");
                    tx.prepare_cached(&sql)?.execute(params![as_millis(by)])?;
                }
                Ok(())
            })
            .await
    }

    /// Bounds what waits to the longest time for which it may: the clock may have been ahead in an earlier run.
    pub async fn bound_waits(&self, now: u64) -> Result<(), InboxError> {
        self.writer
            .write(move |tx| {
                for (table, column, which, longest) in [
                    ("reply", "next_attempt_at", "state IN ('queued', 'sending')", LONGEST_REPLY),
                    ("pause", "until", "until > 0", LONGEST_REPLY),
                    ("step", "look_at", "look_at IS NOT NULL", LONGEST_MEDIA),
                    ("media", "next_attempt_at", "state = 'remote'", LONGEST_MEDIA),
                ] {
                    let sql = format!("UPDATE {table} SET {column} = ?1 WHERE {which} AND {column} > ?1");
                    tx.prepare_cached(&sql)?.execute(params![as_millis(now.saturating_add(longest))])?;
                }
                Ok(())
            })
            .await
    }
}
