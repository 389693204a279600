//! Owns: deleting all data of a person or an account from the tables.
//! Does not own: who may request it, the bytes of files.

use std::collections::BTreeSet;

use rusqlite::{OptionalExtension as _, Transaction, params};
use serde_json::Value;

use super::{changes::Owner, deliveries::purge, unread};
use crate::{
    error::InboxError,
    model::{AccountId, ChangeKind, ConversationId, DeliveryId, MessageId},
    sqlite::columns::collect,
};

/// The text before a file's handle in a message's JSON.
pub(crate) const HANDLE: &str = r#""handle":""#;
/// Ids with at least this many digits are also searched for without quotes.
const LONG_NUMBER: usize = 8;
/// Empties a delivery permanently, whatever its state.
const EMPTY: &str = "state = 'purged', body = x'', headers = '[]', problem = NULL";

/// Deletes the content of an account's conversations, or of those with one contact: messages, the deliveries that
/// contained or mention them, and their files. Returns how many contacts were deleted. Must be called before the
/// account's aliases are deleted.
pub(crate) fn delete_contents(
    tx: &Transaction<'_>,
    account: AccountId,
    contact: Option<&str>,
    now: u64,
) -> Result<usize, InboxError> {
    // The conversations to delete; `?1` is the account, `?2` the contact.
    const GONE: &str = "(SELECT c.id FROM conversation c JOIN contact k ON k.id = c.contact_id
                         WHERE c.account_id = ?1 AND (?2 IS NULL OR k.platform_id = ?2
                            -- Whoever has no id of the platform's yet is known by the user name alone.
                            OR (k.unnamed = 1 AND k.username = (SELECT username FROM contact
                                                                WHERE account_id = ?1 AND platform_id = ?2))))";
    // What the person wrote where several people are: the conversation stays.
    const WRITTEN: &str = "contact_id = (SELECT id FROM contact WHERE account_id = ?1 AND platform_id = ?2)";
    let messages = format!("(SELECT id FROM message WHERE conversation_id IN {GONE} OR {WRITTEN})");
    // Includes messages that never arrived but have a waiting edit.
    let targets = format!(
        "(SELECT platform_id FROM message WHERE conversation_id IN {GONE}
          UNION SELECT l.platform_id FROM message_alias l JOIN message m ON m.id = l.message_id
                WHERE m.conversation_id IN {GONE}
          UNION SELECT target FROM edit WHERE conversation_id IN {GONE})"
    );
    let replies = format!("(SELECT id FROM reply WHERE conversation_id IN {GONE})");
    let deliveries: Vec<DeliveryId> = {
        let sql = format!(
            "SELECT delivery_id FROM message WHERE delivery_id IS NOT NULL AND (conversation_id IN {GONE} OR {WRITTEN})
             UNION SELECT delivery_id FROM carrier WHERE account_id = ?1 AND (?2 IS NULL OR target IN {targets})
             UNION SELECT delivery_id FROM event WHERE account_id = ?1 AND ?2 IS NULL"
        );
        let mut statement = tx.prepare_cached(&sql)?;
        statement.query_map(params![account, contact], |row| row.get(0))?.collect::<Result<_, _>>()?
    };
    let of = Owner { account, workspace: None, now };
    let gone: Vec<ConversationId> =
        collect(tx, &format!("SELECT id FROM conversation WHERE id IN {GONE}"), params![account, contact], |row| {
            row.get(0)
        })?;
    let written: Vec<(MessageId, ConversationId)> = collect(
        tx,
        &format!(
            "SELECT id, conversation_id FROM message
             WHERE ?2 IS NOT NULL AND {WRITTEN} AND conversation_id NOT IN {GONE}"
        ),
        params![account, contact],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    empty_what_names(tx, account, contact)?;
    forget_sent_files(tx, account, contact, &replies)?;
    for sql in [
        format!("DELETE FROM media WHERE stored_as IS NULL AND message_id IN {messages}"),
        // The media store's owner deletes the bytes of files.
        format!(
            "UPDATE media SET message_id = NULL, state = 'deleted', reason = NULL, url = NULL, described = NULL, name = NULL,
                 mime = NULL, size = NULL, sha256 = NULL WHERE message_id IN {messages}"
        ),
        format!("DELETE FROM reaction WHERE account_id = ?1 AND (?2 IS NULL OR actor = ?2 OR target IN {targets})"),
        format!("DELETE FROM carrier WHERE account_id = ?1 AND (?2 IS NULL OR target IN {targets})"),
        format!("DELETE FROM deletion WHERE account_id = ?1 AND (?2 IS NULL OR target IN {targets})"),
        format!(
            "DELETE FROM edit WHERE account_id = ?1
               AND (?2 IS NULL OR conversation_id IN {GONE} OR target IN {targets})"
        ),
        format!("DELETE FROM message WHERE conversation_id IN {GONE}"),
        format!(
            "UPDATE message SET text = NULL, body = NULL, native = NULL, details = NULL, anomalies = NULL,
                 deleted_at = coalesce(deleted_at, at) WHERE ?2 IS NOT NULL AND {WRITTEN}"
        ),
        format!("DELETE FROM activity WHERE account_id = ?1 AND (?2 IS NULL OR conversation_id IN {GONE})"),
        format!("DELETE FROM step WHERE reply_id IN {replies}"),
        format!("DELETE FROM reply WHERE conversation_id IN {GONE}"),
        format!("DELETE FROM window_opening WHERE conversation_id IN {GONE}"),
        format!("DELETE FROM conversation WHERE id IN {GONE}"),
    ] {
        tx.prepare_cached(&sql)?.execute(params![account, contact])?;
    }
    let contacts = tx
        .prepare_cached(
            "DELETE FROM contact WHERE account_id = ?1 AND (?2 IS NULL OR platform_id = ?2
               OR (unnamed = 1 AND username = (SELECT username FROM contact
                                               WHERE account_id = ?1 AND platform_id = ?2)))",
        )?
        .execute(params![account, contact])?;
    for delivery in deliveries {
        purge(tx, delivery)?;
    }
    gone.into_iter().try_for_each(|conversation| of.note(tx, ChangeKind::ConversationDeleted, conversation))?;
    written.into_iter().try_for_each(|(message, conversation)| {
        unread::remove(tx, conversation, message)?;
        of.note_message(tx, ChangeKind::MessageDeleted, (message, conversation))
    })?;
    Ok(contacts)
}

/// Empties deliveries, activities and channel storage that mention the person or the account. A full scan, because it
/// is the only way to find deliveries that were never applied. Requests are rare.
fn empty_what_names(tx: &Transaction<'_>, account: AccountId, contact: Option<&str>) -> Result<(), InboxError> {
    let (channel, platform_id): (String, String) = tx
        .prepare_cached("SELECT channel, platform_id FROM account WHERE id = ?1")?
        .query_row(params![account], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let ids = match contact {
        Some(contact) => vec![contact.to_owned()],
        None => {
            let mut statement = tx.prepare_cached("SELECT alias FROM account_alias WHERE account_id = ?1")?;
            let aliases = statement.query_map(params![account], |row| row.get(0))?;
            std::iter::once(Ok(platform_id)).chain(aliases).collect::<Result<Vec<String>, _>>()?
        }
    };
    let mut needles: Vec<String> = ids.iter().map(|id| needle(id)).collect();
    if let Some(contact) = contact {
        let username: Option<String> = tx
            .prepare_cached("SELECT username FROM contact WHERE account_id = ?1 AND platform_id = ?2")?
            .query_row(params![account, contact], |row| row.get(0))
            .optional()?
            .flatten();
        // A comment may identify its author by user name only.
        needles.extend(username.map(|username| Value::from(username).to_string()));
    }
    for needle in &needles {
        // Waiting deliveries are emptied once applied; those that wait for something else are emptied now.
        tx.prepare_cached(
            "UPDATE delivery SET purge = 1 WHERE channel = ?1 AND state = 'received' AND instr(body, ?2)",
        )?
        .execute(params![channel, needle.as_bytes()])?;
        tx.prepare_cached(&format!(
            "UPDATE delivery SET {EMPTY} WHERE channel = ?1 AND state NOT IN ('received', 'purged')
               AND instr(body, ?2)"
        ))?
        .execute(params![channel, needle.as_bytes()])?;
        if contact.is_some() {
            tx.prepare_cached(
                "DELETE FROM activity WHERE account_id = ?1 AND (instr(body, ?2) OR instr(coalesce(native, ''), ?2))",
            )?
            .execute(params![account, needle])?;
            tx.prepare_cached(
                "DELETE FROM channel_kv WHERE account_id = ?1 AND (instr(key, ?2) OR instr(value, CAST(?2 AS BLOB)))",
            )?
            .execute(params![account, needle.trim_matches('"')])?;
        }
    }
    if contact.is_none() {
        tx.prepare_cached(&format!(
            "UPDATE delivery SET {EMPTY} WHERE channel = ?1 AND state NOT IN ('received', 'purged')
               AND account IN (SELECT value FROM json_each(?2))"
        ))?
        .execute(params![channel, serde_json::to_string(&ids)?])?;
    }
    Ok(())
}

/// How an id appears in a body: quoted, or unquoted if it is a number long enough to be unambiguous.
fn needle(id: &str) -> String {
    if id.len() >= LONG_NUMBER && id.bytes().all(|byte| byte.is_ascii_digit()) {
        id.to_owned()
    } else {
        Value::from(id).to_string()
    }
}

/// Deletes the rows of files that only these replies refer to. The media store's owner deletes their bytes.
fn forget_sent_files(
    tx: &Transaction<'_>,
    account: AccountId,
    contact: Option<&str>,
    replies: &str,
) -> Result<(), InboxError> {
    let mut handles = BTreeSet::new();
    {
        let mut statement = tx.prepare_cached(&format!("SELECT message FROM reply WHERE id IN {replies}"))?;
        let mut rows = statement.query(params![account, contact])?;
        while let Some(row) = rows.next()? {
            let message: String = row.get(0)?;
            handles.extend(message.split(HANDLE).skip(1).filter_map(|rest| rest.split('"').next()).map(str::to_owned));
        }
    }
    for handle in handles {
        let elsewhere: bool = tx
            .prepare_cached(&format!(
                "SELECT EXISTS (SELECT 1 FROM reply WHERE id NOT IN {replies} AND instr(message, ?3))"
            ))?
            .query_row(params![account, contact, handle], |row| row.get(0))?;
        if !elsewhere {
            tx.prepare_cached(
                "INSERT INTO media (attachment, kind, state, next_attempt_at, stored_as)
                 SELECT 0, 'file', 'deleted', 0, stored_as FROM upload WHERE handle = ?1",
            )?
            .execute(params![handle])?;
            tx.prepare_cached("DELETE FROM upload WHERE handle = ?1")?.execute(params![handle])?;
        }
    }
    Ok(())
}
