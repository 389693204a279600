//! Deliveries in the queue for translation, and applying what was translated, in SQLite.
//! Not here: accepting them (`journal`), counting them (`counts`).

use async_trait::async_trait;
use harness_contract::{Delivery, Header};
use rusqlite::params;

use crate::{
    error::InboxError,
    model::{Applied, BatchOutcome, ParkingBounds, PendingDelivery, TranslatedDelivery, Update},
    sqlite::{
        apply::apply_batch,
        arrivals::{proof_from, source_from},
        columns::from_millis,
        rows::deliveries::{mark_failed, requeue_channel},
        store::SqliteStore,
    },
    store::Deliveries,
};

#[async_trait]
impl Deliveries for SqliteStore {
    async fn waiting_channels(&self) -> Result<Vec<String>, InboxError> {
        self.readers
            .read(|connection| {
                // From one channel to the next by the index, however many deliveries stand between.
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
        let (applied, updates) = self.writer.write(move |tx| apply_batch(tx, &batch, bounds)).await?;
        self.announce(updates);
        Ok(applied)
    }

    async fn take_up(&self, channel: &str, digest: &str) -> Result<usize, InboxError> {
        let (channel, digest) = (channel.to_owned(), digest.to_owned());
        self.writer
            .write(move |tx| {
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

    async fn settle_batch(&self, outcome: BatchOutcome) -> Result<(), InboxError> {
        let failed: Vec<i64> = outcome.failed.iter().map(|failure| failure.id).collect();
        self.writer
            .write(move |tx| {
                for id in &outcome.retry {
                    tx.prepare_cached("UPDATE delivery SET attempts = attempts + 1 WHERE id = ?1")?
                        .execute(params![id])?;
                }
                for (id, problem) in &outcome.unloaded {
                    tx.prepare_cached("UPDATE delivery SET state = 'unrouted', problem = ?2 WHERE id = ?1")?
                        .execute(params![id, problem])?;
                }
                outcome.failed.iter().try_for_each(|failure| mark_failed(tx, failure))
            })
            .await?;
        self.announce(failed.into_iter().map(|delivery| Update::Failed { delivery }));
        Ok(())
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
        let channel = channel.to_owned();
        self.readers
            .read(move |connection| {
                let mut statement = connection.prepare_cached(&format!(
                    "SELECT id, channel, account, received_at, attempts, source, headers, body, proof FROM delivery
                     WHERE state = 'received' AND channel = ?2 ORDER BY {order} LIMIT ?1"
                ))?;
                let mut rows = statement.query(params![i64::try_from(limit).unwrap_or(i64::MAX), channel])?;
                let mut pending = Vec::new();
                let mut left = bytes;
                while let Some(row) = rows.next()? {
                    let headers: String = row.get(6)?;
                    let headers: Vec<Header> = serde_json::from_str(&headers)?;
                    let body: Vec<u8> = row.get(7)?;
                    let size = body.len();
                    let account: Option<String> = row.get(2)?;
                    let proof: Option<String> = row.get(8)?;
                    pending.push(PendingDelivery {
                        id: row.get(0)?,
                        channel: row.get(1)?,
                        attempts: row.get(4)?,
                        delivery: Delivery {
                            source: source_from(&row.get::<_, String>(5)?)?,
                            account: account.clone(),
                            received_at: from_millis(row.get(3)?),
                            headers,
                            body,
                        },
                        proof: proof_from(proof.as_deref(), account.as_deref())?,
                    });
                    let Some(rest) = left.checked_sub(size) else { break };
                    left = rest;
                }
                Ok(pending)
            })
            .await
    }
}
