//! Owns: conversations that were begun anew: which one goes on, and beginning one.
//! Does not own: when that happens (`apply::anew`).
//!
//! A platform knows one thread with a person, its window and its limits, however often a team closes the matter. What
//! belongs to the thread is read and written in the conversation that goes on: the one that has the key.

use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use super::changes::Owner;
use crate::{
    error::InboxError,
    model::{ChangeKind, ConversationId},
    sqlite::columns::collect,
};

/// The conversations before `?1` in which the same thread was, as `earlier (id)`.
pub(crate) const EARLIER: &str = "earlier (id) AS (
    SELECT id FROM conversation WHERE continued_in = ?1
    UNION SELECT c.id FROM earlier e JOIN conversation c ON c.continued_in = e.id)";

/// The conversation in which this one goes on; the same one if it was never continued.
pub(crate) fn current(connection: &Connection, conversation: ConversationId) -> Result<ConversationId, InboxError> {
    let next: Option<ConversationId> = connection
        .prepare_cached("SELECT continued_in FROM conversation WHERE id = ?1")?
        .query_row(params![conversation], |row| row.get(0))
        .optional()?
        .flatten();
    let Some(next) = next else { return Ok(conversation) };
    Ok(connection
        .prepare_cached(
            "WITH RECURSIVE onward (id, next) AS (
                 SELECT id, continued_in FROM conversation WHERE id = ?1
                 UNION SELECT c.id, c.continued_in FROM onward o JOIN conversation c ON c.id = o.next)
             SELECT id FROM onward WHERE next IS NULL",
        )?
        .query_row(params![next], |row| row.get(0))?)
}

/// Refuses what can only be done in the conversation that goes on.
pub(crate) fn only_current(connection: &Connection, conversation: ConversationId) -> Result<(), InboxError> {
    let by = current(connection, conversation)?;
    if by == conversation { Ok(()) } else { Err(InboxError::Continued { conversation, by }) }
}

/// Begins a conversation anew: it keeps what was said, noted and decided in it, and another takes its key, its assignee and
/// what belongs to the platform's thread.
pub(crate) fn begin_anew(
    tx: &Transaction<'_>,
    of: Owner,
    old: ConversationId,
    at: i64,
) -> Result<ConversationId, InboxError> {
    let key: String =
        tx.prepare_cached("SELECT key FROM conversation WHERE id = ?1")?.query_row(params![old], |row| row.get(0))?;
    // No id of a platform and none that is made here begins like this.
    tx.prepare_cached("UPDATE conversation SET key = 'p:' || id || ':' || key WHERE id = ?1")?.execute(params![old])?;
    tx.prepare_cached(
        "INSERT INTO conversation (account_id, contact_id, key, thread, last_at, workspace_id, assignee_id, last_inbound,
             last_inbound_at, refused_at, reply_context, closed, seen_at)
         SELECT account_id, contact_id, ?2, thread, ?3, workspace_id,
             (SELECT u.id FROM user u WHERE u.id = assignee_id AND u.disabled_at IS NULL), last_inbound,
             last_inbound_at, refused_at, reply_context, closed, seen_at
         FROM conversation WHERE id = ?1",
    )?
    .execute(params![old, key, at])?;
    let new = ConversationId::new(tx.last_insert_rowid());
    for sql in [
        "UPDATE conversation SET continued_in = ?2 WHERE id = ?1",
        "INSERT INTO window_opening (conversation_id, opener, at)
             SELECT ?2, opener, at FROM window_opening WHERE conversation_id = ?1",
        // Replies that wait in the old one are held by it, too.
        "INSERT INTO pause (channel, scope, whose, until)
             SELECT channel, scope, CAST(?2 AS TEXT), until FROM pause
             WHERE scope = 'conversation' AND whose = CAST(?1 AS TEXT)
             ON CONFLICT DO UPDATE SET until = max(until, excluded.until)",
    ] {
        tx.prepare_cached(sql)?.execute(params![old, new])?;
    }
    of.note(tx, ChangeKind::ConversationCreated, new)?;
    of.note(tx, ChangeKind::ConversationUpdated, old)?;
    Ok(new)
}

/// Conversations that went on in `from` go on in `to`, because `from` is merged into it.
pub(crate) fn go_on_elsewhere(
    tx: &Transaction<'_>,
    of: Owner,
    from: ConversationId,
    to: ConversationId,
) -> Result<(), InboxError> {
    let earlier: Vec<ConversationId> = collect(
        tx,
        "UPDATE conversation SET continued_in = ?2 WHERE continued_in = ?1 RETURNING id",
        params![from, to],
        |row| row.get(0),
    )?;
    earlier.into_iter().try_for_each(|one| of.note(tx, ChangeKind::ConversationUpdated, one))
}
