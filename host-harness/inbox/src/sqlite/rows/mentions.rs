//! Owns: whom a private note mentions, and that they have seen it.
//! Does not own: what counts as a mention (`model::mention`), the notes (`organisation`).

use std::collections::BTreeSet;

use rusqlite::{Transaction, params};

use super::changes::{Concerns, note};
use crate::{
    error::InboxError,
    model::{ChangeKind, ConversationId, NoteId, UserId, named_in},
    sqlite::columns::{as_millis, collect},
};

/// Writes down whom a note's text mentions: people of the conversation's workspace who may still sign in, and never its
/// author. Whoever is not mentioned any more, because the text changed, is forgotten.
pub(crate) fn mention(
    tx: &Transaction<'_>,
    (conversation, id): (ConversationId, NoteId),
    author: Option<UserId>,
    text: &str,
    now: u64,
) -> Result<(), InboxError> {
    let before: BTreeSet<UserId> =
        collect(tx, "SELECT user_id FROM mention WHERE note_id = ?1", params![id], |row| row.get(0))?
            .into_iter()
            .collect();
    if before.is_empty() && !text.contains('@') {
        return Ok(());
    }
    let people: Vec<(UserId, String)> = collect(
        tx,
        "SELECT u.id, u.name FROM user u JOIN conversation c ON c.workspace_id = u.workspace_id
         WHERE c.id = ?1 AND u.disabled_at IS NULL AND u.id IS NOT ?2",
        params![conversation, author],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let named = named_in(text, &people);
    let after: BTreeSet<UserId> = named.into_iter().flat_map(|(_, all)| all).map(|(user, _)| *user).collect();
    for user in before.difference(&after) {
        tx.prepare_cached("DELETE FROM mention WHERE user_id = ?1 AND note_id = ?2")?.execute(params![user, id])?;
    }
    for user in after.difference(&before) {
        tx.prepare_cached("INSERT INTO mention (user_id, note_id) VALUES (?1, ?2)")?.execute(params![user, id])?;
        note_user(tx, ChangeKind::MentionCreated, (conversation, *user), now)?;
    }
    Ok(())
}

/// A user has looked at a conversation.
pub(crate) fn see(
    tx: &Transaction<'_>,
    user: UserId,
    conversation: ConversationId,
    now: u64,
) -> Result<bool, InboxError> {
    let seen = tx
        .prepare_cached(
            "UPDATE mention SET seen_at = ?3 WHERE user_id = ?1 AND seen_at IS NULL
                 AND note_id IN (SELECT id FROM note WHERE conversation_id = ?2)",
        )?
        .execute(params![user, conversation, as_millis(now)])?;
    if seen > 0 {
        note_user(tx, ChangeKind::MentionSeen, (conversation, user), now)?;
    }
    Ok(seen > 0)
}

fn note_user(
    tx: &Transaction<'_>,
    kind: ChangeKind,
    (conversation, user): (ConversationId, UserId),
    now: u64,
) -> Result<(), InboxError> {
    note(tx, kind, Concerns { object: Some(user.get()), ..Concerns::conversation(conversation) }, now)
}
