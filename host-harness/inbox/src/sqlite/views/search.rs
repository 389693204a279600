//! Owns: looking words up in the index: messages, conversations by name, conversations by either.
//! Does not own: what a word is (`words`), filling the index (`capabilities::search`).

use rusqlite::{Connection, params};

use super::conversations;
use crate::{
    error::InboxError,
    model::{
        ConversationHit, ConversationId, ConversationSummary, MessageHit, MessageSearch, Page, Place, WorkspaceId,
    },
    sqlite::columns::collect,
    words::{MarkKey, Terms},
};

/// How many conversations are looked at for a name, the newest of them.
const NAMES: i64 = 1000;
/// How many messages are looked at for a page of a search, from the newest on. The search goes on behind them.
const LOOKED_AT: usize = 20_000;
/// How many messages are looked at for a list: each costs three to ten microseconds in a large file, and every page of the
/// list looks at all of them.
const LISTED: i64 = 250;

/// The mark that the rows of a workspace have.
pub(crate) fn scope(workspace: WorkspaceId) -> String {
    format!("w{workspace}")
}

/// The mark by which a search stays in a workspace; none where there is no other, because every row has it, and finding the
/// rows that also have a rare word would walk through all of them.
fn among(connection: &Connection, workspace: WorkspaceId) -> Result<Option<String>, InboxError> {
    let others = connection.prepare_cached("SELECT 1 FROM workspace WHERE id <> ?1")?.exists(params![workspace])?;
    Ok(others.then(|| scope(workspace)))
}

/// The key of this file's marks.
pub(crate) fn key(connection: &Connection) -> Result<MarkKey, InboxError> {
    Ok(MarkKey(connection.prepare_cached("SELECT key FROM search")?.query_row([], |row| row.get(0))?))
}

/// A page of the messages with these words. It is shorter than asked for, and not the last, where many texts have the
/// marks and few the words.
pub(crate) fn messages(
    connection: &Connection,
    search: &MessageSearch,
    before: Option<Place>,
    limit: usize,
) -> Result<Page<MessageHit>, InboxError> {
    let terms = Terms::of(&search.text);
    let mut page = Page { entries: Vec::new(), next: None };
    let Some(expression) = terms.expression(&key(connection)?, among(connection, search.workspace)?.as_deref()) else {
        return Ok(page);
    };
    let mut statement = connection.prepare_cached(
        "SELECT m.id, m.conversation_id, m.direction, m.at,
             coalesce(author.name, author.username, json_extract(c.thread, '$.title'), k.name, k.username), m.text
         FROM message_words w CROSS JOIN message m ON m.id = w.rowid
             CROSS JOIN conversation c ON c.id = m.conversation_id CROSS JOIN contact k ON k.id = c.contact_id
             LEFT JOIN contact author ON author.id = m.contact_id
         WHERE message_words MATCH ?1 AND w.rowid < ?2 AND m.text IS NOT NULL AND c.workspace_id = ?3
           AND (?4 IS NULL OR m.conversation_id = ?4)
         ORDER BY w.rowid DESC",
    )?;
    let before = before.unwrap_or(Place::FIRST).id;
    let mut rows = statement.query(params![expression, before, search.workspace, search.conversation])?;
    let (mut looked_at, mut last) = (0, before);
    while let Some(row) = rows.next()? {
        if looked_at == LOOKED_AT || page.entries.len() == limit {
            page.next = Some(Place { at: 0, seq: 0, id: last });
            break;
        }
        (looked_at, last) = (looked_at + 1, row.get(0)?);
        let text: String = row.get(5)?;
        if terms.are_in(&text) {
            page.entries.push(MessageHit {
                message: row.get(0)?,
                conversation: row.get(1)?,
                direction: row.get(2)?,
                at: row.get(3)?,
                name: row.get(4)?,
                highlights: terms.highlights(&text),
                text,
            });
        }
    }
    Ok(page)
}

/// Conversations whose name has these words, newest first.
pub(crate) fn names(
    connection: &Connection,
    workspace: WorkspaceId,
    text: &str,
    limit: usize,
) -> Result<Vec<ConversationHit>, InboxError> {
    let terms = Terms::of(text);
    let Some(expression) = terms.expression(&key(connection)?, among(connection, workspace)?.as_deref()) else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    for conversation in named(connection, &expression, &terms)? {
        found.extend(conversations::one(connection, conversation)?.filter(|found| found.workspace == workspace));
    }
    found.sort_by_key(|one| std::cmp::Reverse((one.last_at, one.id)));
    found.truncate(limit);
    let hit = |conversation: ConversationSummary| {
        let highlights = terms.highlights(conversation.name.as_deref().unwrap_or_default());
        ConversationHit { conversation, highlights }
    };
    Ok(found.into_iter().map(hit).collect())
}

/// The newest conversations with these words in their names.
fn named(connection: &Connection, expression: &str, terms: &Terms) -> Result<Vec<ConversationId>, InboxError> {
    let rows: Vec<(ConversationId, String)> = collect(
        connection,
        "SELECT c.id, concat_ws(' ', json_extract(c.thread, '$.title'), k.name, k.username)
         FROM conversation_words w CROSS JOIN conversation c ON c.id = w.rowid
             CROSS JOIN contact k ON k.id = c.contact_id
         WHERE conversation_words MATCH ?1 ORDER BY w.rowid DESC LIMIT ?2",
        params![expression, NAMES],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    Ok(rows.into_iter().filter(|(_, name)| terms.are_in(name)).map(|(id, _)| id).collect())
}

/// The conversations that have these words in their name or in one message.
pub(crate) fn conversations_with(
    connection: &Connection,
    workspace: Option<WorkspaceId>,
    text: &str,
) -> Result<Vec<ConversationId>, InboxError> {
    let terms = Terms::of(text);
    let scope = workspace.map(|workspace| among(connection, workspace)).transpose()?.flatten();
    let Some(expression) = terms.expression(&key(connection)?, scope.as_deref()) else { return Ok(Vec::new()) };
    let mut found = named(connection, &expression, &terms)?;
    let mut statement = connection.prepare_cached(
        "SELECT m.conversation_id, m.text FROM message_words w CROSS JOIN message m ON m.id = w.rowid
         WHERE message_words MATCH ?1 AND m.text IS NOT NULL ORDER BY w.rowid DESC LIMIT ?2",
    )?;
    let mut rows = statement.query(params![expression, LISTED])?;
    let mut written = std::collections::BTreeSet::new();
    while let Some(row) = rows.next()? {
        let conversation: ConversationId = row.get(0)?;
        if !written.contains(&conversation) && terms.are_in(row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?) {
            written.insert(conversation);
        }
    }
    found.extend(written);
    Ok(found)
}
