//! Owns: the messages of a conversation, one page at a time.
//! Does not own: the page type (`model::page`).

use rusqlite::{Connection, Row, params};
use serde_json::value::RawValue;

use super::{media, sent};
use crate::{
    error::InboxError,
    model::{ConversationId, Page, Place, ReactionView, TimelineEntry},
    sqlite::columns::{collect, raw, with_one_more},
};

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

/// The newest messages before `before`, newest first: one more than `limit`, if there are more.
pub(crate) fn placed(
    connection: &Connection,
    conversation: ConversationId,
    before: Place,
    limit: usize,
) -> Result<Vec<(TimelineEntry, Place)>, InboxError> {
    let rows = collect(
        connection,
        "SELECT m.id, m.platform_id, m.direction, m.at, m.origin, m.late, m.text, m.deleted_at, m.revision, m.reply_id,
             s.state, m.author, m.body, s.outcome, m.part, m.seq,
             (SELECT json_group_array(json_array(f.id, f.attachment, f.kind, f.state, f.reason, f.url, f.mime, f.size,
                                                 f.sha256, f.name, f.stored_as) ORDER BY f.attachment)
              FROM media f WHERE f.message_id = m.id),
             (SELECT json_group_array(json_array(r.actor, r.emoji, r.name) ORDER BY r.at) FROM reaction r
              WHERE r.account_id = m.account_id AND r.removed = 0
                AND r.target IN (SELECT m.platform_id UNION ALL
                                 SELECT l.platform_id FROM message_alias l WHERE l.message_id = m.id)),
             m.details, k.platform_id, coalesce(k.name, k.username),
             (SELECT json_group_array(l.platform_id) FROM message_alias l WHERE l.message_id = m.id), m.contact_id,
             -- A quote stands in the first message of a reply.
             (SELECT json_extract(r.message, '$.reply_to.id') FROM reply r WHERE r.id = m.reply_id AND r.message <> ''
                AND NOT EXISTS (SELECT 1 FROM message o WHERE o.reply_id = m.reply_id AND o.step < m.step))
         FROM message m LEFT JOIN contact k ON k.id = m.contact_id
             LEFT JOIN step s ON s.reply_id = m.reply_id AND s.step = m.step
         WHERE m.conversation_id = ?1 AND (m.at, m.seq, m.id) < (?3, ?4, ?5)
         ORDER BY m.at DESC, m.seq DESC, m.id DESC LIMIT ?2",
        params![conversation, with_one_more(limit), before.at, before.seq, before.id],
        entry,
    )?;
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
    };
    Ok((incomplete, place))
}

fn complete(row: Incomplete) -> Result<TimelineEntry, InboxError> {
    let Incomplete { mut entry, author, body, outcome, part, files, reactions, details, further, answers } = row;
    entry.author = RawValue::from_string(author)?;
    entry.body = match (body, &part) {
        (None, Some(part)) => Some(sent::as_message(&entry, part, answers)?),
        (body, _) => raw(body)?,
    };
    entry.media = media::from_json(&files)?;
    entry.part = raw(part)?;
    entry.outcome = raw(outcome)?;
    entry.details = raw(details)?;
    entry.further_platform_ids = serde_json::from_str(&further)?;
    let reactions: Vec<(String, Option<String>, Option<String>)> = serde_json::from_str(&reactions)?;
    entry.reactions = reactions.into_iter().map(|(actor, emoji, name)| ReactionView { actor, emoji, name }).collect();
    Ok(entry)
}
