//! Owns: reading what became of deliveries, in SQLite.
//! Does not own: their bodies, translating them (`deliveries`).

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension as _, Row, params, types::Type};

use crate::{
    error::InboxError,
    model::{
        Change, DeliveryFilter, DeliveryId, DeliveryState, DeliveryView, MessageId, NoDeliveryState, Page, Translator,
    },
    sqlite::{
        columns::{collect, from_millis, with_one_more},
        rows::changes,
        store::SqliteStore,
    },
    store::{DeliveryViews, Journal as _},
};

/// Deliveries that are looked at for one page: no request reads a whole journal for what is not in it.
const SCANNED: i64 = 5_000;

/// What [`view`] reads. SQLite has the length of a body without reading it.
const COLUMNS: &str = "d.id, d.channel, d.source, d.account, d.received_at, d.state, d.attempts, d.problem,
    coalesce(k.digest, nullif(d.translator, '')), nullif(k.version, ''), length(d.body)
    FROM delivery d LEFT JOIN component k ON k.id = d.component_id";

#[async_trait]
impl DeliveryViews for SqliteStore {
    async fn deliveries_before(
        &self,
        filter: DeliveryFilter,
        before: Option<DeliveryId>,
        limit: usize,
    ) -> Result<Page<DeliveryView, DeliveryId>, InboxError> {
        self.all_arrived().await?;
        self.readers.read(move |connection| page(connection, &filter, before, limit)).await
    }

    async fn delivery(&self, delivery: DeliveryId) -> Result<DeliveryView, InboxError> {
        self.all_arrived().await?;
        self.readers
            .read(move |connection| {
                let sql = format!("SELECT {COLUMNS} WHERE d.id = ?1");
                let found = connection.prepare_cached(&sql)?.query_row(params![delivery], view).optional()?;
                found.ok_or_else(|| InboxError::NotFound { what: "delivery", id: delivery.to_string() })
            })
            .await
    }

    async fn delivery_of(&self, message: MessageId) -> Result<Option<DeliveryId>, InboxError> {
        const SQL: &str = "SELECT delivery_id FROM message WHERE id = ?1";
        self.readers
            .read(move |connection| {
                let found = connection.prepare_cached(SQL)?.query_row(params![message], |row| row.get(0)).optional()?;
                Ok(found.flatten())
            })
            .await
    }

    async fn changes_of(&self, delivery: DeliveryId, limit: usize) -> Result<Vec<Change>, InboxError> {
        self.readers.read(move |connection| changes::of_delivery(connection, delivery, limit)).await
    }
}

fn page(
    connection: &Connection,
    filter: &DeliveryFilter,
    before: Option<DeliveryId>,
    limit: usize,
) -> Result<Page<DeliveryView, DeliveryId>, InboxError> {
    let DeliveryFilter { channel, account, state } = filter;
    let state = state.map(DeliveryState::name);
    let before = before.unwrap_or(DeliveryId::new(i64::MAX));
    // Two texts, so that a state is found by its index.
    let scanned = match state {
        Some(_) => "SELECT id FROM delivery WHERE id < ?1 AND state = ?2 ORDER BY id DESC LIMIT ?3",
        None => "SELECT id FROM delivery WHERE id < ?1 AND ?2 IS NULL ORDER BY id DESC LIMIT ?3",
    };
    let (looked_at, oldest): (i64, Option<DeliveryId>) = connection
        .prepare_cached(&format!("SELECT count(*), min(id) FROM ({scanned})"))?
        .query_row(params![before, state, SCANNED], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let Some(oldest) = oldest else { return Ok(Page { entries: Vec::new(), next: None }) };
    let of_state = if state.is_some() { "d.state = ?3" } else { "?3 IS NULL" };
    let sql = format!(
        "SELECT {COLUMNS} WHERE d.id < ?1 AND d.id >= ?2 AND {of_state} AND (?4 IS NULL OR d.channel = ?4)
           AND (?5 IS NULL OR (d.channel = (SELECT channel FROM account WHERE id = ?5) AND (
               d.account IN (SELECT platform_id FROM account WHERE id = ?5
                             UNION ALL SELECT alias FROM account_alias WHERE account_id = ?5)
               OR EXISTS (SELECT 1 FROM change c WHERE c.delivery_id = d.id AND c.account_id = ?5))))
         ORDER BY d.id DESC LIMIT ?6"
    );
    let found =
        collect(connection, &sql, params![before, oldest, state, channel, account, with_one_more(limit)], |row| {
            Ok((view(row)?, row.get(0)?))
        })?;
    let mut page = Page::of(found, limit);
    if page.next.is_none() && looked_at == SCANNED {
        page.next = Some(oldest);
    }
    Ok(page)
}

fn view(row: &Row<'_>) -> rusqlite::Result<DeliveryView> {
    let unknown = |error: NoDeliveryState| rusqlite::Error::FromSqlConversionFailure(5, Type::Text, Box::new(error));
    let digest: Option<String> = row.get(8)?;
    let version = row.get(9)?;
    Ok(DeliveryView {
        id: row.get(0)?,
        channel: row.get(1)?,
        source: row.get(2)?,
        account: row.get(3)?,
        received_at: from_millis(row.get(4)?),
        state: row.get_ref(5)?.as_str()?.parse().map_err(unknown)?,
        attempts: row.get(6)?,
        problem: row.get(7)?,
        translator: digest.map(|digest| Translator { digest, version }),
        size: from_millis(row.get(10)?),
    })
}
