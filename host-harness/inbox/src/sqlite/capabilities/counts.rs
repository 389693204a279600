//! Owns: counts for gauges, budgets and health, in SQLite.
//! Does not own: processing what is counted.

use std::collections::HashMap;

use async_trait::async_trait;
use harness_contract::{Failure, SendResult};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::{
    error::InboxError,
    model::{AccountId, DeliveryCounts, DeliveryId, ParkedCounts, QueuedDeliveries, Traffic, Waiting},
    sqlite::{
        arrivals::Load,
        columns::{as_millis, collect, from_millis},
        rows::deliveries::{TOO_MANY, TOO_OLD},
        store::SqliteStore,
    },
    store::Counts,
};

#[async_trait]
impl Counts for SqliteStore {
    async fn delivery_counts(&self) -> Result<DeliveryCounts, InboxError> {
        self.beside_arrivals(|connection, arriving| {
            let received = arriving.map(|(_, load)| as_count(load.count)).sum();
            let mut counts = DeliveryCounts { received, ..DeliveryCounts::default() };
            for (_, state, count) in by_channel_and_state(connection)? {
                let of_state = match state.as_str() {
                    "received" => &mut counts.received,
                    "applied" => &mut counts.applied,
                    "unrouted" => &mut counts.unrouted,
                    "purged" => &mut counts.purged,
                    "failed" => &mut counts.failed,
                    _ => return Err(InboxError::UnknownState { what: "delivery", state }),
                };
                *of_state += count;
            }
            Ok(counts)
        })
        .await
    }

    async fn problems(&self, limit: usize) -> Result<Vec<(DeliveryId, String)>, InboxError> {
        self.readers
            .read(move |connection| {
                collect(
                    connection,
                    "SELECT id, coalesce(problem, state) FROM delivery WHERE state IN ('failed', 'unrouted')
                     ORDER BY id DESC LIMIT ?1",
                    params![i64::try_from(limit).unwrap_or(i64::MAX)],
                    |row| Ok((row.get(0)?, row.get(1)?)),
                )
            })
            .await
    }

    async fn queued(&self) -> Result<QueuedDeliveries, InboxError> {
        self.beside_arrivals(|connection, arriving| {
            let rows = collect(
                connection,
                "SELECT channel, count(*) FROM delivery INDEXED BY delivery_waiting
                 WHERE state = 'received' GROUP BY channel",
                [],
                |row| Ok((row.get(0)?, from_millis(row.get(1)?))),
            )?;
            let channels = by_channel(arriving.map(|(channel, load)| (channel, load.count)), rows);
            let accounts = collect(
                connection,
                "SELECT channel, account, count(*) FROM delivery INDEXED BY delivery_waiting_account
                 WHERE state = 'received' AND account IS NOT NULL GROUP BY channel, account",
                [],
                |row| Ok((row.get(0)?, row.get(1)?, from_millis(row.get(2)?))),
            )?;
            Ok(QueuedDeliveries { channels, accounts })
        })
        .await
    }

    async fn unapplied_bytes(&self) -> Result<Vec<(String, u64)>, InboxError> {
        self.beside_arrivals(|connection, arriving| {
            let rows = collect(
                connection,
                "SELECT channel, sum(bytes) FROM (
                     SELECT channel, length(body) AS bytes FROM delivery INDEXED BY delivery_waiting
                         WHERE state = 'received'
                     UNION ALL SELECT channel, bytes FROM delivery_count WHERE state IN ('unrouted', 'failed'))
                 GROUP BY channel HAVING sum(bytes) > 0",
                [],
                |row| Ok((row.get(0)?, from_millis(row.get(1)?))),
            )?;
            Ok(by_channel(arriving.map(|(channel, load)| (channel, load.bytes)), rows))
        })
        .await
    }

    async fn is_queued(&self, channel: &str, account: &str) -> Result<bool, InboxError> {
        let (channel, account) = (channel.to_owned(), account.to_owned());
        self.readers
            .read(move |connection| {
                let sql = "SELECT EXISTS (SELECT 1 FROM delivery INDEXED BY delivery_waiting_account
                           WHERE state = 'received' AND channel = ?1 AND account = ?2 AND account IS NOT NULL)";
                Ok(connection.prepare_cached(sql)?.query_row(params![channel, account], |row| row.get(0))?)
            })
            .await
    }

    async fn parked_counts(&self) -> Result<HashMap<String, ParkedCounts>, InboxError> {
        self.readers
            .read(|connection| {
                let mut counts: HashMap<String, ParkedCounts> = HashMap::new();
                let row = |row: &rusqlite::Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?));
                let parked = "SELECT channel, count FROM delivery_count WHERE state = 'unrouted' AND count > 0";
                for (channel, count) in collect(connection, parked, [], row)? {
                    counts.entry(channel).or_default().parked = count.unsigned_abs();
                }
                let expired = "SELECT channel, count(*) FROM delivery INDEXED BY delivery_expired
                               WHERE state = 'purged' AND problem IS NOT NULL AND problem IN (?1, ?2) GROUP BY channel";
                for (channel, count) in collect(connection, expired, params![TOO_MANY, TOO_OLD], row)? {
                    counts.entry(channel).or_default().expired = count.unsigned_abs();
                }
                Ok(counts)
            })
            .await
    }

    async fn waiting(&self) -> Result<Waiting, InboxError> {
        self.readers
            .read(|connection| {
                Ok(Waiting {
                    deliveries: by_channel_and_state(connection)?
                        .into_iter()
                        .filter(|(_, state, count)| *count > 0 && !matches!(state.as_str(), "applied" | "purged"))
                        .collect(),
                    replies: collect(
                        connection,
                        "SELECT a.channel, r.account_id, count(*) FROM reply r JOIN account a ON a.id = r.account_id
                         WHERE r.state IN ('queued', 'sending') GROUP BY r.account_id",
                        [],
                        |row| Ok((row.get(0)?, row.get(1)?, from_millis(row.get(2)?))),
                    )?,
                    media: collect(connection, "SELECT state, count FROM media_count WHERE count > 0", [], |row| {
                        Ok((row.get(0)?, from_millis(row.get(1)?)))
                    })?,
                })
            })
            .await
    }

    async fn traffic(&self, account: AccountId) -> Result<Traffic, InboxError> {
        self.readers
            .read(move |connection| {
                let events = collect(
                    connection,
                    "SELECT 'message', max(at) FROM message WHERE account_id = ?1 AND direction = 'inbound'
                     UNION ALL SELECT 'echo', max(at) FROM message
                         WHERE account_id = ?1 AND direction = 'outbound' AND platform_id IS NOT NULL
                     UNION ALL SELECT 'seen', max(seen_at) FROM conversation WHERE account_id = ?1
                     UNION ALL SELECT 'reaction', max(at) FROM reaction WHERE account_id = ?1
                     UNION ALL SELECT kind, max(at) FROM activity WHERE account_id = ?1 GROUP BY kind",
                    params![account],
                    |row| Ok((row.get::<_, String>(0)?, row.get::<_, Option<i64>>(1)?)),
                )?;
                let last: Option<(String, i64, Option<String>)> = connection
                    .prepare_cached(
                        "SELECT s.state, s.finished_at, s.outcome FROM step s JOIN reply r ON r.id = s.reply_id
                         WHERE r.account_id = ?1 AND s.finished_at IS NOT NULL AND s.kind = 'message'
                         ORDER BY s.finished_at DESC LIMIT 1",
                    )?
                    .query_row(params![account], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
                    .optional()?;
                let waiting: i64 = connection
                    .prepare_cached(
                        "SELECT count(*) FROM reply WHERE account_id = ?1 AND state IN ('queued', 'sending')",
                    )?
                    .query_row(params![account], |row| row.get(0))?;
                Ok(Traffic {
                    events: events.into_iter().filter_map(|(kind, at)| Some((kind, from_millis(at?)))).collect(),
                    last_send: last.map(|(state, at, outcome)| (state, from_millis(at), outcome.and_then(failure))),
                    waiting: u64::try_from(waiting).unwrap_or(0),
                })
            })
            .await
    }

    async fn came_live(&self, account: AccountId, platform_id: &str) -> Result<bool, InboxError> {
        let platform_id = platform_id.to_owned();
        self.readers
            .read(move |connection| {
                let sql = "SELECT origin <> 'history' FROM message WHERE account_id = ?1 AND platform_id = ?2";
                let mut statement = connection.prepare_cached(sql)?;
                Ok(statement.query_row(params![account, platform_id], |row| row.get(0)).optional()?.unwrap_or(false))
            })
            .await
    }

    async fn received_since(&self, account: AccountId, since: u64) -> Result<bool, InboxError> {
        self.readers
            .read(move |connection| {
                let sql = "SELECT EXISTS (SELECT 1 FROM message WHERE account_id = ?1 AND direction = 'inbound'
                               AND origin <> 'history' AND received_at >= ?2)";
                Ok(connection.prepare_cached(sql)?.query_row(params![account, as_millis(since)], |row| row.get(0))?)
            })
            .await
    }
}

fn failure(outcome: String) -> Option<Failure> {
    serde_json::from_str::<SendResult>(&outcome).ok()?.failure().cloned()
}

/// The number of deliveries per channel and state, except applied ones, whose rows are not read.
impl SqliteStore {
    /// Counts at one moment what is in the journal and what is on its way there, each delivery once.
    async fn beside_arrivals<T: Send + 'static>(
        &self,
        count: impl FnOnce(&Connection, &mut dyn Iterator<Item = (&str, Load)>) -> Result<T, InboxError> + Send + 'static,
    ) -> Result<T, InboxError> {
        let arrivals = self.arrivals.waiting();
        self.readers
            .read(move |connection| {
                let position =
                    connection.prepare_cached("SELECT position FROM arrival")?.query_row([], |row| row.get(0))?;
                count(connection, &mut arrivals.behind(position))
            })
            .await
    }
}

fn as_count(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// What is on its way and what is in the journal, together, for each channel that has any.
fn by_channel<'a>(arriving: impl Iterator<Item = (&'a str, usize)>, rows: Vec<(String, u64)>) -> Vec<(String, u64)> {
    let mut channels: HashMap<String, u64> = rows.into_iter().collect();
    for (channel, arriving) in arriving.filter(|(_, arriving)| *arriving > 0) {
        let of_channel = channels.entry(channel.to_owned()).or_default();
        *of_channel = of_channel.saturating_add(as_count(arriving));
    }
    channels.into_iter().collect()
}

fn by_channel_and_state(connection: &Connection) -> Result<Vec<(String, String, u64)>, InboxError> {
    collect(
        connection,
        "SELECT channel, 'received', count(*) FROM delivery INDEXED BY delivery_waiting WHERE state = 'received'
             GROUP BY channel
         UNION ALL SELECT channel, state, count FROM delivery_count",
        [],
        |row| Ok((row.get(0)?, row.get(1)?, from_millis(row.get(2)?))),
    )
}
