//! Owns: contacts without a platform id: people who commented in public and are answered in private. Once the platform
//! gives the id, their conversations are joined.
//! Does not own: the definition of a comment, who may be written to.

use harness_contract::{Contact, Thread};
use rusqlite::{OptionalExtension as _, Transaction, params};

use super::{changes::Owner, continued, conversations};
use crate::{
    error::InboxError,
    model::{ChangeKind, ContactId, ConversationId},
};

/// Finds or creates the conversation with the stand-in contact that [`writer_of`] returns.
pub(crate) fn find_or_make(
    tx: &Transaction<'_>,
    of: Owner,
    writer: &Contact,
    at: i64,
) -> Result<ConversationId, InboxError> {
    stand_in(tx, of, writer, &writer.id, None, at)
}

/// Finds or creates the conversation with a stand-in contact, for a person without an id or for no particular person.
pub(crate) fn stand_in(
    tx: &Transaction<'_>,
    of: Owner,
    contact: &Contact,
    key: &str,
    thread: Option<&Thread>,
    at: i64,
) -> Result<ConversationId, InboxError> {
    let conversation = conversations::find_or_make(tx, of, contact, key, thread, at)?;
    tx.prepare_cached(
        "UPDATE contact SET unnamed = 1
         WHERE id = (SELECT contact_id FROM conversation WHERE id = ?1) AND unnamed = 0",
    )?
    .execute(params![conversation])?;
    Ok(conversation)
}

/// Applies the platform's id for the person in a conversation: it becomes that person's conversation, or is merged into
/// the one they already have. Does nothing if the person was already known.
pub(crate) fn name(
    tx: &Transaction<'_>,
    of: Owner,
    conversation: ConversationId,
    contact: &str,
) -> Result<(), InboxError> {
    let unnamed: Option<ContactId> = tx
        .prepare_cached(
            "SELECT k.id FROM conversation c JOIN contact k ON k.id = c.contact_id
             WHERE c.id = ?1 AND k.unnamed = 1 AND c.thread IS NULL",
        )?
        .query_row(params![conversation], |row| row.get(0))
        .optional()?;
    let Some(unnamed) = unnamed.filter(|_| !contact.is_empty()) else { return Ok(()) };
    // An answer to a comment that was made before the conversation was begun anew.
    let conversation = continued::current(tx, conversation)?;
    let known: Option<ContactId> = tx
        .prepare_cached("SELECT id FROM contact WHERE account_id = ?1 AND platform_id = ?2")?
        .query_row(params![of.account, contact], |row| row.get(0))
        .optional()?;
    let Some(known) = known else {
        // `profile_at` is 0, so the profile is fetched in the next pass.
        tx.prepare_cached("UPDATE contact SET platform_id = ?2, unnamed = 0 WHERE id = ?1")?
            .execute(params![unnamed, contact])?;
        return rekey(tx, of, conversation, (unnamed, contact));
    };
    tx.prepare_cached(
        "UPDATE contact SET username = coalesce(username, (SELECT username FROM contact WHERE id = ?2)) WHERE id = ?1",
    )?
    .execute(params![known, unnamed])?;
    let theirs: Option<ConversationId> = tx
        .prepare_cached("SELECT id FROM conversation WHERE account_id = ?1 AND key = 'c:' || ?2")?
        .query_row(params![of.account, contact], |row| row.get(0))
        .optional()?;
    match theirs {
        Some(theirs) => go_on_in(tx, of, conversation, theirs)?,
        None => rekey(tx, of, conversation, (known, contact))?,
    }
    let earlier = tx
        .prepare_cached("UPDATE conversation SET contact_id = ?2 WHERE contact_id = ?1")?
        .execute(params![unnamed, known])?;
    tx.prepare_cached("DELETE FROM contact WHERE id = ?1")?.execute(params![unnamed])?;
    if earlier > 0 { of.note_contact(tx, known) } else { Ok(()) }
}

fn rekey(
    tx: &Transaction<'_>,
    of: Owner,
    conversation: ConversationId,
    (contact, platform_id): (ContactId, &str),
) -> Result<(), InboxError> {
    tx.prepare_cached("UPDATE conversation SET key = 'c:' || ?3, contact_id = ?2 WHERE id = ?1")?.execute(params![
        conversation,
        contact,
        platform_id
    ])?;
    of.note(tx, ChangeKind::ConversationUpdated, conversation)?;
    of.note_contact(tx, contact)
}

/// Moves a contact's data from its previous id to its new one, as given by `contact`.
pub(crate) fn renamed(
    tx: &Transaction<'_>,
    of: Owner,
    previous: &str,
    contact: &Contact,
    at: i64,
) -> Result<(), InboxError> {
    let known: Option<ContactId> = tx
        .prepare_cached("SELECT id FROM contact WHERE account_id = ?1 AND platform_id = ?2")?
        .query_row(params![of.account, previous], |row| row.get(0))
        .optional()?;
    let Some(known) = known.filter(|_| previous != contact.id) else { return Ok(()) };
    let now = conversations::note_contact(tx, of, contact)?;
    let theirs = conversations::of_key(tx, of.account, &format!("c:{previous}"))?;
    if let Some(theirs) = theirs {
        let new = conversations::find_or_make(tx, of, contact, &format!("c:{}", contact.id), None, at)?;
        go_on_in(tx, of, theirs, new)?;
    }
    for sql in [
        "UPDATE conversation SET contact_id = ?2 WHERE contact_id = ?1",
        "UPDATE message SET contact_id = ?2 WHERE contact_id = ?1",
        "UPDATE contact SET name = coalesce(name, (SELECT name FROM contact WHERE id = ?1)),
             username = coalesce(username, (SELECT username FROM contact WHERE id = ?1)) WHERE id = ?2",
    ] {
        tx.prepare_cached(sql)?.execute(params![known, now])?;
    }
    tx.prepare_cached("DELETE FROM contact WHERE id = ?1")?.execute(params![known])?;
    of.note_contact(tx, now)
}

/// Moves the content of one conversation into another and deletes the first. Both are going on.
pub(crate) fn go_on_in(
    tx: &Transaction<'_>,
    of: Owner,
    from: ConversationId,
    to: ConversationId,
) -> Result<(), InboxError> {
    continued::go_on_elsewhere(tx, of, from, to)?;
    for sql in [
        "UPDATE message SET conversation_id = ?2 WHERE conversation_id = ?1",
        "UPDATE activity SET conversation_id = ?2 WHERE conversation_id = ?1",
        "UPDATE reply SET conversation_id = ?2 WHERE conversation_id = ?1",
        "UPDATE edit SET conversation_id = ?2 WHERE conversation_id = ?1",
        "UPDATE OR REPLACE pause SET whose = CAST(?2 AS TEXT) WHERE scope = 'conversation' AND whose = CAST(?1 AS TEXT)",
        "INSERT INTO window_opening (conversation_id, opener, at)
             SELECT ?2, opener, at FROM window_opening WHERE conversation_id = ?1
             ON CONFLICT DO UPDATE SET at = max(at, excluded.at)",
        // What the team made of the first holds for the second where that has nothing of its own.
        "UPDATE note SET conversation_id = ?2 WHERE conversation_id = ?1",
        "UPDATE conversation SET last_at = max(last_at, first.at),
             assignee_id = coalesce(assignee_id, first.assignee), collection_id = coalesce(collection_id, first.collection),
             state = iif(first.was = 'open', 'open', state),
             snoozed_until = iif(first.was = 'open', NULL, snoozed_until),
             closed_at = iif(first.was = 'open', NULL, closed_at)
         FROM (SELECT last_at AS at, assignee_id AS assignee, collection_id AS collection, state AS was
               FROM conversation WHERE id = ?1) first
         WHERE id = ?2",
        "INSERT INTO conversation_label (conversation_id, label_id, state, last_at)
             SELECT c.id, l.label_id, c.state, c.last_at FROM conversation_label l JOIN conversation c ON c.id = ?2
             WHERE l.conversation_id = ?1 ON CONFLICT DO NOTHING",
    ] {
        tx.prepare_cached(sql)?.execute(params![from, to])?;
    }
    conversations::put_in_order(tx, to)?;
    tx.prepare_cached("DELETE FROM window_opening WHERE conversation_id = ?1")?.execute(params![from])?;
    tx.prepare_cached("DELETE FROM conversation WHERE id = ?1")?.execute(params![from])?;
    of.note(tx, ChangeKind::ConversationDeleted, from)?;
    of.note(tx, ChangeKind::ConversationUpdated, to)
}
