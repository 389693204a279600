//! Owns: contact and conversation rows: finding or creating them, marking them as read.
//! Does not own: the effects of events on them (`apply`).

use harness_contract::{Contact, Thread};
use rusqlite::{OptionalExtension as _, Transaction, params};

use crate::{
    error::InboxError,
    model::{AccountId, ContactId, ConversationId},
};

/// The maximum size of a stored reply context, in bytes: `event.reply-context` of the contract.
pub(crate) const MAX_REPLY_CONTEXT: usize = 4096;

/// Finds the conversation by its unique key, or creates it. A lookup first is cheaper than an upsert with RETURNING,
/// for which SQLite builds a temporary table. It is safe because only one thread writes.
pub(crate) fn find_or_make(
    tx: &Transaction<'_>,
    account: AccountId,
    contact: &Contact,
    key: &str,
    thread: Option<&Thread>,
    at: i64,
) -> Result<ConversationId, InboxError> {
    let contact_id = note_contact(tx, account, contact)?;
    let thread = thread.map(serde_json::to_string).transpose()?;
    let conversation = match of_key(tx, account, key)? {
        Some(conversation) => {
            if thread.is_some() {
                tx.prepare_cached("UPDATE conversation SET thread = ?2 WHERE id = ?1")?
                    .execute(params![conversation, thread])?;
            }
            conversation
        }
        None => {
            tx.prepare_cached(
                "INSERT INTO conversation (account_id, contact_id, key, thread, last_at, workspace_id)
                 VALUES (?1, ?2, ?3, ?4, ?5, (SELECT workspace_id FROM account WHERE id = ?1))",
            )?
            .execute(params![account, contact_id, key, thread, at])?;
            ConversationId::new(tx.last_insert_rowid())
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

/// Finds or creates the contact, and stores the details given for it.
pub(crate) fn note_contact(
    tx: &Transaction<'_>,
    account: AccountId,
    contact: &Contact,
) -> Result<ContactId, InboxError> {
    let told = !contact.addresses.is_empty() || contact.language.is_some() || !contact.details.is_empty();
    // With nothing to write, a lookup is cheaper, and most messages come from known contacts.
    if contact.name.is_none()
        && contact.username.is_none()
        && !told
        && let Some(known) = known_contact(tx, account, &contact.id)?
    {
        return Ok(known);
    }
    let told = told.then(|| serde_json::to_string(contact)).transpose()?;
    Ok(tx
        .prepare_cached(
            "INSERT INTO contact (account_id, platform_id, name, username, told) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (account_id, platform_id) DO UPDATE
             SET name = coalesce(?3, name), username = coalesce(?4, username), told = coalesce(?5, told) RETURNING id",
        )?
        .query_row(params![account, contact.id, contact.name, contact.username, told], |row| row.get(0))?)
}

fn known_contact(tx: &Transaction<'_>, account: AccountId, id: &str) -> Result<Option<ContactId>, InboxError> {
    Ok(tx
        .prepare_cached("SELECT id FROM contact WHERE account_id = ?1 AND platform_id = ?2")?
        .query_row(params![account, id], |row| row.get(0))
        .optional()?)
}

/// Marks everything in the conversation as read, after a person answered or did so explicitly. Returns how many
/// messages were unread.
pub(crate) fn mark_read(tx: &Transaction<'_>, conversation: ConversationId) -> Result<usize, InboxError> {
    Ok(tx
        .prepare_cached("UPDATE message SET unread = 0 WHERE conversation_id = ?1 AND unread = 1")?
        .execute(params![conversation])?)
}
