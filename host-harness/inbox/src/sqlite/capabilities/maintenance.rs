//! Owns: periodic maintenance, in SQLite.
//! Does not own: its schedule.

use async_trait::async_trait;
use rusqlite::params;

use crate::{
    error::InboxError,
    model::{DeliveryId, Kept, KeptDays},
    sqlite::{
        columns::{as_millis, collect},
        rows::{changes, deliveries::TOO_OLD},
        store::SqliteStore,
    },
    store::Maintenance,
};

/// The size of the test write, about that of one delivery.
const PROBE_BYTES: i64 = 64 << 10;
/// The longest wait for the next attempt at a reply, in milliseconds: the longest pause a platform may request.
const LONGEST_REPLY: u64 = 24 * 3_600_000;
/// The longest wait for the next attempt at a file, in milliseconds.
const LONGEST_MEDIA: u64 = 3_600_000;

#[async_trait]
impl Maintenance for SqliteStore {
    async fn expire_parked(&self, before: u64, limit: usize) -> Result<usize, InboxError> {
        self.writer
            .write_in_background(move |tx| {
                let ids: Vec<DeliveryId> = {
                    let mut statement = tx.prepare_cached(
                        "SELECT id FROM (SELECT id, received_at FROM delivery WHERE state = 'unrouted'
                                         ORDER BY id LIMIT ?2) WHERE received_at < ?1",
                    )?;
                    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
                    let rows = statement.query_map(params![as_millis(before), limit], |row| row.get(0))?;
                    rows.collect::<Result<_, _>>()?
                };
                for id in &ids {
                    tx.prepare_cached(
                        "UPDATE delivery SET state = 'purged', headers = '[]', body = x'', problem = ?2 WHERE id = ?1",
                    )?
                    .execute(params![id, TOO_OLD])?;
                    tx.prepare_cached("DELETE FROM awaited WHERE delivery_id = ?1")?.execute(params![id])?;
                }
                Ok(ids.len())
            })
            .await
    }

    async fn empty_deliveries(&self, before: u64, limit: usize) -> Result<usize, InboxError> {
        self.writer
            .write_in_background(move |tx| {
                Ok(tx
                    .prepare_cached(
                        "UPDATE delivery SET state = 'purged', headers = '[]', body = x'' WHERE id IN (
                             SELECT id FROM (SELECT id, received_at FROM delivery WHERE state = 'applied'
                                             ORDER BY id LIMIT ?2) WHERE received_at < ?1)",
                    )?
                    .execute(params![as_millis(before), i64::try_from(limit).unwrap_or(i64::MAX)])?)
            })
            .await
    }

    async fn expire_changes(&self, before: u64, limit: usize) -> Result<usize, InboxError> {
        self.writer.write_in_background(move |tx| changes::expire(tx, before, limit)).await
    }

    async fn kept_days(&self) -> Result<KeptDays, InboxError> {
        self.readers
            .read(|connection| {
                let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, u32>(1)?));
                let rows = collect(connection, "SELECT what, days FROM retention", [], read)?;
                // What another version keeps is none of this one's business.
                Ok(rows.into_iter().filter_map(|(what, days)| Some((Kept::from_name(&what)?, days))).collect())
            })
            .await
    }

    async fn keep(&self, periods: Vec<(Kept, Option<u32>)>) -> Result<(), InboxError> {
        self.writer
            .write(move |tx| {
                for (what, days) in &periods {
                    match days {
                        Some(days) => tx
                            .prepare_cached(
                                "INSERT INTO retention (what, days) VALUES (?1, ?2)
                                 ON CONFLICT DO UPDATE SET days = ?2",
                            )?
                            .execute(params![what.name(), days])?,
                        None => {
                            tx.prepare_cached("DELETE FROM retention WHERE what = ?1")?.execute(params![what.name()])?
                        }
                    };
                }
                Ok(())
            })
            .await
    }

    async fn probe(&self) -> Result<(), InboxError> {
        self.writer
            .write(|tx| {
                let sql = "INSERT INTO probe (id, filler) VALUES (1, zeroblob(?1)) ON CONFLICT DO NOTHING";
                Ok(tx.prepare_cached(sql)?.execute(params![PROBE_BYTES])?)
            })
            .await?;
        // In a separate transaction, so that the space was really allocated.
        self.writer.write(|tx| Ok(tx.prepare_cached("DELETE FROM probe")?.execute([])?)).await?;
        Ok(())
    }

    async fn limit_size(&self, bytes: u64) -> Result<(), InboxError> {
        self.writer
            .write(move |tx| {
                let page: i64 = tx.pragma_query_value(None, "page_size", |row| row.get(0))?;
                let pages = i64::try_from(bytes).unwrap_or(i64::MAX) / page.max(1);
                // SQLite accepts no limit below the present size; 0 would read the limit instead of setting it.
                let pages = pages.clamp(1, 4_294_967_294);
                Ok(tx.pragma_update_and_check(None, "max_page_count", pages, |row| row.get::<_, i64>(0)).map(drop)?)
            })
            .await
    }

    async fn clock_set_back(&self, by: u64) -> Result<(), InboxError> {
        self.writer
            .write(move |tx| {
                for (table, column, which) in [
                    ("reply", "next_attempt_at", "state IN ('queued', 'sending')"),
                    ("media", "next_attempt_at", "state = 'remote'"),
                    ("pause", "until", "until > 0"),
                    ("step", "look_at", "look_at IS NOT NULL"),
                    ("account", "refresh_at", "refresh_at IS NOT NULL"),
                    ("account", "history_at", "history_at IS NOT NULL"),
                    ("webhook", "next_attempt_at", "state = 'active'"),
                ] {
                    let sql = format!("UPDATE {table} SET {column} = max(0, {column} - ?1) WHERE {which}");
                    tx.prepare_cached(&sql)?.execute(params![as_millis(by)])?;
                }
                Ok(())
            })
            .await
    }

    async fn bound_waits(&self, now: u64) -> Result<(), InboxError> {
        self.writer
            .write(move |tx| {
                for (table, column, which, longest) in [
                    ("reply", "next_attempt_at", "state IN ('queued', 'sending')", LONGEST_REPLY),
                    ("pause", "until", "until > 0", LONGEST_REPLY),
                    ("step", "look_at", "look_at IS NOT NULL", LONGEST_MEDIA),
                    ("media", "next_attempt_at", "state = 'remote'", LONGEST_MEDIA),
                    ("webhook", "next_attempt_at", "state = 'active'", LONGEST_REPLY),
                ] {
                    let sql = format!("UPDATE {table} SET {column} = ?1 WHERE {which} AND {column} > ?1");
                    tx.prepare_cached(&sql)?.execute(params![as_millis(now.saturating_add(longest))])?;
                }
                Ok(())
            })
            .await
    }
}
