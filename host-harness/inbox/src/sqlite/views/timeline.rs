//! Owns: the messages of a conversation, one page at a time.
//! Does not own: the page type (`model::page`).

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde_json::value::RawValue;

use super::{media, sent};
use crate::{
    error::InboxError,
    model::{Around, ConversationId, MessageId, Page, Place, ReactionView, TimelineEntry},
    sqlite::columns::{collect, raw, with_one_more},
};

/// The messages before `before`.
pub(crate) fn timeline(
    connection: &Connection,
    conversation: ConversationId,
    before: Place,
    limit: usize,
) -> Result<Page<TimelineEntry>, InboxError> {
    let mut page = Page::of(placed(connection, conversation, before, limit)?, limit);
    page.entries.reverse();
    Ok(page)
}

/// What [`entry`] reads.
const SELECT: &str =
    "SELECT m.id, m.platform_id, m.direction, m.at, m.origin, m.late, m.text, m.deleted_at, m.revision, m.reply_id,
             coalesce(s.state, iif(m.reply_id IS NULL OR m.step IS NOT NULL, NULL, (SELECT CASE r.state
                 WHEN 'refused' THEN 'rejected' WHEN 'done' THEN 'cancelled' ELSE 'queued' END
                 FROM reply r WHERE r.id = m.reply_id))), m.author, m.body, s.outcome, m.part, m.seq,
             (SELECT json_group_array(json_array(f.id, f.attachment, f.kind, f.state, f.reason, f.url, f.mime, f.size,
                                                 f.sha256, f.name, f.stored_as))
              FROM media f WHERE f.message_id = m.id),
             (SELECT json_group_array(json_array(t.at, t.actor, t.emoji, t.name)) FROM (
                  SELECT r.at, r.actor, r.emoji, r.name FROM reaction r
                  WHERE r.account_id = m.account_id AND r.target = m.platform_id AND r.removed = 0
                  UNION ALL
                  SELECT r.at, r.actor, r.emoji, r.name FROM message_alias l CROSS JOIN reaction r
                  WHERE l.message_id = m.id AND r.account_id = m.account_id AND r.target = l.platform_id
                    AND r.removed = 0) t),
             m.details, k.platform_id, coalesce(k.name, k.username),
             (SELECT json_group_array(l.platform_id) FROM message_alias l WHERE l.message_id = m.id), m.contact_id,
             -- A quote stands in the first message of a reply.
             (SELECT json_extract(r.message, '$.reply_to.id') FROM reply r WHERE r.id = m.reply_id AND r.message <> ''
                AND NOT EXISTS (SELECT 1 FROM message o WHERE o.reply_id = m.reply_id
                    AND (o.step < m.step OR (m.step IS NULL AND o.step_part < m.step_part)))),
             iif(m.step IS NULL, (SELECT r.violations FROM reply r WHERE r.id = m.reply_id AND r.state = 'refused'), NULL),
             m.conversation_id
         FROM message m LEFT JOIN contact k ON k.id = m.contact_id
             LEFT JOIN step s ON s.reply_id = m.reply_id AND s.step = m.step";

/// The newest message of each conversation that has one. One statement for all of them: what it needs anew for each run
/// costs as much as several messages.
pub(crate) fn newest(
    connection: &Connection,
    conversations: &[ConversationId],
) -> Result<HashMap<ConversationId, TimelineEntry>, InboxError> {
    let ids = serde_json::to_string(conversations)?;
    let sql = format!(
        "{SELECT} WHERE m.id IN (
             SELECT (SELECT n.id FROM message n WHERE n.conversation_id = v.value
                     ORDER BY n.at DESC, n.seq DESC, n.id DESC LIMIT 1) FROM json_each(?1) v)"
    );
    let rows = collect(connection, &sql, params![ids], |row| Ok((row.get(25)?, entry(row)?)))?;
    rows.into_iter().map(|(conversation, (row, _))| Ok((conversation, complete(row)?))).collect()
}

/// One message, with its conversation.
pub(crate) fn one(connection: &Connection, message: MessageId) -> Result<(ConversationId, TimelineEntry), InboxError> {
    let not_found = || InboxError::NotFound { what: "message", id: message.to_string() };
    let conversation = connection
        .prepare_cached("SELECT conversation_id FROM message WHERE id = ?1")?
        .query_row(params![message], |row| row.get(0))
        .optional()?
        .ok_or_else(not_found)?;
    let found = collect(connection, &format!("{SELECT} WHERE m.id = ?1"), params![message], entry)?.pop();
    let (row, _) = found.ok_or_else(not_found)?;
    Ok((conversation, complete(row)?))
}

/// The newest messages before `before`, newest first: one more than `limit`, if there are more.
pub(crate) fn placed(
    connection: &Connection,
    conversation: ConversationId,
    before: Place,
    limit: usize,
) -> Result<Vec<(TimelineEntry, Place)>, InboxError> {
    let beyond = "< (?3, ?4, ?5) ORDER BY m.at DESC, m.seq DESC, m.id DESC";
    entries(connection, conversation, before, beyond, limit)
}

/// The oldest messages after `after`.
pub(crate) fn later(
    connection: &Connection,
    conversation: ConversationId,
    after: Place,
    limit: usize,
) -> Result<Page<TimelineEntry>, InboxError> {
    let beyond = "> (?3, ?4, ?5) ORDER BY m.at, m.seq, m.id";
    Ok(Page::of(entries(connection, conversation, after, beyond, limit)?, limit))
}

/// The messages around one: as many before it as from it on. `None` where the conversation does not have it.
pub(crate) fn around(
    connection: &Connection,
    conversation: ConversationId,
    message: MessageId,
    limit: usize,
) -> Result<Option<Around>, InboxError> {
    let place = connection
        .prepare_cached("SELECT at, seq, id FROM message WHERE id = ?1 AND conversation_id = ?2")?
        .query_row(params![message, conversation], |row| {
            Ok(Place { at: row.get(0)?, seq: row.get(1)?, id: row.get(2)? })
        })
        .optional()?;
    let Some(place) = place else { return Ok(None) };
    let before = timeline(connection, conversation, place, limit)?;
    // From the message itself on.
    let after = later(connection, conversation, Place { id: place.id - 1, ..place }, limit)?;
    let (earlier, newer) = (before.next, after.next);
    let entries = before.entries.into_iter().chain(after.entries).collect();
    Ok(Some(Around { entries, earlier, later: newer }))
}

/// One more than `limit`, if there are more. `beyond` compares with a place, and orders.
fn entries(
    connection: &Connection,
    conversation: ConversationId,
    place: Place,
    beyond: &str,
    limit: usize,
) -> Result<Vec<(TimelineEntry, Place)>, InboxError> {
    let sql = format!("{SELECT} WHERE m.conversation_id = ?1 AND (m.at, m.seq, m.id) {beyond} LIMIT ?2");
    let values = params![conversation, with_one_more(limit), place.at, place.seq, place.id];
    let rows = collect(connection, &sql, values, entry)?;
    rows.into_iter().map(|(row, place)| Ok((complete(row)?, place))).collect()
}

/// A row of the timeline whose JSON and files are not parsed yet.
struct Incomplete {
    entry: TimelineEntry,
    author: String,
    body: Option<String>,
    outcome: Option<String>,
    part: Option<String>,
    files: String,
    reactions: String,
    details: Option<String>,
    further: String,
    answers: Option<String>,
    /// Why the reply was refused before a step of it was recorded.
    violations: Option<String>,
}

fn entry(row: &Row<'_>) -> rusqlite::Result<(Incomplete, Place)> {
    let entry = TimelineEntry {
        id: row.get(0)?,
        platform_id: row.get(1)?,
        further_platform_ids: Vec::new(),
        direction: row.get(2)?,
        contact_id: row.get(22)?,
        contact: row.get(19)?,
        name: row.get(20)?,
        author: RawValue::NULL.to_owned(),
        at: row.get(3)?,
        origin: row.get(4)?,
        late: row.get(5)?,
        text: row.get(6)?,
        body: None,
        part: None,
        details: None,
        deleted_at: row.get(7)?,
        revision: row.get(8)?,
        reply: row.get(9)?,
        state: row.get(10)?,
        outcome: None,
        reactions: Vec::new(),
        media: Vec::new(),
    };
    let place = Place { at: entry.at, seq: row.get(15)?, id: entry.id.get() };
    let incomplete = Incomplete {
        entry,
        author: row.get(11)?,
        body: row.get(12)?,
        outcome: row.get(13)?,
        part: row.get(14)?,
        files: row.get(16)?,
        reactions: row.get(17)?,
        details: row.get(18)?,
        further: row.get(21)?,
        answers: row.get(23)?,
        violations: row.get(24)?,
    };
    Ok((incomplete, place))
}

fn complete(row: Incomplete) -> Result<TimelineEntry, InboxError> {
    let Incomplete { mut entry, author, body, outcome, part, files, reactions, details, further, answers, violations } =
        row;
    entry.author = RawValue::from_string(author)?;
    entry.body = match (body, &part) {
        (None, Some(part)) => Some(sent::as_message(&entry, part, answers)?),
        (body, _) => raw(body)?,
    };
    entry.media = media::from_json(&files)?;
    entry.part = raw(part)?;
    entry.outcome = match violations {
        Some(violations) => Some(sent::refused(&violations)?),
        None => raw(outcome)?,
    };
    entry.details = raw(details)?;
    entry.further_platform_ids = serde_json::from_str(&further)?;
    // Put in order here: for a list in order, SQLite makes a table of its own in each run.
    entry.media.sort_by_key(|file| file.attachment);
    let mut reactions: Vec<(i64, String, Option<String>, Option<String>)> = serde_json::from_str(&reactions)?;
    reactions.sort_by_key(|(at, ..)| *at);
    let view = |(_, actor, emoji, name)| ReactionView { actor, emoji, name };
    entry.reactions = reactions.into_iter().map(view).collect();
    Ok(entry)
}
