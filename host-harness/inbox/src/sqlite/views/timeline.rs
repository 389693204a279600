//! The messages of a conversation, a page at a time.
//! Not here: what a page is (`model::page`).

use rusqlite::{Connection, Row, params};
use serde_json::value::RawValue;

use super::{media, sent};
use crate::{
    error::InboxError,
    model::{Page, Place, ReactionView, StepState, TimelineEntry},
    sqlite::columns::{collect, raw, with_one_more},
};

pub(crate) fn timeline(
    connection: &Connection,
    conversation: i64,
    before: Place,
    limit: usize,
) -> Result<Page<TimelineEntry>, InboxError> {
    let rows = collect(
        connection,
        "SELECT m.id, m.platform_id, m.direction, m.at, m.origin, m.late, m.text, m.deleted_at, m.revision, m.reply_id,
             s.state, m.account_id, m.author, m.body, s.outcome, m.part, m.seq
         FROM message m LEFT JOIN step s ON s.reply_id = m.reply_id AND s.step = m.step
         WHERE m.conversation_id = ?1 AND (m.at, m.seq, m.id) < (?3, ?4, ?5)
         ORDER BY m.at DESC, m.seq DESC, m.id DESC LIMIT ?2",
        params![conversation, with_one_more(limit), before.at, before.seq, before.id],
        entry,
    )?;
    let mut page = Page::of(rows, limit);
    page.entries.reverse();
    let entries = page.entries.into_iter().map(|row| complete(connection, row)).collect::<Result<_, _>>()?;
    Ok(Page { entries, next: page.next })
}

/// A row of the timeline whose JSON and files are still to be read.
struct Incomplete {
    entry: TimelineEntry,
    account: i64,
    author: String,
    body: Option<String>,
    outcome: Option<String>,
    part: Option<String>,
}

fn entry(row: &Row<'_>) -> rusqlite::Result<(Incomplete, Place)> {
    let entry = TimelineEntry {
        id: row.get(0)?,
        platform_id: row.get(1)?,
        direction: row.get(2)?,
        author: RawValue::NULL.to_owned(),
        at: row.get(3)?,
        origin: row.get(4)?,
        late: row.get(5)?,
        text: row.get(6)?,
        body: None,
        part: None,
        deleted_at: row.get(7)?,
        revision: row.get(8)?,
        reply: row.get(9)?,
        state: row.get::<_, Option<String>>(10)?.as_deref().map(StepState::from_name),
        outcome: None,
        reactions: Vec::new(),
        media: Vec::new(),
    };
    let place = Place { at: entry.at, seq: row.get(16)?, id: entry.id };
    let (account, author) = (row.get(11)?, row.get(12)?);
    Ok((Incomplete { entry, account, author, body: row.get(13)?, outcome: row.get(14)?, part: row.get(15)? }, place))
}

fn complete(connection: &Connection, row: Incomplete) -> Result<TimelineEntry, InboxError> {
    let Incomplete { mut entry, account, author, body, outcome, part } = row;
    entry.author = RawValue::from_string(author)?;
    entry.body = match (body, &part) {
        (None, Some(part)) => Some(sent::as_message(&entry, part)?),
        (body, _) => raw(body)?,
    };
    entry.media = media::of_message(connection, entry.id)?;
    entry.part = raw(part)?;
    entry.outcome = raw(outcome)?;
    entry.reactions = collect(
        connection,
        "SELECT actor, emoji FROM reaction WHERE account_id = ?1 AND target = ?2 AND removed = 0 ORDER BY at",
        params![account, entry.platform_id],
        |row| Ok(ReactionView { actor: row.get(0)?, emoji: row.get(1)? }),
    )?;
    Ok(entry)
}
