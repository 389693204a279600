//! Owns: queueing a reply, once per key.
//! Does not own: sending it.

use harness_contract::OutboundMessage;
use rusqlite::{OptionalExtension as _, Transaction, params};
use serde_json::Value;

use crate::{
    error::InboxError,
    model::{AccountId, ChangeKind, ConversationId, NewReply, Queued, Remarks, ReplyId},
    sqlite::{
        columns::as_millis,
        rows::{
            changes::note_reply,
            continued,
            conversations::account_of,
            replies::{Attempt, take_out_queued, write_queued},
        },
    },
};

pub(crate) fn queue(tx: &Transaction<'_>, new: NewReply) -> Result<Queued, InboxError> {
    let NewReply { conversation, key, mut message, user, remarks, now } = new;
    let (warnings, degraded) = remarks.columns()?;
    let account = account_of(tx, conversation)?;
    // A refused reply was never sent to the platform, so its key may be used again, even for a different reply.
    let refused: Option<ReplyId> = tx
        .prepare_cached(
            "SELECT id FROM reply WHERE account_id = ?1 AND key = ?2 AND state = 'refused'
               AND NOT EXISTS (SELECT 1 FROM step WHERE step.reply_id = reply.id)",
        )?
        .query_row(params![account, key], |row| row.get(0))
        .optional()?;
    if let Some(refused) = refused {
        take_out_queued(tx, refused, now)?;
        tx.prepare_cached("DELETE FROM reply WHERE id = ?1")?.execute(params![refused])?;
    }
    if let Err(refused) = continued::only_current(tx, conversation) {
        // What was queued before is the same reply.
        let sql = "SELECT 1 FROM reply WHERE account_id = ?1 AND key = ?2";
        if !tx.prepare_cached(sql)?.exists(params![account, key])? {
            return Err(refused);
        }
    }
    let inserted = tx
        .prepare_cached(
            "INSERT INTO reply (account_id, conversation_id, key, message, created_at, state, next_attempt_at,
                 violations, degradations, user_id)
             VALUES (?1, ?2, ?3, '', ?4, 'queued', ?4, ?5, ?6, ?7) ON CONFLICT (account_id, key) DO NOTHING RETURNING id",
        )?
        .query_row(params![account, conversation, key, as_millis(now), warnings, degraded, user], |row| {
            row.get::<_, ReplyId>(0)
        })
        .optional()?;
    let Some(reply) = inserted else { return same_reply(tx, account, conversation, &key, message) };
    // Unique across inbox files, because the platform receives this id and returns it in echoes.
    message.id = format!("{reply}-{}", key_digest(&key, now));
    tx.prepare_cached("UPDATE reply SET message = ?2 WHERE id = ?1")?
        .execute(params![reply, serde_json::to_string(&message)?])?;
    note_reply(tx, ChangeKind::ReplyQueued, reply, now)?;
    write_queued(tx, &Attempt { reply, account, conversation, step: 0, now }, &message)?;
    Ok(Queued { reply, new: true })
}

/// The reply queued earlier with this key, if it is the same reply.
fn same_reply(
    tx: &Transaction<'_>,
    account: AccountId,
    conversation: ConversationId,
    key: &str,
    mut message: OutboundMessage,
) -> Result<Queued, InboxError> {
    let (reply, of, stored): (ReplyId, ConversationId, String) = tx
        .prepare_cached(
            "SELECT id, conversation_id, iif(masked, '', message) FROM reply WHERE account_id = ?1 AND key = ?2",
        )?
        .query_row(params![account, key], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    // The content of an unsent reply is not stored, so there is nothing to compare.
    let same = match serde_json::from_str::<OutboundMessage>(&stored) {
        Ok(stored) => {
            message.id.clone_from(&stored.id);
            stored == message || by_content(tx, &stored)? == by_content(tx, &message)?
        }
        Err(_) => true,
    };
    if of == conversation && same {
        Ok(Queued { reply, new: false })
    } else {
        Err(InboxError::KeyReused(key.to_owned()))
    }
}

/// A message with each uploaded file named by its content: a client that uploads again before it asks again means the same.
fn by_content(tx: &Transaction<'_>, message: &OutboundMessage) -> Result<Value, InboxError> {
    let mut document = serde_json::to_value(message)?;
    name_by_content(tx, &mut document)?;
    Ok(document)
}

fn name_by_content(tx: &Transaction<'_>, value: &mut Value) -> Result<(), InboxError> {
    match value {
        Value::Object(members) => {
            if let Some(handle) = members.get("file").and_then(|file| file.get("handle")).and_then(Value::as_str) {
                let content: Option<String> = tx
                    .prepare_cached("SELECT sha256 FROM upload WHERE handle = ?1")?
                    .query_row(params![handle], |row| row.get(0))
                    .optional()?;
                if let Some(content) = content {
                    members.insert("file".to_owned(), Value::String(content));
                }
            }
            members.values_mut().try_for_each(|inner| name_by_content(tx, inner))
        }
        Value::Array(items) => items.iter_mut().try_for_each(|item| name_by_content(tx, item)),
        _ => Ok(()),
    }
}

/// Distinguishes replies with the same row id in different files.
fn key_digest(key: &str, now: u64) -> String {
    use std::hash::{BuildHasher as _, RandomState};
    format!("{:016x}", RandomState::new().hash_one((key, now)))
}

impl Remarks {
    /// Each as JSON; `None` if empty.
    pub(crate) fn columns(&self) -> Result<(Option<String>, Option<String>), InboxError> {
        let warnings = (!self.warnings.is_empty()).then(|| serde_json::to_string(&self.warnings)).transpose()?;
        let degraded =
            (!self.degradations.is_empty()).then(|| serde_json::to_string(&self.degradations)).transpose()?;
        Ok((warnings, degraded))
    }
}
