//! Owns: a message's row when the platform assigns its id, edits it or deletes it. Changes are stored by platform id,
//! because they may arrive before the message.
//! Does not own: storing a message (`apply`), recording a step (`replies`).

use harness_contract::MessageRef;
use rusqlite::{OptionalExtension as _, Transaction, params};

use super::{
    changes::Owner,
    deliveries::{purge, take_carriers},
    media,
    replies::{empty_finished_reply, empty_reply},
    unread,
};
use crate::{
    error::InboxError,
    model::{AccountId, ChangeKind, ConversationId, DeliveryId, MessageId, ReplyId},
    sqlite::columns::collect,
};

/// The maximum size of a message's stored context, in bytes.
pub(crate) const MAX_MESSAGE_CONTEXT: usize = 1 << 10;

pub(crate) fn deletion_of(tx: &Transaction<'_>, account: AccountId, id: &str) -> Result<Option<i64>, InboxError> {
    Ok(tx
        .prepare_cached("SELECT at FROM deletion WHERE account_id = ?1 AND target = ?2")?
        .query_row(params![account, id], |row| row.get(0))
        .optional()?)
}

/// The message that the platform knows by this id, or by one of its further ids, with its conversation.
pub(crate) fn by_platform_id(
    tx: &Transaction<'_>,
    account: AccountId,
    id: &str,
) -> Result<Option<(MessageId, ConversationId)>, InboxError> {
    Ok(tx
        .prepare_cached(
            "SELECT id, conversation_id FROM message WHERE account_id = ?1 AND platform_id = ?2
             UNION ALL SELECT m.id, m.conversation_id FROM message_alias l JOIN message m ON m.id = l.message_id
             WHERE l.account_id = ?1 AND l.platform_id = ?2 LIMIT 1",
        )?
        .query_row(params![account, id], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?)
}

/// Assigns the platform's id to a message of ours: to the message of `part` if the response names one, otherwise to the
/// step's first message without an id. If its echo arrived first and was stored as a separate message, that row is
/// deleted, because both are the same message. Changes that waited for the id are applied.
pub(crate) fn adopt_platform_id(
    tx: &Transaction<'_>,
    of: Owner,
    (reply, step): (ReplyId, i64),
    part: Option<u32>,
    message: &MessageRef,
) -> Result<(), InboxError> {
    let id = &message.id;
    let context = kept_context(message);
    take_echo(tx, of, id)?;
    // If the platform gives several messages the same id, the first one gets it, and the outcome applies to all.
    tx.prepare_cached(
        "UPDATE message SET platform_id = ?3, context = coalesce(?6, context)
         WHERE id = (SELECT id FROM message WHERE reply_id = ?1 AND step = ?2
                       AND iif(?5 IS NULL, platform_id IS NULL OR platform_id = ?3, step_part = ?5)
                     ORDER BY step_part LIMIT 1)
           AND NOT EXISTS (SELECT 1 FROM message AS other
                           WHERE other.account_id = ?4 AND other.platform_id = ?3 AND other.id <> message.id)",
    )?
    .execute(params![reply, step, id, of.account, part, context])?;
    apply_what_waited(tx, of, id)
}

/// Notes a further message of the platform for a part that has one already: it is the same row here, and can be quoted,
/// confirmed and deleted by this id too.
pub(crate) fn adopt_alias(
    tx: &Transaction<'_>,
    of: Owner,
    (reply, step): (ReplyId, i64),
    part: u32,
    message: &MessageRef,
) -> Result<(), InboxError> {
    take_echo(tx, of, &message.id)?;
    tx.prepare_cached(
        "INSERT INTO message_alias (account_id, platform_id, message_id, context)
         SELECT ?1, ?2, id, ?6 FROM message
         WHERE reply_id = ?3 AND step = ?4 AND step_part = ?5 AND platform_id IS NOT NULL AND platform_id <> ?2
         ON CONFLICT DO NOTHING",
    )?
    .execute(params![of.account, message.id, reply, step, part, kept_context(message)])?;
    apply_what_waited(tx, of, &message.id)
}

fn kept_context(message: &MessageRef) -> Option<&Vec<u8>> {
    message.context.as_ref().filter(|context| context.len() <= MAX_MESSAGE_CONTEXT)
}

/// Deletes the row of an echo that came before its message was known to be ours, and keeps which delivery brought it.
fn take_echo(tx: &Transaction<'_>, of: Owner, id: &str) -> Result<(), InboxError> {
    let account = of.account;
    media::forget(tx, account, id, true)?;
    tx.prepare_cached(
        "INSERT INTO carrier (account_id, target, delivery_id)
         SELECT account_id, platform_id, delivery_id FROM message
         WHERE account_id = ?1 AND platform_id = ?2 AND reply_id IS NULL AND delivery_id IS NOT NULL
         ON CONFLICT DO NOTHING",
    )?
    .execute(params![account, id])?;
    let gone: Vec<(MessageId, ConversationId)> = collect(
        tx,
        "DELETE FROM message WHERE account_id = ?1 AND platform_id = ?2 AND reply_id IS NULL
         RETURNING id, conversation_id",
        params![account, id],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    gone.into_iter().try_for_each(|message| of.note_message(tx, ChangeKind::MessageDeleted, message))
}

/// Applies the deletion or the edit that arrived before the id was known.
fn apply_what_waited(tx: &Transaction<'_>, of: Owner, id: &str) -> Result<(), InboxError> {
    if let Some(at) = deletion_of(tx, of.account, id)? {
        for delivery in delete(tx, of, id, at)?.deliveries {
            purge(tx, delivery)?;
        }
    }
    if let Some(message) = apply_waiting_edit(tx, of.account, id)? {
        of.note_message(tx, ChangeKind::MessageEdited, message)?;
    }
    Ok(())
}

/// Applies an edit that arrived before its message. Hardly any message has one, so it is looked up first: an update
/// from another table costs more than the rest of storing a message. Returns the message that it changed.
pub(crate) fn apply_waiting_edit(
    tx: &Transaction<'_>,
    account: AccountId,
    target: &str,
) -> Result<Option<(MessageId, ConversationId)>, InboxError> {
    type Edit = (Option<String>, i64, Option<String>, Option<Vec<u8>>, Option<String>);
    let waiting: Option<Edit> = tx
        .prepare_cached(
            "SELECT text, revision, attachments, context, formatted FROM edit WHERE account_id = ?1 AND target = ?2",
        )?
        .query_row(params![account, target], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
        })
        .optional()?;
    let Some((text, revision, attachments, context, formatted)) = waiting else { return Ok(None) };
    Ok(tx.prepare_cached(
        // All of these columns hold the old text.
        "UPDATE message SET text = coalesce(?3, text), revision = ?4, native = NULL, part = NULL,
             context = coalesce(?6, context),
             body = iif(body IS NULL, NULL, (
                 SELECT iif(?7 IS NULL, said, json_set(said, '$.formatted', json(?7))) FROM (
                     SELECT iif(?3 IS NULL, carried, json_set(json_remove(carried, '$.formatted'), '$.text', ?3)) AS said
                     FROM (SELECT iif(?5 IS NULL, body, json_set(body, '$.attachments', json(?5))) AS carried))))
         WHERE account_id = ?1 AND platform_id = ?2 AND deleted_at IS NULL RETURNING id, conversation_id",
    )?
    .query_row(params![account, target, text, revision, attachments, context, formatted], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })
    .optional()?)
}

/// What was deleted with a message.
#[derive(Default)]
pub(crate) struct Taken {
    /// The deliveries of the message and its edits, which contain the content too.
    pub(crate) deliveries: Vec<DeliveryId>,
    /// How many messages lost their content; none if it has not arrived yet.
    pub(crate) messages: usize,
}

/// Deletes a message's content and keeps the fact that it existed. Recorded even if the message has not arrived yet.
pub(crate) fn delete(tx: &Transaction<'_>, of: Owner, target: &str, at: i64) -> Result<Taken, InboxError> {
    let account = of.account;
    tx.prepare_cached("INSERT INTO deletion (account_id, target, at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING")?
        .execute(params![account, target, at])?;
    tx.prepare_cached("DELETE FROM edit WHERE account_id = ?1 AND target = ?2")?.execute(params![account, target])?;
    media::forget(tx, account, target, false)?;
    empty_reply(tx, account, target)?;
    let mut all = Taken { deliveries: take_carriers(tx, account, target)?, messages: 0 };
    if let Some(first) = named_first(tx, account, target)? {
        // One piece of a text that is a single row here. Which words were its own is not known, so all of them go.
        let more = delete(tx, of, &first, at)?;
        all.deliveries.extend(more.deliveries);
        all.messages += more.messages;
    }
    type Row = (MessageId, ConversationId, Option<DeliveryId>, Option<ReplyId>);
    let taken: Vec<Row> = collect(
        tx,
        "UPDATE message SET text = NULL, body = NULL, part = NULL, native = NULL, deleted_at = ?3
             WHERE deleted_at IS NULL AND (account_id = ?1 AND platform_id = ?2 OR id IN (
                 -- Further parts of the same message.
                 SELECT part.id FROM message named JOIN message part ON part.reply_id = named.reply_id
                   AND part.step = named.step AND part.platform_id IS NULL
                 JOIN step ON step.reply_id = named.reply_id AND step.step = named.step AND step.state = 'sent'
                 WHERE named.account_id = ?1 AND named.platform_id = ?2 AND named.reply_id IS NOT NULL))
             RETURNING id, conversation_id, delivery_id, reply_id",
        params![account, target, at],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
    )?;
    for (message, conversation, delivery, reply) in taken {
        all.deliveries.extend(delivery);
        all.messages += 1;
        unread::remove(tx, conversation, message)?;
        reply.map_or(Ok(()), |reply| empty_finished_reply(tx, reply))?;
        of.note_message(tx, ChangeKind::MessageDeleted, (message, conversation))?;
    }
    Ok(all)
}

/// The id of the row that this id is a further one of.
pub(crate) fn named_first(tx: &Transaction<'_>, account: AccountId, id: &str) -> Result<Option<String>, InboxError> {
    Ok(tx
        .prepare_cached(
            "SELECT m.platform_id FROM message_alias l JOIN message m ON m.id = l.message_id
             WHERE l.account_id = ?1 AND l.platform_id = ?2",
        )?
        .query_row(params![account, id], |row| row.get(0))
        .optional()?
        .flatten())
}
