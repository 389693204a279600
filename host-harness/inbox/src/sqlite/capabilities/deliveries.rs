//! Owns: the translation queue, and applying translated deliveries, in SQLite.
//! Does not own: accepting them (`journal`), counting them (`counts`).

use async_trait::async_trait;
use harness_contract::{AccountSettings, Delivery, Header};
use rusqlite::{Connection, Row, Transaction, params};

use crate::{
    error::InboxError,
    model::{Applied, BatchOutcome, DeliveryFailure, DeliveryId, ParkingBounds, PendingDelivery, TranslatedDelivery},
    sqlite::{
        apply::apply_batch,
        arrivals::{proof_from, source_from},
        columns::from_millis,
        rows::deliveries::{mark_failed, requeue_channel},
        store::SqliteStore,
    },
    store::{Deliveries, Journal as _},
};

#[async_trait]
impl Deliveries for SqliteStore {
    async fn waiting_channels(&self) -> Result<Vec<String>, InboxError> {
        self.readers
            .read(|connection| {
                // Jumps from one channel to the next in the index, however many deliveries each has.
                let mut statement = connection.prepare_cached(
                    "WITH RECURSIVE waiting (channel) AS (
                         SELECT min(channel) FROM delivery INDEXED BY delivery_waiting WHERE state = 'received'
                         UNION ALL
                         SELECT (SELECT min(channel) FROM delivery INDEXED BY delivery_waiting
                                 WHERE state = 'received' AND channel > waiting.channel)
                         FROM waiting WHERE channel IS NOT NULL)
                     SELECT channel FROM waiting WHERE channel IS NOT NULL",
                )?;
                let channels = statement.query_map([], |row| row.get(0))?;
                Ok(channels.collect::<Result<_, _>>()?)
            })
            .await
    }

    async fn pending(&self, channel: &str, limit: usize, bytes: usize) -> Result<Vec<PendingDelivery>, InboxError> {
        self.pending_by("id", channel, limit, bytes).await
    }

    async fn least_tried(&self, channel: &str) -> Result<Option<PendingDelivery>, InboxError> {
        Ok(self.pending_by("attempts, id", channel, 1, 0).await?.pop())
    }

    async fn apply(&self, batch: Vec<TranslatedDelivery>, bounds: ParkingBounds) -> Result<Applied, InboxError> {
        let people = self.writer.people();
        let apply = move |tx: &Transaction<'_>| {
            let (applied, count) = apply_batch(tx, &batch, bounds, || people.wait())?;
            Ok((applied, count, batch))
        };
        // What was applied is dropped here, where it keeps no other write waiting.
        let (mut applied, count, mut batch) = self.writer.write_in_bulk(apply).await?;
        applied.left = batch.split_off(count.min(batch.len()));
        Ok(applied)
    }

    async fn requeue(&self, channel: &str, digest: &str) -> Result<usize, InboxError> {
        let (channel, digest) = (channel.to_owned(), digest.to_owned());
        self.writer
            .write_in_background(move |tx| {
                let failed = tx
                    .prepare_cached(
                        "UPDATE delivery SET state = 'received', attempts = 0
                         WHERE state = 'failed' AND channel = ?1 AND translator IS NOT ?2",
                    )?
                    .execute(params![channel, digest])?;
                Ok(failed + requeue_channel(tx, &channel)?)
            })
            .await
    }

    async fn settle_batch(&self, outcome: BatchOutcome, now: u64) -> Result<(), InboxError> {
        self.writer
            .write_in_background(move |tx| {
                for id in &outcome.retry {
                    tx.prepare_cached("UPDATE delivery SET attempts = attempts + 1 WHERE id = ?1")?
                        .execute(params![id])?;
                }
                for (id, problem) in &outcome.unloaded {
                    tx.prepare_cached("UPDATE delivery SET state = 'unrouted', problem = ?2 WHERE id = ?1")?
                        .execute(params![id, problem])?;
                }
                outcome.failed.iter().try_for_each(|failure| mark_failed(tx, failure, now))
            })
            .await
    }

    async fn recorded(&self, delivery: DeliveryId) -> Result<PendingDelivery, InboxError> {
        self.all_arrived().await?;
        let sql = format!("SELECT {PENDING} FROM delivery WHERE id = ?1");
        let read = move |connection: &Connection| {
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query(params![delivery])?;
            match rows.next()? {
                Some(row) => pending_from(row),
                None => Err(InboxError::NotFound { what: "delivery", id: delivery.to_string() }),
            }
        };
        self.readers.read(read).await
    }

    async fn note_component(&self, channel: &str, digest: &str, version: &str) -> Result<(), InboxError> {
        let (channel, digest, version) = (channel.to_owned(), digest.to_owned(), version.to_owned());
        self.writer
            .write(move |tx| {
                tx.prepare_cached(
                    "INSERT INTO component (digest, channel, version) VALUES (?1, ?2, ?3)
                     ON CONFLICT (digest) DO UPDATE SET version = excluded.version",
                )?
                .execute(params![digest, channel, version])?;
                Ok(())
            })
            .await
    }

    async fn retry_failed(&self, channel: Option<String>) -> Result<usize, InboxError> {
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

impl SqliteStore {
    async fn pending_by(
        &self,
        order: &'static str,
        channel: &str,
        limit: usize,
        bytes: usize,
    ) -> Result<Vec<PendingDelivery>, InboxError> {
        loop {
            let of = channel.to_owned();
            let (pending, unreadable) =
                self.readers.read(move |connection| waiting(connection, order, &of, limit, bytes)).await?;
            let only_unreadable = pending.is_empty() && !unreadable.is_empty();
            if let Some(received_at) = unreadable.iter().map(|(_, received_at, _)| *received_at).max() {
                let failed = unreadable.into_iter().map(|(id, _, error)| {
                    tracing::error!(delivery = id.get(), %error, "a delivery in the journal cannot be read");
                    let problem = format!("it cannot be read in the journal: {error}");
                    DeliveryFailure { id, problem, translator: String::new() }
                });
                let outcome = BatchOutcome { failed: failed.collect(), ..BatchOutcome::default() };
                self.settle_batch(outcome, received_at).await?;
            }
            if !only_unreadable {
                return Ok(pending);
            }
        }
    }
}

/// What [`pending_from`] reads.
const PENDING: &str = "id, channel, account, received_at, attempts, source, headers, body, proof, query";

/// Waiting deliveries of a channel, and those that cannot be parsed, with the time of their receipt. The latter do not block the ones after them.
type Waiting = (Vec<PendingDelivery>, Vec<(DeliveryId, u64, InboxError)>);

pub(crate) fn waiting(
    connection: &Connection,
    order: &str,
    channel: &str,
    limit: usize,
    bytes: usize,
) -> Result<Waiting, InboxError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {PENDING} FROM delivery WHERE state = 'received' AND channel = ?2 ORDER BY {order} LIMIT ?1"
    ))?;
    let mut rows = statement.query(params![i64::try_from(limit).unwrap_or(i64::MAX), channel])?;
    let (mut pending, mut unreadable) = (Vec::new(), Vec::new());
    let mut left = bytes;
    while let Some(row) = rows.next()? {
        let delivery = match pending_from(row) {
            Ok(delivery) => delivery,
            Err(error) => {
                unreadable.push((row.get(0)?, from_millis(row.get(3)?), error));
                continue;
            }
        };
        let size = delivery.delivery.body.len();
        pending.push(delivery);
        let Some(rest) = left.checked_sub(size) else { break };
        left = rest;
    }
    Ok((pending, unreadable))
}

fn pending_from(row: &Row<'_>) -> Result<PendingDelivery, InboxError> {
    let headers: String = row.get(6)?;
    let headers: Vec<Header> = serde_json::from_str(&headers)?;
    let account: Option<String> = row.get(2)?;
    let proof: Option<String> = row.get(8)?;
    Ok(PendingDelivery {
        id: row.get(0)?,
        channel: row.get(1)?,
        attempts: row.get(4)?,
        proof: proof_from(proof.as_deref(), account.as_deref())?,
        delivery: Delivery {
            source: source_from(&row.get::<_, String>(5)?)?,
            account: account.map(|id| AccountSettings { id, settings: Vec::new(), webhook_url: None }),
            received_at: from_millis(row.get(3)?),
            query: row.get(9)?,
            headers,
            body: row.get(7)?,
        },
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use harness_contract::DeliverySource;

    use super::*;
    use crate::{
        model::{NewDelivery, Proof},
        store::{Counts, Journal},
    };

    fn delivery(body: &str) -> NewDelivery {
        let delivery = Delivery {
            source: DeliverySource::Webhook,
            body: body.into(),
            headers: Vec::new(),
            query: String::new(),
            received_at: 7,
            account: None,
        };
        NewDelivery { channel: "c".into(), delivery, proof: Proof::Channel { slot: "s".into() } }
    }

    #[tokio::test]
    async fn a_row_that_cannot_be_read_is_set_aside_and_holds_up_none_behind_it() {
        let folder = tempfile::tempdir().unwrap();
        let inbox = SqliteStore::open(&folder.path().join("inbox.sqlite")).unwrap();
        for number in 0..6 {
            inbox.record(delivery(&number.to_string())).await.unwrap();
        }
        inbox.all_arrived().await.unwrap();
        let damage = "UPDATE delivery SET headers = CASE id WHEN 1 THEN '[' ELSE headers END,
                source = CASE id WHEN 2 THEN 'pigeon' ELSE source END,
                proof = CASE id WHEN 3 THEN '{}' ELSE proof END,
                account = CASE id WHEN 4 THEN CAST(x'ff' AS TEXT) ELSE account END";
        inbox.writer.write(move |tx| Ok(tx.execute_batch(damage)?)).await.unwrap();
        // Fetched one at a time, as when a channel is retried.
        assert_eq!(inbox.least_tried("c").await.unwrap().unwrap().delivery.body, b"4");
        let pending = inbox.pending("c", 10, usize::MAX).await.unwrap();
        assert_eq!(pending.iter().map(|pending| pending.id.get()).collect::<Vec<_>>(), [5, 6]);
        let problems = inbox.problems(10).await.unwrap();
        assert_eq!(problems.len(), 4, "{problems:?}");
        assert!(problems.iter().all(|(_, problem)| problem.starts_with("it cannot be read in the journal")));
    }
}
