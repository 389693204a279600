//! Owns: an event's effect on its conversation's row: window openings, newest times, the customer's read position.
//! Does not own: messages.

use harness_contract::{Author, Contact, Event, EventBody, EventOrigin, Position};
use rusqlite::{Transaction, params};

use super::place::EventPlace;
use crate::{
    error::InboxError,
    model::ConversationId,
    sqlite::{
        columns::{as_millis, from_millis},
        rows::{conversations::MAX_REPLY_CONTEXT, organisation},
    },
};

/// Updates the conversation's row, its window and the context for the next reply. One statement, because nearly every
/// event changes the row.
pub(crate) fn note_action(
    tx: &Transaction<'_>,
    conversation: ConversationId,
    event: &Event,
    EventPlace { at, received_at, delivery, .. }: EventPlace,
) -> Result<(), InboxError> {
    if let Some(opener) = &event.opens {
        note_opening(tx, conversation, opener, at)?;
    }
    let context = event.reply_context.as_ref().filter(|context| context.len() <= MAX_REPLY_CONTEXT);
    let inbound = match (&event.author, &event.body) {
        (Author::Contact, EventBody::Message(message)) => Some(message),
        _ => None,
    };
    // Must run before the message is stored. In the history, the message read first is the newest: see `message.seq`.
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
    let asks = event.author == Author::Contact
        && event.origin == EventOrigin::Live
        && matches!(event.body, EventBody::Message(_) | EventBody::Comment(_));
    if asks { organisation::reopen(tx, conversation, from_millis(received_at)) } else { Ok(()) }
}

fn note_opening(tx: &Transaction<'_>, conversation: ConversationId, opener: &str, at: i64) -> Result<(), InboxError> {
    tx.prepare_cached(
        "INSERT INTO window_opening (conversation_id, opener, at) VALUES (?1, ?2, ?3)
         ON CONFLICT DO UPDATE SET at = max(at, ?3)",
    )?
    .execute(params![conversation, opener, at])?;
    Ok(())
}

pub(crate) fn note_seen(
    tx: &Transaction<'_>,
    conversation: Option<ConversationId>,
    seen: &Position,
    at: i64,
) -> Result<(), InboxError> {
    let (message, up_to) = match seen {
        Position::Message(id) => (Some(id), at),
        Position::Time(time) => (None, as_millis(*time)),
    };
    tx.prepare_cached(
        "UPDATE conversation SET seen_message = coalesce(?2, seen_message), seen_at = ?3
         WHERE id = ?1 AND coalesce(seen_at, 0) <= ?3",
    )?
    .execute(params![conversation, message, up_to])?;
    Ok(())
}

/// A stand-in contact for the author of a comment without an author id: one per user name, or per comment if the name
/// is missing too. Its id is also the key of the conversation. `None` for comments by the business, and for events that
/// cannot be answered.
pub(crate) fn writer_of(event: &Event) -> Option<Contact> {
    let EventBody::Comment(comment) = &event.body else { return None };
    if event.contact.is_some() || matches!(event.author, Author::Business(_)) {
        return None;
    }
    let id = match &comment.username {
        Some(username) => format!("u:username:{username}"),
        None => format!("u:comment:{}", comment.id),
    };
    Some(Contact {
        id,
        name: None,
        username: comment.username.clone(),
        addresses: Vec::new(),
        language: None,
        details: Vec::new(),
    })
}
