//! The journal: raw deliveries, durable before they are acknowledged, kept for translating again.

use harness_contract::{Delivery, Header};
use rusqlite::{Transaction, params};

use crate::{Inbox, InboxError, Update};

/// A verified delivery on its way into the journal.
#[derive(Clone, Debug)]
pub struct NewDelivery {
    /// The channel's id.
    pub channel: String,
    /// Body, headers, time, and the account where it is known.
    pub delivery: Delivery,
}

/// A delivery that waits to be translated.
#[derive(Clone, Debug)]
pub struct PendingDelivery {
    /// Its row; rises in the order of arrival.
    pub id: i64,
    /// The channel's id.
    pub channel: String,
    /// As it was recorded.
    pub delivery: Delivery,
}

impl Inbox {
    /// Writes a delivery into the journal. When this returns, it survives a power cut.
    pub async fn record(&self, new: NewDelivery) -> Result<i64, InboxError> {
        let headers = serde_json::to_string(&new.delivery.headers)?;
        self.writer
            .write(move |tx| {
                let NewDelivery { channel, delivery } = new;
                tx.prepare_cached(
                    "INSERT INTO delivery (channel, account, received_at, headers, body, state)
                     VALUES (?1, ?2, ?3, ?4, ?5, 'received')",
                )?
                .execute(params![
                    channel,
                    delivery.account,
                    as_millis(delivery.received_at),
                    headers,
                    delivery.body
                ])?;
                Ok(tx.last_insert_rowid())
            })
            .await
    }

    /// The oldest deliveries that wait to be translated.
    pub async fn pending(&self, limit: usize) -> Result<Vec<PendingDelivery>, InboxError> {
        self.readers
            .read(move |connection| {
                let mut statement = connection.prepare_cached(
                    "SELECT id, channel, account, received_at, headers, body FROM delivery
                     WHERE state = 'received' ORDER BY id LIMIT ?1",
                )?;
                let mut rows = statement.query(params![i64::try_from(limit).unwrap_or(i64::MAX)])?;
                let mut pending = Vec::new();
                while let Some(row) = rows.next()? {
                    let headers: String = row.get(4)?;
                    let headers: Vec<Header> = serde_json::from_str(&headers)?;
                    pending.push(PendingDelivery {
                        id: row.get(0)?,
                        channel: row.get(1)?,
                        delivery: Delivery {
                            account: row.get(2)?,
                            received_at: from_millis(row.get(3)?),
                            headers,
                            body: row.get(5)?,
                        },
                    });
                }
                Ok(pending)
            })
            .await
    }

    /// Sets a delivery aside until its channel is loaded or its account connected.
    pub async fn set_aside(&self, delivery: i64, problem: String) -> Result<(), InboxError> {
        self.writer
            .write(move |tx| {
                tx.prepare_cached("UPDATE delivery SET state = 'unrouted', problem = ?2 WHERE id = ?1")?
                    .execute(params![delivery, problem])?;
                Ok(())
            })
            .await
    }

    /// Puts the deliveries of a channel that were set aside back into the queue.
    pub async fn take_up(&self, channel: &str) -> Result<usize, InboxError> {
        let channel = channel.to_owned();
        self.writer.write(move |tx| take_up(tx, &channel)).await
    }

    /// Notes that a delivery could not be translated. It stays in the journal.
    pub async fn mark_failed(&self, delivery: i64, problem: String) -> Result<(), InboxError> {
        self.writer
            .write(move |tx| {
                tx.prepare_cached(
                    "UPDATE delivery SET state = 'failed', attempts = attempts + 1, problem = ?2 WHERE id = ?1",
                )?
                .execute(params![delivery, problem])?;
                Ok(())
            })
            .await?;
        self.announce([Update::Failed { delivery }]);
        Ok(())
    }
}

/// Puts what was set aside back into the queue; events that were applied before are recognised.
pub(crate) fn take_up(tx: &Transaction<'_>, channel: &str) -> Result<usize, InboxError> {
    Ok(tx
        .prepare_cached("UPDATE delivery SET state = 'received' WHERE state = 'unrouted' AND channel = ?1")?
        .execute(params![channel])?)
}

/// SQLite's integers are signed; platform times far outside are bent, not lost.
pub(crate) fn as_millis(at: u64) -> i64 {
    i64::try_from(at).unwrap_or(i64::MAX)
}

pub(crate) fn from_millis(at: i64) -> u64 {
    u64::try_from(at).unwrap_or(0)
}
