//! Owns: reading contacts, in SQLite.
//! Does not own: fetching their profiles (`contacts`).

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde::de::DeserializeOwned;

use crate::{
    error::InboxError,
    model::{ContactFilter, ContactId, ContactView, ConversationId, Page},
    sqlite::{
        columns::{collect, json_column, with_one_more},
        store::SqliteStore,
    },
    store::ContactViews,
};

/// What [`view`] reads, of a contact `k` of an account `a`.
const COLUMNS: &str =
    "k.id, a.id, a.channel, iif(k.unnamed, NULL, k.platform_id), k.name, k.username, k.told, k.profile,
    k.profile_problem,
    (SELECT min(first) FROM (
         SELECT (SELECT m.at FROM message m WHERE m.conversation_id = c.id ORDER BY m.at, m.seq, m.id LIMIT 1) AS first
         FROM conversation c WHERE c.contact_id = k.id
         UNION ALL SELECT (SELECT n.at FROM activity n WHERE n.conversation_id = c.id ORDER BY n.at, n.id LIMIT 1)
         FROM conversation c WHERE c.contact_id = k.id)),
    (SELECT max(c.last_inbound_at) FROM conversation c WHERE c.contact_id = k.id),
    (SELECT json_group_array(DISTINCT l.label_id) FROM conversation c
         JOIN conversation_label l ON l.conversation_id = c.id WHERE c.contact_id = k.id)";

#[async_trait]
impl ContactViews for SqliteStore {
    async fn contacts_before(
        &self,
        filter: ContactFilter,
        before: Option<ContactId>,
        limit: usize,
    ) -> Result<Page<ContactView, ContactId>, InboxError> {
        let before = before.unwrap_or(ContactId::new(i64::MAX));
        self.readers.read(move |connection| page(connection, &filter, before, limit)).await
    }

    async fn contact(&self, contact: ContactId) -> Result<ContactView, InboxError> {
        self.readers
            .read(move |connection| {
                let sql =
                    format!("SELECT {COLUMNS} FROM contact k JOIN account a ON a.id = k.account_id WHERE k.id = ?1");
                let found = connection.prepare_cached(&sql)?.query_row(params![contact], view).optional()?;
                found.ok_or_else(|| InboxError::NotFound { what: "contact", id: contact.to_string() })
            })
            .await
    }

    async fn conversations_with(&self, contact: ContactId, limit: usize) -> Result<Vec<ConversationId>, InboxError> {
        self.readers
            .read(move |connection| {
                collect(
                    connection,
                    "WITH same (id) AS (
                         SELECT ?1 UNION SELECT other.id FROM contact k JOIN account a ON a.id = k.account_id
                         JOIN account b ON b.channel = a.channel AND b.workspace_id = a.workspace_id
                         JOIN contact other ON other.account_id = b.id AND other.platform_id = k.platform_id
                         WHERE k.id = ?1 AND k.unnamed = 0 AND other.unnamed = 0)
                     SELECT id FROM conversation WHERE id IN (
                         SELECT c.id FROM conversation c WHERE c.contact_id IN (SELECT id FROM same)
                         UNION SELECT m.conversation_id FROM message m WHERE m.contact_id IN (SELECT id FROM same))
                     ORDER BY last_at DESC, id DESC LIMIT ?2",
                    params![contact, i64::try_from(limit).unwrap_or(i64::MAX)],
                    |row| row.get(0),
                )
            })
            .await
    }
}

fn page(
    connection: &Connection,
    filter: &ContactFilter,
    before: ContactId,
    limit: usize,
) -> Result<Page<ContactView, ContactId>, InboxError> {
    let ContactFilter { workspace, account, channel } = filter;
    // The newest of each account by its index, and of those the newest.
    let sql = format!(
        "SELECT {COLUMNS} FROM account a CROSS JOIN contact k ON k.id IN (
             SELECT d.id FROM contact d WHERE d.account_id = a.id AND d.id < ?1 ORDER BY d.id DESC LIMIT ?2)
         WHERE (?3 IS NULL OR a.workspace_id = ?3) AND (?4 IS NULL OR a.id = ?4) AND (?5 IS NULL OR a.channel = ?5)
         ORDER BY k.id DESC LIMIT ?2"
    );
    let found = collect(connection, &sql, params![before, with_one_more(limit), workspace, account, channel], |row| {
        Ok((view(row)?, row.get(0)?))
    })?;
    Ok(Page::of(found, limit))
}

fn view(row: &Row<'_>) -> rusqlite::Result<ContactView> {
    Ok(ContactView {
        id: row.get(0)?,
        account_id: row.get(1)?,
        channel: row.get(2)?,
        platform_id: row.get(3)?,
        name: row.get(4)?,
        username: row.get(5)?,
        told: readable(row, 6)?,
        profile: readable(row, 7)?,
        profile_problem: row.get(8)?,
        first_seen_at: row.get(9)?,
        last_seen_at: row.get(10)?,
        labels: json_column(row, 11)?,
    })
}

/// JSON that this version can parse. Other JSON must not hide the contact.
fn readable<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<T>> {
    Ok(row.get::<_, Option<String>>(column)?.and_then(|json| serde_json::from_str(&json).ok()))
}
