//! The rows of contacts and conversations as events change them. Belongs here: finding or making them, the window's
//! openings, what is unread, how far the customer has read. Reading them: `read.rs`.

use harness_contract::{Author, Contact, Event, EventBody, EventOrigin, Seen, Thread, WindowOpener};
use rusqlite::{OptionalExtension as _, Transaction, params};

use crate::{Inbox, InboxError, Update, journal::as_millis, messages::Place};

/// The longest reply context that is kept, in bytes: `event.reply-context` of the contract.
pub(crate) const MAX_REPLY_CONTEXT: usize = 4096;

/// Finds or makes the conversation, under its unique key. Looking first is cheaper than an upsert that returns
/// the row, for which SQLite makes a table; only one thread writes.
pub(crate) fn find_or_make(
    tx: &Transaction<'_>,
    account: i64,
    contact: &Contact,
    key: &str,
    thread: Option<&Thread>,
    at: i64,
) -> Result<i64, InboxError> {
    let nameless = contact.name.is_none() && contact.username.is_none();
    let found = if nameless { known_contact(tx, account, &contact.id)? } else { None };
    let contact_id = match found {
        // Nothing to write: looking is cheaper, and most messages come from people who are known.
        Some(id) => id,
        None => tx
            .prepare_cached(
                "INSERT INTO contact (account_id, platform_id, name, username) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (account_id, platform_id)
                 DO UPDATE SET name = coalesce(?3, name), username = coalesce(?4, username) RETURNING id",
            )?
            .query_row(params![account, contact.id, contact.name, contact.username], |row| row.get(0))?,
    };
    let thread = thread.map(serde_json::to_string).transpose()?;
    let found: Option<i64> = tx
        .prepare_cached("SELECT id FROM conversation WHERE account_id = ?1 AND key = ?2")?
        .query_row(params![account, key], |row| row.get(0))
        .optional()?;
    let conversation = match found {
        Some(conversation) => {
            if thread.is_some() {
                tx.prepare_cached("UPDATE conversation SET thread = ?2 WHERE id = ?1")?
                    .execute(params![conversation, thread])?;
            }
            conversation
        }
        None => {
            tx.prepare_cached(
                "INSERT INTO conversation (account_id, contact_id, key, thread, last_at) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![account, contact_id, key, thread, at])?;
            tx.last_insert_rowid()
        }
    };
    Ok(conversation)
}

fn known_contact(tx: &Transaction<'_>, account: i64, id: &str) -> Result<Option<i64>, InboxError> {
    Ok(tx
        .prepare_cached("SELECT id FROM contact WHERE account_id = ?1 AND platform_id = ?2")?
        .query_row(params![account, id], |row| row.get(0))
        .optional()?)
}

/// What the event does to the conversation's row and its window, and to what an answer will need. One statement, since nearly every event changes the row.
pub(crate) fn note_action(
    tx: &Transaction<'_>,
    conversation: i64,
    event: &Event,
    Place { at, received_at, delivery, .. }: Place,
) -> Result<(), InboxError> {
    if let Some(opener) = event.opens {
        note_opening(tx, conversation, opener, at)?;
    }
    let context = event.reply_context.as_ref().filter(|context| context.len() <= MAX_REPLY_CONTEXT);
    let inbound = match (&event.author, &event.body) {
        (Author::Contact, EventBody::Message(message)) => Some(message),
        _ => None,
    };
    // Asked for before the message is stored. Of the past, what came first is the newest: see `message.seq`.
    let newest = inbound.is_some()
        && tx
            .prepare_cached(
                "SELECT ?2 > coalesce(last_inbound_at, 0) OR (?2 = last_inbound_at AND (?3 OR EXISTS (
                     SELECT 1 FROM message m WHERE m.conversation_id = ?1 AND m.platform_id = conversation.last_inbound
                       AND m.delivery_id = ?4)))
                 FROM conversation WHERE id = ?1",
            )?
            .query_row(params![conversation, at, event.origin != EventOrigin::History, delivery], |row| row.get(0))?;
    tx.prepare_cached(
        "UPDATE conversation SET last_at = max(last_at, ?8),
             -- The customer acted after the platform had refused: the estimate counts again.
             refused_at = CASE WHEN ?3 THEN NULL ELSE refused_at END,
             reply_context = coalesce(?4, reply_context),
             last_inbound = CASE WHEN ?5 AND ?7 THEN coalesce(?6, last_inbound)
                                 ELSE last_inbound END,
             last_inbound_at = CASE WHEN ?5 THEN max(coalesce(last_inbound_at, 0), ?2) ELSE last_inbound_at END
         WHERE id = ?1",
    )?
    .execute(params![
        conversation,
        at,
        event.opens.is_some(),
        context,
        inbound.is_some(),
        inbound.and_then(|message| message.id.as_ref()),
        newest,
        at.min(received_at)
    ])?;
    Ok(())
}

fn note_opening(tx: &Transaction<'_>, conversation: i64, opener: WindowOpener, at: i64) -> Result<(), InboxError> {
    tx.prepare_cached(
        "INSERT INTO opening (conversation_id, opener, at) VALUES (?1, ?2, ?3)
         ON CONFLICT DO UPDATE SET at = max(at, ?3)",
    )?
    .execute(params![conversation, opener.name(), at])?;
    Ok(())
}

pub(crate) fn note_seen(
    tx: &Transaction<'_>,
    conversation: Option<i64>,
    seen: &Seen,
    at: i64,
) -> Result<(), InboxError> {
    let (message, up_to) = match seen {
        Seen::Message(id) => (Some(id), at),
        Seen::Time(time) => (None, as_millis(*time)),
    };
    tx.prepare_cached(
        "UPDATE conversation SET seen_message = coalesce(?2, seen_message), seen_at = ?3
         WHERE id = ?1 AND coalesce(seen_at, 0) <= ?3",
    )?
    .execute(params![conversation, message, up_to])?;
    Ok(())
}

/// Everything that is there now counts as read: a person answered, or says so. Returns how many messages were unread.
pub(crate) fn mark_read(tx: &Transaction<'_>, conversation: i64) -> Result<usize, InboxError> {
    Ok(tx
        .prepare_cached("UPDATE message SET unread = 0 WHERE conversation_id = ?1 AND unread = 1")?
        .execute(params![conversation])?)
}

impl Inbox {
    /// Marks a conversation as read, which the customer is not told. Returns how many messages were unread.
    pub async fn mark_read(&self, conversation: i64) -> Result<usize, InboxError> {
        let marked = self
            .writer
            .write(move |tx| {
                if !tx.prepare_cached("SELECT 1 FROM conversation WHERE id = ?1")?.exists(params![conversation])? {
                    return Err(InboxError::NotFound { what: "conversation", id: conversation.to_string() });
                }
                mark_read(tx, conversation)
            })
            .await?;
        if marked > 0 {
            self.announce([Update::Conversation { conversation, kind: "read" }]);
        }
        Ok(marked)
    }
}
