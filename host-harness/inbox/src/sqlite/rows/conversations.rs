//! Owns: contact and conversation rows: finding or creating them, marking them as read.
//! Does not own: the effects of events on them (`apply`).

use harness_contract::{Contact, Thread};
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use super::{
    changes::{Concerns, Owner, note},
    unread,
};
use crate::{
    error::InboxError,
    model::{AccountId, ChangeKind, ContactId, ConversationId, MessageId},
    sqlite::columns::as_millis,
};

/// The maximum size of a stored reply context, in bytes: `event.reply-context` of the contract.
pub(crate) const MAX_REPLY_CONTEXT: usize = 4096;

/// Fails where there is no such conversation.
pub(crate) fn must_exist(tx: &Transaction<'_>, conversation: ConversationId) -> Result<(), InboxError> {
    let mut statement = tx.prepare_cached("SELECT 1 FROM conversation WHERE id = ?1")?;
    statement.exists(params![conversation])?.then_some(()).ok_or_else(|| InboxError::no_conversation(conversation))
}

/// The account of a conversation; an error where there is no such conversation.
pub(crate) fn account_of(connection: &Connection, conversation: ConversationId) -> Result<AccountId, InboxError> {
    connection
        .prepare_cached("SELECT account_id FROM conversation WHERE id = ?1")?
        .query_row(params![conversation], |row| row.get(0))
        .optional()?
        .ok_or_else(|| InboxError::no_conversation(conversation))
}

/// Something happened in a conversation at this time.
pub(crate) fn touch(tx: &Transaction<'_>, conversation: ConversationId, at: u64) -> Result<(), InboxError> {
    tx.prepare_cached("UPDATE conversation SET last_at = max(last_at, ?2) WHERE id = ?1")?
        .execute(params![conversation, as_millis(at)])?;
    put_in_order(tx, conversation)
}

/// Puts a conversation where it belongs in the lists by label, after its `last_at` changed. Not a trigger: a statement that
/// has one copies the pages that it changes, to be able to undo it alone, and nearly every event changes this row.
pub(crate) fn put_in_order(tx: &Transaction<'_>, conversation: ConversationId) -> Result<(), InboxError> {
    tx.prepare_cached(
        "UPDATE OR FAIL conversation_label SET last_at = (SELECT last_at FROM conversation WHERE id = ?1)
         WHERE conversation_id = ?1",
    )?
    .execute(params![conversation])?;
    Ok(())
}

/// Finds the conversation by its unique key, or creates it. A lookup first is cheaper than an upsert with RETURNING,
/// for which SQLite builds a temporary table. It is safe because only one thread writes.
pub(crate) fn find_or_make(
    tx: &Transaction<'_>,
    of: Owner,
    contact: &Contact,
    key: &str,
    thread: Option<&Thread>,
    at: i64,
) -> Result<ConversationId, InboxError> {
    let contact_id = note_contact(tx, of, contact)?;
    let thread = thread.map(serde_json::to_string).transpose()?;
    let conversation = match of_key(tx, of.account, key)? {
        Some(conversation) => {
            if thread.is_some() {
                let changed = tx
                    .prepare_cached("UPDATE conversation SET thread = ?2 WHERE id = ?1 AND thread IS NOT ?2")?
                    .execute(params![conversation, thread])?;
                if changed > 0 {
                    of.note(tx, ChangeKind::ConversationUpdated, conversation)?;
                }
            }
            conversation
        }
        None => {
            tx.prepare_cached(
                "INSERT INTO conversation (account_id, contact_id, key, thread, last_at, workspace_id)
                 VALUES (?1, ?2, ?3, ?4, ?5, (SELECT workspace_id FROM account WHERE id = ?1))",
            )?
            .execute(params![of.account, contact_id, key, thread, at])?;
            let conversation = ConversationId::new(tx.last_insert_rowid());
            of.note(tx, ChangeKind::ConversationCreated, conversation)?;
            conversation
        }
    };
    Ok(conversation)
}

/// The conversation with this key.
pub(crate) fn of_key(
    tx: &Transaction<'_>,
    account: AccountId,
    key: &str,
) -> Result<Option<ConversationId>, InboxError> {
    Ok(tx
        .prepare_cached("SELECT id FROM conversation WHERE account_id = ?1 AND key = ?2")?
        .query_row(params![account, key], |row| row.get(0))
        .optional()?)
}

/// Finds or creates the contact, and stores the details given for it. A lookup first is cheaper: most messages come from
/// known contacts and tell nothing new of them.
pub(crate) fn note_contact(tx: &Transaction<'_>, of: Owner, contact: &Contact) -> Result<ContactId, InboxError> {
    let told = !contact.addresses.is_empty() || contact.language.is_some() || !contact.details.is_empty();
    let told = told.then(|| serde_json::to_string(contact)).transpose()?;
    let values = params![of.account, contact.id, contact.name, contact.username, told];
    let known: Option<(ContactId, bool)> = tx
        .prepare_cached(
            "SELECT id, coalesce(?3, name) IS name AND coalesce(?4, username) IS username AND coalesce(?5, told) IS told
             FROM contact WHERE account_id = ?1 AND platform_id = ?2",
        )?
        .query_row(values, |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    if let Some((contact, true)) = known {
        return Ok(contact);
    }
    let contact = if let Some((contact, _)) = known {
        tx.prepare_cached(
            "UPDATE contact SET name = coalesce(?3, name), username = coalesce(?4, username), told = coalesce(?5, told)
             WHERE account_id = ?1 AND platform_id = ?2",
        )?
        .execute(values)?;
        contact
    } else {
        tx.prepare_cached(
            "INSERT INTO contact (account_id, platform_id, name, username, told) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(values)?;
        ContactId::new(tx.last_insert_rowid())
    };
    of.note_contact(tx, contact)?;
    Ok(contact)
}

/// Marks everything in the conversation as read, after a person did so explicitly. Returns how many messages were
/// unread.
pub(crate) fn mark_read(tx: &Transaction<'_>, conversation: ConversationId, now: u64) -> Result<usize, InboxError> {
    let marked = unread::clear(tx, conversation, None)?;
    if marked > 0 {
        note(tx, ChangeKind::ConversationRead, Concerns::conversation(conversation), now)?;
    }
    Ok(marked)
}

/// Marks the newest message of the customer as unread. Returns whether there is one, and it was read.
pub(crate) fn mark_unread(tx: &Transaction<'_>, conversation: ConversationId, now: u64) -> Result<bool, InboxError> {
    let newest: Option<MessageId> = tx
        .prepare_cached(
            "SELECT id FROM message WHERE conversation_id = ?1 AND direction = 'inbound' AND deleted_at IS NULL
             ORDER BY at DESC, seq DESC, id DESC LIMIT 1",
        )?
        .query_row(params![conversation], |row| row.get(0))
        .optional()?;
    let marked = newest.map_or(Ok(false), |newest| unread::add(tx, conversation, newest))?;
    if marked {
        note(tx, ChangeKind::ConversationUpdated, Concerns::conversation(conversation), now)?;
    }
    Ok(marked)
}
