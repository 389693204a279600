//! Owns: accepting deliveries and callbacks, in SQLite.
//! Does not own: processing them (`deliveries`).

use async_trait::async_trait;
use rusqlite::{OptionalExtension as _, params};
use tokio::sync::watch;

use crate::{
    error::InboxError,
    model::{DeliveryId, NewDelivery, TakenCallback},
    sqlite::{arrivals::DeliveryRow, store::SqliteStore},
    store::Journal,
};

#[async_trait]
impl Journal for SqliteStore {
    async fn record(&self, new: NewDelivery) -> Result<DeliveryId, InboxError> {
        self.arrivals.record(DeliveryRow::of(new)?).await
    }

    async fn record_callback(
        &self,
        new: NewDelivery,
        name: String,
        digest: [u8; 32],
        code: Option<String>,
    ) -> Result<TakenCallback, InboxError> {
        let (delivery, row) = (self.arrivals.next_id(), DeliveryRow::of(new)?);
        self.writer
            .write(move |tx| {
                let before = tx
                    .prepare_cached("SELECT name, code FROM callback WHERE channel = ?1 AND digest = ?2")?
                    .query_row(params![row.channel, digest], |row| Ok((row.get(0)?, row.get(1)?)))
                    .optional()?;
                if let Some((taken_by, code)) = before {
                    let taken_by: String = taken_by;
                    return Ok(if taken_by == name { TakenCallback::Before(code) } else { TakenCallback::Elsewhere });
                }
                tx.prepare_cached(
                    "INSERT INTO callback (channel, digest, name, code, received_at) VALUES (?1, ?2, ?3, ?4, ?5)",
                )?
                .execute(params![row.channel, digest, name, code, row.received_at])?;
                row.insert(tx, delivery)?;
                let Some(code) = code else { return Ok(TakenCallback::New) };
                tx.prepare_cached(
                    "INSERT INTO erasure (code, channel, delivery_id, received_at) VALUES (?1, ?2, ?3, ?4)",
                )?
                .execute(params![code, row.channel, delivery, row.received_at])?;
                Ok(TakenCallback::New)
            })
            .await
    }

    fn arrivals(&self) -> watch::Receiver<DeliveryId> {
        self.arrivals.appended()
    }

    fn last_delivery(&self) -> DeliveryId {
        self.arrivals.last_id()
    }

    async fn all_arrived(&self) -> Result<(), InboxError> {
        let last = self.arrivals.last_id();
        let mut appended = self.arrivals.appended();
        while !self.arrivals.all_have_rows() && *appended.borrow_and_update() < last {
            appended.changed().await.map_err(|_| InboxError::Closed)?;
        }
        Ok(())
    }
}
