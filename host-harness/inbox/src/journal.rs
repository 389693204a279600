//! The journal: raw deliveries, durable before they are acknowledged, kept for translating again.
//! Belongs here: the states of a delivery. Not here: what its events do.

use harness_contract::{Delivery, DeliverySource, Event, Header};
use rusqlite::{Connection, Row, Transaction, params};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::watch;

use crate::{Inbox, InboxError, Proof, TranslatedDelivery, Update, parked::take_up_channel};

/// A verified delivery on its way into the journal.
#[derive(Clone, Debug)]
pub struct NewDelivery {
    /// The channel's id.
    pub channel: String,
    /// Body, headers, time, and the account where it is known.
    pub delivery: Delivery,
    /// Whose secret proved it.
    pub proof: Proof,
}

/// A delivery that waits to be translated.
#[derive(Clone, Debug)]
pub struct PendingDelivery {
    /// Its row; rises in the order of arrival.
    pub id: i64,
    /// The channel's id.
    pub channel: String,
    /// How often its translation was tried.
    pub attempts: u32,
    /// As it was recorded.
    pub delivery: Delivery,
    proof: Proof,
}

/// Where events come from: the row, the channel and the proof of the delivery that they are read in. There is no
/// other way to hand events to [`Inbox::apply`], so that none is applied under another delivery's proof.
#[derive(Clone, Debug)]
pub struct DeliveryOrigin {
    id: i64,
    channel: String,
    received_at: u64,
    proof: Proof,
}

impl PendingDelivery {
    /// What is to be read, and where the events that are read in it come from.
    pub fn into_parts(self) -> (Delivery, DeliveryOrigin) {
        let Self { id, channel, delivery, proof, .. } = self;
        let origin = DeliveryOrigin { id, channel, received_at: delivery.received_at, proof };
        (delivery, origin)
    }
}

impl DeliveryOrigin {
    /// What the component of this digest read in the delivery.
    pub fn translated(self, events: Vec<Event>, translator: String) -> TranslatedDelivery {
        let Self { id, channel, received_at, proof } = self;
        TranslatedDelivery { id, channel, received_at, proof, events, translator }
    }
}

/// A source without a payload by its name, one with a payload in the contract's JSON form.
fn source_column(source: &DeliverySource) -> Result<String, InboxError> {
    Ok(match serde_json::to_value(source)? {
        Value::String(name) => name,
        document => document.to_string(),
    })
}

fn source_from(column: &str) -> Result<DeliverySource, InboxError> {
    Ok(match serde_json::from_str(column) {
        Ok(document @ Value::Object(_)) => serde_json::from_value(document)?,
        _ => serde_json::from_value(column.into())?,
    })
}

/// A delivery in the form of its row; written elsewhere, the body stands apart.
#[derive(Serialize, Deserialize)]
pub(crate) struct DeliveryRow {
    pub(crate) channel: String,
    pub(crate) received_at: i64,
    source: String,
    account: Option<String>,
    /// None in a file of an earlier version.
    #[serde(default)]
    proof: Option<String>,
    headers: String,
    #[serde(skip)]
    body: Vec<u8>,
}

impl DeliveryRow {
    pub(crate) fn of(new: NewDelivery) -> Result<Self, InboxError> {
        let NewDelivery { channel, delivery, proof } = new;
        Ok(Self {
            channel,
            received_at: as_millis(delivery.received_at),
            source: source_column(&delivery.source)?,
            account: delivery.account,
            proof: Some(proof.column()?),
            headers: serde_json::to_string(&delivery.headers)?,
            body: delivery.body,
        })
    }

    pub(crate) fn body(&self) -> &[u8] {
        &self.body
    }

    pub(crate) fn with_body(self, body: Vec<u8>) -> Self {
        Self { body, ..self }
    }

    /// About how much of it is kept in memory, in bytes.
    pub(crate) fn size(&self) -> usize {
        self.body.len() + self.headers.len() + std::mem::size_of::<Self>()
    }

    /// Writes it into the journal under an id of [`crate::arrivals::Arrivals::next_id`].
    pub(crate) fn insert(&self, tx: &Transaction<'_>, id: i64) -> Result<(), InboxError> {
        let Self { channel, received_at, source, account, proof, headers, body } = self;
        tx.prepare_cached(
            "INSERT INTO delivery (channel, source, account, received_at, headers, body, state, id, proof)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'received', ?7, ?8)",
        )?
        .execute(params![channel, source, account, received_at, headers, body, id, proof])?;
        Ok(())
    }
}

/// Deliveries of a channel that wait, and those among them that cannot be read: they hold up none behind them.
type Waiting = (Vec<PendingDelivery>, Vec<(i64, InboxError)>);

pub(crate) fn waiting(
    connection: &Connection,
    order: &str,
    channel: &str,
    limit: usize,
    bytes: usize,
) -> Result<Waiting, InboxError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT id, channel, account, received_at, attempts, source, headers, body, proof FROM delivery
         WHERE state = 'received' AND channel = ?2 ORDER BY {order} LIMIT ?1"
    ))?;
    let mut rows = statement.query(params![i64::try_from(limit).unwrap_or(i64::MAX), channel])?;
    let (mut pending, mut unreadable) = (Vec::new(), Vec::new());
    let mut left = bytes;
    while let Some(row) = rows.next()? {
        let delivery = match pending_from(row) {
            Ok(delivery) => delivery,
            Err(error) => {
                unreadable.push((row.get(0)?, error));
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
        proof: Proof::from_column(proof.as_deref(), account.as_deref())?,
        delivery: Delivery {
            source: source_from(&row.get::<_, String>(5)?)?,
            account,
            received_at: from_millis(row.get(3)?),
            headers,
            body: row.get(7)?,
        },
    })
}

impl Inbox {
    /// Takes a delivery, and returns its id. When this returns, it survives a power cut; its row in the journal
    /// follows, and after a crash comes first of all.
    pub async fn record(&self, new: NewDelivery) -> Result<i64, InboxError> {
        self.arrivals.record(DeliveryRow::of(new)?).await
    }

    /// Tells whenever recorded deliveries are in the journal, where they wait to be translated.
    pub fn arrivals(&self) -> watch::Receiver<i64> {
        self.arrivals.moved()
    }

    /// The id of the newest delivery. The difference of two is about how many came between.
    pub fn last_delivery(&self) -> i64 {
        self.arrivals.last_id()
    }

    /// Returns when everything that was recorded before is in the journal.
    pub async fn all_arrived(&self) -> Result<(), InboxError> {
        let last = self.arrivals.last_id();
        let mut moved = self.arrivals.moved();
        while self.arrivals.waiting() > 0 && *moved.borrow_and_update() < last {
            moved.changed().await.map_err(|_| InboxError::Closed)?;
        }
        Ok(())
    }

    /// The channels of the deliveries that wait to be translated.
    pub async fn waiting_channels(&self) -> Result<Vec<String>, InboxError> {
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

    /// The oldest deliveries of a channel that wait to be translated: at most `limit`, and no more than
    /// `bytes` of bodies, but at least one.
    pub async fn pending(&self, channel: &str, limit: usize, bytes: usize) -> Result<Vec<PendingDelivery>, InboxError> {
        self.pending_by("id", channel, limit, bytes).await
    }

    /// The delivery of a channel of which was tried least that it can be translated.
    pub async fn least_tried(&self, channel: &str) -> Result<Option<PendingDelivery>, InboxError> {
        Ok(self.pending_by("attempts, id", channel, 1, 0).await?.pop())
    }

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
            let found_none_yet = pending.is_empty() && !unreadable.is_empty();
            for (delivery, error) in unreadable {
                tracing::error!(delivery, %error, "a delivery in the journal cannot be read and is set aside");
                self.mark_failed(delivery, format!("it cannot be read in the journal: {error}"), String::new()).await?;
            }
            if !found_none_yet {
                return Ok(pending);
            }
        }
    }

    /// Sets a delivery aside until its channel is loaded.
    pub async fn set_aside(&self, delivery: i64, problem: String) -> Result<(), InboxError> {
        self.writer
            .write(move |tx| {
                tx.prepare_cached("UPDATE delivery SET state = 'unrouted', problem = ?2 WHERE id = ?1")?
                    .execute(params![delivery, problem])?;
                Ok(())
            })
            .await
    }

    /// Puts the deliveries of a channel back into the queue: those that waited for it, and those on which a
    /// component of another digest failed. Those that wait for an account stay.
    pub async fn take_up(&self, channel: &str, digest: &str) -> Result<usize, InboxError> {
        let (channel, digest) = (channel.to_owned(), digest.to_owned());
        self.writer
            .write(move |tx| {
                let failed = tx
                    .prepare_cached(
                        "UPDATE delivery SET state = 'received', attempts = 0
                         WHERE state = 'failed' AND channel = ?1 AND translator IS NOT ?2",
                    )?
                    .execute(params![channel, digest])?;
                Ok(failed + take_up_channel(tx, &channel)?)
            })
            .await
    }

    /// Notes that the translation of a delivery was tried and did not come to an end.
    pub async fn note_attempt(&self, delivery: i64) -> Result<(), InboxError> {
        self.writer
            .write(move |tx| {
                tx.prepare_cached("UPDATE delivery SET attempts = attempts + 1 WHERE id = ?1")?
                    .execute(params![delivery])?;
                Ok(())
            })
            .await
    }

    /// Notes that the component of this digest cannot translate a delivery. It stays in the journal.
    pub async fn mark_failed(&self, delivery: i64, problem: String, digest: String) -> Result<(), InboxError> {
        self.writer
            .write(move |tx| {
                tx.prepare_cached(
                    "UPDATE delivery SET state = 'failed', attempts = attempts + 1, problem = ?2, translator = ?3
                     WHERE id = ?1",
                )?
                .execute(params![delivery, problem, digest])?;
                Ok(())
            })
            .await?;
        self.announce([Update::Failed { delivery }]);
        Ok(())
    }
}

/// Empties a delivery that brought something which the customer has taken back: now, or, where it holds
/// something else that nobody has yet, as soon as it has been applied in full.
pub(crate) fn redact(tx: &Transaction<'_>, delivery: i64) -> Result<(), InboxError> {
    tx.prepare_cached(
        "UPDATE delivery SET redact = 1 WHERE id = ?1 OR id IN (SELECT again FROM repeat WHERE first = ?1)",
    )?
    .execute(params![delivery])?;
    let mut ids = vec![delivery];
    let mut statement = tx.prepare_cached("SELECT again FROM repeat WHERE first = ?1")?;
    for again in statement.query_map(params![delivery], |row| row.get(0))? {
        ids.push(again?);
    }
    redact_applied(tx, &ids)
}

/// Empties those of the deliveries that waited for it.
pub(crate) fn redact_applied(tx: &Transaction<'_>, deliveries: &[i64]) -> Result<(), InboxError> {
    tx.prepare_cached(
        "UPDATE delivery SET state = 'redacted', body = x'', headers = '[]'
         WHERE redact AND state = 'applied' AND id IN (SELECT value FROM json_each(?1))",
    )?
    .execute(params![serde_json::to_string(deliveries)?])?;
    Ok(())
}

/// Empties those of the deliveries that came out of an archive: the platform still has it, and what the channel asks
/// for again and again does not pile up here.
pub(crate) fn empty_archived(tx: &Transaction<'_>, deliveries: &[i64]) -> Result<(), InboxError> {
    tx.prepare_cached(
        "UPDATE delivery SET state = 'redacted', body = x''
         WHERE source = 'archive' AND state = 'applied' AND id IN (SELECT value FROM json_each(?1))",
    )?
    .execute(params![serde_json::to_string(deliveries)?])?;
    Ok(())
}

/// SQLite's integers are signed; platform times far outside are bent, not lost.
pub(crate) fn as_millis(at: u64) -> i64 {
    i64::try_from(at).unwrap_or(i64::MAX)
}

pub(crate) fn from_millis(at: i64) -> u64 {
    u64::try_from(at).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn delivery(body: &str) -> NewDelivery {
        let delivery = Delivery {
            source: DeliverySource::Webhook,
            body: body.into(),
            headers: Vec::new(),
            received_at: 7,
            account: None,
        };
        NewDelivery { channel: "c".into(), delivery, proof: Proof::Channel { slot: "s".into() } }
    }

    #[tokio::test]
    async fn a_row_that_cannot_be_read_is_set_aside_and_holds_up_none_behind_it() {
        let folder = tempfile::tempdir().unwrap();
        let inbox = Inbox::open(&folder.path().join("inbox.sqlite")).unwrap();
        for number in 0..6 {
            inbox.record(delivery(&number.to_string())).await.unwrap();
        }
        inbox.all_arrived().await.unwrap();
        let damage = "UPDATE delivery SET headers = CASE id WHEN 1 THEN '[' ELSE headers END,
                source = CASE id WHEN 2 THEN 'pigeon' ELSE source END,
                proof = CASE id WHEN 3 THEN '{}' ELSE proof END,
                account = CASE id WHEN 4 THEN CAST(x'ff' AS TEXT) ELSE account END";
        inbox.writer.write(move |tx| Ok(tx.execute_batch(damage)?)).await.unwrap();
        // One at a time, as when a channel is tried again.
        assert_eq!(inbox.least_tried("c").await.unwrap().unwrap().delivery.body, b"4");
        let pending = inbox.pending("c", 10, usize::MAX).await.unwrap();
        assert_eq!(pending.iter().map(|pending| pending.id).collect::<Vec<_>>(), [5, 6]);
        let problems = inbox.problems(10).await.unwrap();
        assert_eq!(problems.len(), 4, "{problems:?}");
        assert!(problems.iter().all(|(_, problem)| problem.starts_with("it cannot be read in the journal")));
    }
}
