//! Owns: a delivery as a row.
//! Does not own: where the row is stored: the arrivals file or the journal's table.

use harness_contract::DeliverySource;
use rusqlite::{Transaction, params};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    error::InboxError,
    model::{DeliveryId, NewDelivery, Proof},
    sqlite::columns::as_millis,
};

/// A delivery with its future id in the journal.
pub(crate) struct Arrival {
    pub(crate) id: DeliveryId,
    pub(crate) row: DeliveryRow,
}

/// A delivery as a row. The arrivals file stores the body separately.
#[derive(Serialize, Deserialize)]
pub(crate) struct DeliveryRow {
    pub(crate) channel: String,
    pub(crate) received_at: i64,
    source: String,
    account: Option<String>,
    /// `None` in files of earlier versions.
    #[serde(default)]
    proof: Option<String>,
    #[serde(default)]
    query: String,
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
            account: delivery.account.map(|account| account.id),
            query: delivery.query,
            proof: Some(serde_json::to_string(&proof)?),
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

    /// Its approximate size in memory, in bytes.
    pub(crate) fn size(&self) -> usize {
        self.body.len() + self.headers.len() + self.query.len() + std::mem::size_of::<Self>()
    }

    /// Inserts it into the journal with an id from [`crate::arrivals::Arrivals::next_id`].
    pub(crate) fn insert(&self, tx: &Transaction<'_>, id: DeliveryId) -> Result<(), InboxError> {
        let Self { channel, received_at, source, account, proof, query, headers, body } = self;
        tx.prepare_cached(
            "INSERT INTO delivery (channel, source, account, received_at, headers, body, state, id, proof, query)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'received', ?7, ?8, ?9)",
        )?
        .execute(params![channel, source, account, received_at, headers, body, id, proof, query])?;
        Ok(())
    }
}

/// A source without a payload by its name; one with a payload in the contract's JSON form.
fn source_column(source: &DeliverySource) -> Result<String, InboxError> {
    Ok(match serde_json::to_value(source)? {
        Value::String(name) => name,
        document => document.to_string(),
    })
}

pub(crate) fn source_from(column: &str) -> Result<DeliverySource, InboxError> {
    Ok(match serde_json::from_str(column) {
        // The name in version 0.1 of the contract.
        Err(_) if column == "archive" => DeliverySource::History,
        Ok(document @ Value::Object(_)) => serde_json::from_value(document)?,
        _ => serde_json::from_value(column.into())?,
    })
}

/// Parses the proof column. A delivery of an earlier version has none; there, `account` was set only for secrets and
/// histories of single accounts.
pub(crate) fn proof_from(column: Option<&str>, account: Option<&str>) -> Result<Proof, InboxError> {
    match (column, account) {
        (Some(column), _) => Ok(serde_json::from_str(column)?),
        (None, Some(account)) => Ok(Proof::Account { account: account.to_owned(), slot: String::new() }),
        (None, None) => Ok(Proof::Channel { slot: String::new() }),
    }
}
