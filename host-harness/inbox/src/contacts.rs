//! What is known about contacts besides what they write, and requests to delete it all.
//! Belongs here: profiles and erasures. Asking the platform is the gateway's.

use harness_contract::ContactProfile;
use rusqlite::{OptionalExtension as _, Transaction, params};
use serde::Serialize;

use crate::{
    Inbox, InboxError, NewDelivery, Update,
    accounts::{forget, note_deleted},
    gone::delete_contents,
    journal::{DeliveryRow, as_millis, from_millis},
};

/// A contact whose profile is to be asked for.
#[derive(Clone, Debug)]
pub struct DueProfile {
    /// The contact's row.
    pub contact: i64,
    /// The account's row.
    pub account: i64,
    /// The platform's id of the contact.
    pub platform_id: String,
}

/// What became of a callback.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum TakenCallback {
    /// It is in the journal.
    New,
    /// It came before and is answered as it was then: with this code, where it has one.
    Before(Option<String>),
    /// It came before, at a callback of another name.
    Elsewhere,
}

/// A request to delete everything about somebody.
#[derive(Clone, Debug, Serialize)]
pub struct ErasureView {
    /// When it came.
    pub received_at: u64,
    /// When it was done.
    pub finished_at: Option<u64>,
    /// Accounts whose credentials and conversations were deleted.
    pub accounts: i64,
    /// Contacts that were deleted.
    pub contacts: i64,
}

impl Inbox {
    /// Contacts of accounts that are connected, whose profile is to be asked for now: in turns, first the one of each
    /// account that waits longest.
    pub async fn due_profiles(&self, now: u64, limit: usize) -> Result<Vec<DueProfile>, InboxError> {
        self.readers
            .read(move |connection| {
                crate::read::collect(
                    connection,
                    "SELECT id, account_id, platform_id FROM (
                         SELECT k.id, k.account_id, k.platform_id, k.profile_at AS at,
                             row_number() OVER (PARTITION BY k.account_id ORDER BY k.profile_at, k.id DESC) AS turn
                         FROM contact k JOIN account a ON a.id = k.account_id
                         WHERE k.profile_at <= ?1 AND k.unnamed = 0 AND a.state = 'connected')
                     ORDER BY turn, at, id DESC LIMIT ?2",
                    params![as_millis(now), i64::try_from(limit).unwrap_or(i64::MAX)],
                    |row| Ok(DueProfile { contact: row.get(0)?, account: row.get(1)?, platform_id: row.get(2)? }),
                )
            })
            .await
    }

    /// Keeps a profile, and when it is asked for next.
    pub async fn note_profile(&self, contact: i64, profile: &ContactProfile, next: u64) -> Result<(), InboxError> {
        let json = serde_json::to_string(profile)?;
        let (name, username) = (profile.contact.name.clone(), profile.contact.username.clone());
        let conversations = self
            .writer
            .write(move |tx| {
                tx.prepare_cached(
                    "UPDATE contact SET profile = ?2, profile_at = ?3, profile_problem = NULL,
                         name = coalesce(?4, name), username = coalesce(?5, username) WHERE id = ?1",
                )?
                .execute(params![contact, json, as_millis(next), name, username])?;
                let mut statement = tx.prepare_cached("SELECT id FROM conversation WHERE contact_id = ?1")?;
                Ok(statement.query_map(params![contact], |row| row.get(0))?.collect::<Result<Vec<i64>, _>>()?)
            })
            .await?;
        self.announce(
            conversations.into_iter().map(|conversation| Update::Conversation { conversation, kind: "contact_update" }),
        );
        Ok(())
    }

    /// Notes why there is no profile, and when it is asked for next. What was known before stays.
    pub async fn note_no_profile(&self, contact: i64, problem: String, next: u64) -> Result<(), InboxError> {
        self.writer
            .write(move |tx| {
                tx.prepare_cached("UPDATE contact SET profile_problem = ?2, profile_at = ?3 WHERE id = ?1")?
                    .execute(params![contact, problem, as_millis(next)])?;
                Ok(())
            })
            .await
    }

    /// Writes a callback into the journal, once: one whose `digest` was taken before changes nothing. With a code
    /// it is a request for deletion, whose state can be asked for by it.
    pub async fn record_callback(
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

    /// How far a request for deletion has come.
    pub async fn erasure(&self, code: &str) -> Result<ErasureView, InboxError> {
        let wanted = code.to_owned();
        let found = self.readers.read(move |connection| {
            let sql = "SELECT received_at, finished_at, accounts, contacts FROM erasure WHERE code = ?1";
            let read = |row: &rusqlite::Row<'_>| {
                Ok(ErasureView {
                    received_at: from_millis(row.get(0)?),
                    finished_at: row.get::<_, Option<i64>>(1)?.map(from_millis),
                    accounts: row.get(2)?,
                    contacts: row.get(3)?,
                })
            };
            Ok(connection.prepare_cached(sql)?.query_row(params![wanted], read).optional()?)
        });
        found.await?.ok_or_else(|| InboxError::NotFound { what: "request with the code", id: code.to_owned() })
    }
}

/// Deletes what an erasure request asks for: a contact of the accounts, or the accounts themselves.
pub(crate) fn erase(
    tx: &Transaction<'_>,
    delivery: i64,
    accounts: &[i64],
    contact: Option<&str>,
    now: i64,
) -> Result<(), InboxError> {
    let mut contacts = 0;
    for &account in accounts {
        contacts += delete_contents(tx, account, contact)?;
        if contact.is_none() {
            note_deleted(tx, account, now)?;
            forget(tx, account, "The person who connected it asked the platform to delete everything.")?;
            tx.prepare_cached("UPDATE account SET name = platform_id, username = NULL, picture = NULL WHERE id = ?1")?
                .execute(params![account])?;
        }
    }
    // The request names the person too.
    tx.prepare_cached("UPDATE delivery SET redact = 1 WHERE id = ?1")?.execute(params![delivery])?;
    let gone = if contact.is_none() { accounts.len() } else { 0 };
    let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    tx.prepare_cached(
        "UPDATE erasure SET finished_at = ?2, accounts = accounts + ?3, contacts = contacts + ?4
         WHERE delivery_id = ?1",
    )?
    .execute(params![delivery, now, count(gone), count(contacts)])?;
    Ok(())
}
