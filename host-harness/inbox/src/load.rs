//! How much waits, and whether the file can take more. Belongs here: counts for whoever watches the host,
//! the test write, the bound of the file's size. Not here: what happens to what waits.

use std::collections::HashMap;

use rusqlite::params;

use crate::{Inbox, InboxError, journal::from_millis, read::collect};

/// What the test write needs: about one delivery.
const PROBE_BYTES: i64 = 64 << 10;

/// Deliveries that wait to be translated.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct QueuedDeliveries {
    /// By channel.
    pub channels: Vec<(String, u64)>,
    /// By channel and account, of those that name one.
    pub accounts: Vec<(String, String, u64)>,
}

/// What waits in the inbox, for gauges.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Waiting {
    /// Deliveries that are not applied: channel, state, how many.
    pub deliveries: Vec<(String, String, u64)>,
    /// Open replies: channel, the account's row, how many.
    pub replies: Vec<(String, i64, u64)>,
    /// Files of messages: state, how many.
    pub media: Vec<(String, u64)>,
}

impl Inbox {
    /// Counts the deliveries that wait to be translated.
    pub async fn queued(&self) -> Result<QueuedDeliveries, InboxError> {
        let arrived = self.arrivals.waiting_by_channel().into_iter();
        let mut channels: HashMap<_, _> = arrived.map(|(channel, (count, _))| (channel, count)).collect();
        self.readers
            .read(move |connection| {
                let rows: Vec<(String, i64)> = collect(
                    connection,
                    "SELECT channel, count(*) FROM delivery INDEXED BY delivery_waiting
                     WHERE state = 'received' GROUP BY channel",
                    [],
                    |row| Ok((row.get(0)?, row.get(1)?)),
                )?;
                for (channel, count) in rows {
                    *channels.entry(channel).or_default() += from_millis(count);
                }
                let accounts = collect(
                    connection,
                    "SELECT channel, account, count(*) FROM delivery INDEXED BY delivery_waiting_account
                     WHERE state = 'received' AND account IS NOT NULL GROUP BY channel, account",
                    [],
                    |row| Ok((row.get(0)?, row.get(1)?, from_millis(row.get(2)?))),
                )?;
                Ok(QueuedDeliveries { channels: channels.into_iter().collect(), accounts })
            })
            .await
    }

    /// How many bytes of deliveries each channel keeps here that are not applied: that wait, for whatever reason, or
    /// that it could not read.
    pub async fn unapplied_bytes(&self) -> Result<Vec<(String, u64)>, InboxError> {
        // Asked first: what gets its row meanwhile counts twice rather than not at all.
        let arrived = self.arrivals.waiting_by_channel().into_iter();
        let mut channels: HashMap<_, _> = arrived.map(|(channel, (_, bytes))| (channel, bytes)).collect();
        self.readers
            .read(move |connection| {
                let rows: Vec<(String, u64)> = collect(
                    connection,
                    "SELECT channel, sum(length(body)) FROM delivery
                     WHERE state IN ('received', 'unrouted', 'failed') GROUP BY channel",
                    [],
                    |row| Ok((row.get(0)?, from_millis(row.get(1)?))),
                )?;
                for (channel, bytes) in rows {
                    let of_channel = channels.entry(channel).or_default();
                    *of_channel = of_channel.saturating_add(bytes);
                }
                Ok(channels.into_iter().collect())
            })
            .await
    }

    /// Whether a delivery that names this account waits to be translated, such as a page of its archive.
    pub async fn is_queued(&self, channel: &str, account: &str) -> Result<bool, InboxError> {
        let (channel, account) = (channel.to_owned(), account.to_owned());
        self.readers
            .read(move |connection| {
                let sql = "SELECT EXISTS (SELECT 1 FROM delivery INDEXED BY delivery_waiting_account
                           WHERE state = 'received' AND channel = ?1 AND account = ?2 AND account IS NOT NULL)";
                Ok(connection.prepare_cached(sql)?.query_row(params![channel, account], |row| row.get(0))?)
            })
            .await
    }

    /// What waits.
    pub async fn waiting(&self) -> Result<Waiting, InboxError> {
        self.readers
            .read(|connection| {
                Ok(Waiting {
                    deliveries: collect(
                        connection,
                        "SELECT channel, state, count(*) FROM delivery
                         WHERE state IN ('received', 'unrouted', 'failed') GROUP BY channel, state",
                        [],
                        |row| Ok((row.get(0)?, row.get(1)?, from_millis(row.get(2)?))),
                    )?,
                    replies: collect(
                        connection,
                        "SELECT a.channel, r.account_id, count(*) FROM reply r JOIN account a ON a.id = r.account_id
                         WHERE r.state IN ('queued', 'sending') GROUP BY r.account_id",
                        [],
                        |row| Ok((row.get(0)?, row.get(1)?, from_millis(row.get(2)?))),
                    )?,
                    media: collect(connection, "SELECT state, count(*) FROM media GROUP BY state", [], |row| {
                        Ok((row.get(0)?, from_millis(row.get(1)?)))
                    })?,
                })
            })
            .await
    }

    /// Writes as much as a delivery needs, and takes it back: whether the next one will find room.
    pub async fn probe(&self) -> Result<(), InboxError> {
        self.writer
            .write(|tx| {
                let sql = "INSERT INTO probe (id, filler) VALUES (1, zeroblob(?1)) ON CONFLICT DO NOTHING";
                Ok(tx.prepare_cached(sql)?.execute(params![PROBE_BYTES])?)
            })
            .await?;
        // On its own, so that the room was really taken.
        self.writer.write(|tx| Ok(tx.prepare_cached("DELETE FROM probe")?.execute([])?)).await?;
        Ok(())
    }

    /// Bounds the size of the file from now on, in bytes; what is there stays. Beyond the bound writes fail as
    /// they do on a full disk.
    pub async fn limit_size(&self, bytes: u64) -> Result<(), InboxError> {
        self.writer
            .write(move |tx| {
                let page: i64 = tx.pragma_query_value(None, "page_size", |row| row.get(0))?;
                let pages = i64::try_from(bytes).unwrap_or(i64::MAX) / page.max(1);
                // SQLite takes no bound below the present size; 0 would ask and set nothing.
                let pages = pages.clamp(1, 4_294_967_294);
                Ok(tx.pragma_update_and_check(None, "max_page_count", pages, |row| row.get::<_, i64>(0)).map(drop)?)
            })
            .await
    }

    /// Puts deliveries that could not be translated back into the queue, of one channel or of all.
    pub async fn retry_failed(&self, channel: Option<String>) -> Result<usize, InboxError> {
        self.writer
            .write(move |tx| {
                Ok(tx
                    .prepare_cached(
                        "UPDATE delivery SET state = 'received', attempts = 0, problem = NULL
                         WHERE state = 'failed' AND (?1 IS NULL OR channel = ?1)",
                    )?
                    .execute(params![channel])?)
            })
            .await
    }
}
