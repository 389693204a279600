//! Owns: the rows of replies and steps: recording steps, closing replies, removing unsent text.
//! Does not own: when a step is sent, its outcome.

use harness_contract::{MessageRef, OutboundMessage, OutboundPart, Receipt, SendStep, SentMessage, StepKind};
use rusqlite::{OptionalExtension as _, Row, Transaction, params};
use serde_json::Value;

use super::{
    changes::{Concerns, Owner, note, note_reply},
    conversations::touch,
    unread,
};
use crate::{
    error::InboxError,
    model::{AccountId, ChangeKind, ConversationId, MessageId, ReplyId, StoredStep},
    sqlite::columns::{as_millis, collect, json_column},
};

pub(crate) struct Attempt {
    pub(crate) reply: ReplyId,
    pub(crate) account: AccountId,
    pub(crate) conversation: ConversationId,
    pub(crate) step: i64,
    pub(crate) now: u64,
}

impl Attempt {
    pub(crate) fn owner(&self) -> Owner {
        Owner { account: self.account, workspace: None, now: self.now }
    }
}

pub(crate) struct NewStep {
    pub(crate) parts: Vec<u32>,
    pub(crate) kind: &'static str,
    pub(crate) correlation: Option<String>,
    /// The text as sent, if the step delivers a single part.
    pub(crate) text: Option<String>,
    /// The messages that it delivers, one per part.
    pub(crate) messages: Vec<NewMessage>,
}

pub(crate) struct NewMessage {
    pub(crate) part: u32,
    pub(crate) text: Option<String>,
    /// JSON of the `outbound-part`.
    pub(crate) content: Option<String>,
}

impl NewMessage {
    /// `text` is the text as sent, if that differs from the whole part.
    pub(crate) fn of(message: &OutboundMessage, part: u32, text: Option<String>) -> Result<Self, InboxError> {
        let content = usize::try_from(part).ok().and_then(|part| message.parts.get(part));
        let whole = match content {
            Some(OutboundPart::Text(text)) => Some(text.text.clone()),
            _ => None,
        };
        Ok(Self { part, text: text.or(whole), content: content.map(serde_json::to_string).transpose()? })
    }
}

impl NewStep {
    pub(crate) fn of(message: &OutboundMessage, step: &SendStep) -> Result<Self, InboxError> {
        // Everything sent is shown, even if the channel does not name its parts.
        let shown: &[u32] = match step.kind {
            StepKind::Message if step.parts.is_empty() => &[0],
            StepKind::Message => &step.parts,
            _ => &[],
        };
        let text = step.text.as_ref().filter(|_| shown.len() == 1);
        let messages =
            shown.iter().map(|part| NewMessage::of(message, *part, text.cloned())).collect::<Result<_, _>>()?;
        let (parts, correlation) = (step.parts.clone(), step.correlation.clone());
        Ok(Self { parts, kind: step.kind.name(), correlation, text: step.text.clone(), messages })
    }
}

/// The receipt of a step, as far as an echo or the history reveals it.
pub(crate) fn receipt(tx: &Transaction<'_>, (reply, step): (ReplyId, i64), id: &str) -> Result<Receipt, InboxError> {
    let part = tx
        .prepare_cached(
            "SELECT coalesce(
                 (SELECT step_part FROM message WHERE reply_id = ?1 AND step = ?2 AND platform_id = ?3),
                 (SELECT json_extract(parts, '$[0]') FROM step WHERE reply_id = ?1 AND step = ?2), 0)",
        )?
        .query_row(params![reply, step, id], |row| row.get(0))?;
    let message = MessageRef { id: id.to_owned(), context: None };
    Ok(Receipt {
        messages: vec![SentMessage { part, message }],
        thread: None,
        recipient: None,
        correlation: None,
        media_handle: None,
    })
}

/// Adds the messages of a new reply to the timeline, before the channel has said how it will send them: one for each
/// part that looks like a message.
pub(crate) fn write_queued(tx: &Transaction<'_>, at: &Attempt, message: &OutboundMessage) -> Result<(), InboxError> {
    let author = serde_json::to_string(&message.sender)?;
    let shown: Vec<u32> =
        (0..).zip(&message.parts).filter(|(_, part)| !is_signal(part)).map(|(number, _)| number).collect();
    if !shown.is_empty() {
        touch(tx, at.conversation, at.now)?;
    }
    shown.into_iter().try_for_each(|part| add_message(tx, at, None, &author, &NewMessage::of(message, part, None)?))
}

/// Whether a part changes something instead of being a message.
fn is_signal(part: &OutboundPart) -> bool {
    match part {
        OutboundPart::Reaction(_)
        | OutboundPart::Typing(_)
        | OutboundPart::MarkSeen(_)
        | OutboundPart::Edit(_)
        | OutboundPart::Delete(_)
        | OutboundPart::Acknowledge(_) => true,
        OutboundPart::Text(_)
        | OutboundPart::Media(_)
        | OutboundPart::Sticker(_)
        | OutboundPart::Share(_)
        | OutboundPart::Cards(_)
        | OutboundPart::Buttons(_)
        | OutboundPart::Choices(_)
        | OutboundPart::Products(_)
        | OutboundPart::Location(_)
        | OutboundPart::ContactCards(_)
        | OutboundPart::Template(_)
        | OutboundPart::Other(_) => false,
    }
}

/// Removes the messages of a reply that no step sends.
pub(crate) fn take_out_queued(tx: &Transaction<'_>, reply: ReplyId, now: u64) -> Result<(), InboxError> {
    let gone = collect(
        tx,
        "DELETE FROM message WHERE reply_id = ?1 AND step IS NULL RETURNING id, conversation_id",
        params![reply],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    note_gone(tx, reply, gone, now)
}

fn note_gone(
    tx: &Transaction<'_>,
    reply: ReplyId,
    gone: Vec<(MessageId, ConversationId)>,
    now: u64,
) -> Result<(), InboxError> {
    gone.into_iter().try_for_each(|(message, conversation)| {
        let concerns = Concerns { message: Some(message), reply: Some(reply), ..Concerns::conversation(conversation) };
        note(tx, ChangeKind::MessageDeleted, concerns, now)
    })
}

/// Adds a message to the timeline, of a step or of a reply that has none yet. One that is there already stays.
fn add_message(
    tx: &Transaction<'_>,
    at: &Attempt,
    step: Option<i64>,
    author: &str,
    message: &NewMessage,
) -> Result<(), InboxError> {
    let added = tx
        .prepare_cached(
            "INSERT INTO message (account_id, conversation_id, direction, author, at, received_at,
                 origin, text, part, reply_id, step, step_part)
             VALUES (?1, ?2, 'outbound', ?3, ?4, ?4, 'live', ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            at.account,
            at.conversation,
            author,
            as_millis(at.now),
            message.text,
            message.content,
            at.reply,
            step,
            message.part
        ])?;
    if added > 0 {
        let message = Some(MessageId::new(tx.last_insert_rowid()));
        let Attempt { account, conversation, reply, .. } = *at;
        let concerns = Concerns {
            account: Some(account),
            conversation: Some(conversation),
            message,
            reply: Some(reply),
            ..Concerns::default()
        };
        note(tx, ChangeKind::MessageCreated, concerns, at.now)?;
    }
    Ok(())
}

/// Records a step. Its messages are those that were queued for its parts, from now on at the time of sending, or new
/// ones.
pub(crate) fn write_step(tx: &Transaction<'_>, at: &Attempt, author: &str, row: &NewStep) -> Result<(), InboxError> {
    tx.prepare_cached(
        "INSERT INTO step (reply_id, step, parts, kind, state, correlation, text)
         VALUES (?1, ?2, ?3, ?4, 'queued', ?5, ?6) ON CONFLICT DO NOTHING",
    )?
    .execute(params![
        at.reply,
        at.step,
        serde_json::to_string(&row.parts)?,
        row.kind,
        row.correlation,
        row.text
    ])?;
    for message in &row.messages {
        let queued = tx
            .prepare_cached(
                "UPDATE message SET step = ?2, text = ?4, part = ?5, at = ?6, received_at = ?6
                 WHERE reply_id = ?1 AND step IS NULL AND step_part = ?3",
            )?
            .execute(params![at.reply, at.step, message.part, message.text, message.content, as_millis(at.now)])?;
        if queued == 0 {
            add_message(tx, at, Some(at.step), author, message)?;
        }
    }
    Ok(())
}

/// Deletes the steps that the channel asked to rebuild; nothing of them was sent. A message that the platform has shown
/// meanwhile stays.
pub(crate) fn take_out_what_is_rebuilt(tx: &Transaction<'_>, reply: ReplyId, now: u64) -> Result<(), InboxError> {
    let gone: Vec<(MessageId, ConversationId)> = collect(
        tx,
        "DELETE FROM message WHERE reply_id = ?1 AND platform_id IS NULL AND step IN (
             SELECT step FROM step JOIN reply ON reply.id = step.reply_id
             WHERE reply.id = ?1 AND step.step >= reply.rebuild_from AND step.state = 'queued')
         RETURNING id, conversation_id",
        params![reply],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    note_gone(tx, reply, gone, now)?;
    for sql in [
        "DELETE FROM step WHERE reply_id = ?1 AND state = 'queued'
           AND step >= (SELECT rebuild_from FROM reply WHERE id = ?1)",
        "UPDATE reply SET rebuild_from = NULL WHERE id = ?1",
    ] {
        tx.prepare_cached(sql)?.execute(params![reply])?;
    }
    Ok(())
}

/// The reply's current conversation, which may have changed since the reply was loaded.
pub(crate) fn conversation_of(tx: &Transaction<'_>, reply: ReplyId) -> Result<ConversationId, InboxError> {
    Ok(tx
        .prepare_cached("SELECT conversation_id FROM reply WHERE id = ?1")?
        .query_row(params![reply], |row| row.get(0))?)
}

/// Marks messages as read once a person has answered them. An answer by a bot does not count, nor does a typing
/// indicator, which is not a message.
pub(crate) fn note_answered(tx: &Transaction<'_>, (reply, step): (ReplyId, i64), now: u64) -> Result<(), InboxError> {
    let answer: Option<(ConversationId, MessageId)> = tx
        .prepare_cached(
            "SELECT conversation_id, id FROM message
             WHERE reply_id = ?1 AND step = ?2 AND json_extract(author, '$.kind') = 'human' ORDER BY id DESC LIMIT 1",
        )?
        .query_row(params![reply, step], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((conversation, answer)) = answer else { return Ok(()) };
    let read = unread::clear(tx, conversation, Some(answer))?;
    if read > 0 { note_reply(tx, ChangeKind::ConversationRead, reply, now) } else { Ok(()) }
}

/// A refused or ambiguous message cancels the steps after it, because the order matters. A signal cancels nothing. A
/// reply without open steps is done.
pub(crate) fn close_finished(tx: &Transaction<'_>, reply: ReplyId) -> Result<(), InboxError> {
    tx.prepare_cached(
        "UPDATE step SET state = 'cancelled' WHERE reply_id = ?1 AND state = 'queued' AND EXISTS (
             SELECT 1 FROM step AS earlier WHERE earlier.reply_id = ?1 AND earlier.step < step.step
               AND earlier.kind <> 'action' AND earlier.state IN ('rejected', 'ambiguous', 'cancelled'))",
    )?
    .execute(params![reply])?;
    tx.prepare_cached(
        "UPDATE reply SET state = 'done' WHERE id = ?1 AND state = 'sending'
           AND NOT EXISTS (SELECT 1 FROM step WHERE step.reply_id = ?1 AND step.state IN ('queued', 'sending'))",
    )?
    .execute(params![reply])?;
    empty_finished_reply(tx, reply)
}

/// Removes the text of an unsent message from its reply. Parts that are still waiting are kept.
pub(crate) fn empty_reply(tx: &Transaction<'_>, account: AccountId, target: &str) -> Result<(), InboxError> {
    let found: Option<(ReplyId, i64, Option<String>, String)> = tx
        .prepare_cached(
            "SELECT s.reply_id, m.step_part, iif(json_array_length(s.parts) > 1, m.text, s.text), r.message FROM message m
             JOIN step s ON s.reply_id = m.reply_id AND s.step = m.step JOIN reply r ON r.id = m.reply_id
             WHERE m.account_id = ?1 AND m.platform_id = ?2",
        )?
        .query_row(params![account, target], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
        .optional()?;
    let Some((reply, part, text, message)) = found else { return Ok(()) };
    if let (Some(text), Ok(mut message)) = (text.filter(|text| !text.is_empty()), serde_json::from_str(&message))
        && let Some(part) = part_of(&mut message, part)
    {
        mask_in(part, &text);
        tx.prepare_cached("UPDATE reply SET message = ?2, masked = 1 WHERE id = ?1")?
            .execute(params![reply, message.to_string()])?;
    }
    tx.prepare_cached(
        "UPDATE step SET text = NULL FROM message
         WHERE message.account_id = ?1 AND message.platform_id = ?2
           AND step.reply_id = message.reply_id AND step.step = message.step",
    )?
    .execute(params![account, target])?;
    Ok(())
}

fn part_of(message: &mut Value, part: i64) -> Option<&mut Value> {
    message.get_mut("parts")?.get_mut(usize::try_from(part).ok()?)
}

/// Replaces text by filler of the same length in bytes: a continued reply is split into steps again, and must be split
/// at the same places.
fn mask_in(value: &mut Value, words: &str) {
    match value {
        Value::String(text) => *text = text.replace(words, &mask(words)),
        Value::Array(values) => values.iter_mut().for_each(|value| mask_in(value, words)),
        Value::Object(fields) => fields.values_mut().for_each(|value| mask_in(value, words)),
        _ => {}
    }
}

fn mask(words: &str) -> String {
    let instead = |letter: char| match letter.len_utf8() {
        _ if letter.is_whitespace() => letter,
        1 => 'x',
        2 => 'ä',
        3 => '字',
        _ => '\u{1F636}',
    };
    words.chars().map(instead).collect()
}

/// Clears the content of a finished reply that had some of it unsent.
pub(crate) fn empty_finished_reply(tx: &Transaction<'_>, reply: ReplyId) -> Result<(), InboxError> {
    tx.prepare_cached(
        "UPDATE reply SET message = '' WHERE id = ?1 AND state = 'done' AND message <> ''
           AND EXISTS (SELECT 1 FROM message WHERE reply_id = ?1 AND deleted_at IS NOT NULL)",
    )?
    .execute(params![reply])?;
    Ok(())
}

/// Reads `state, attempts, parts, kind, correlation`.
pub(crate) fn stored_step(row: &Row<'_>) -> rusqlite::Result<StoredStep> {
    Ok(StoredStep {
        state: row.get(0)?,
        attempts: row.get(1)?,
        parts: json_column(row, 2)?,
        kind: row.get(3)?,
        correlation: row.get(4)?,
    })
}
