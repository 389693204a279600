//! Owns: an event's effect on its conversation's row: window openings, newest times, the customer's read position.
//! Does not own: messages.

use harness_contract::{Author, Contact, Event, EventBody, EventOrigin, Position};
use rusqlite::{Transaction, params};

use super::{anew, place::EventPlace};
use crate::{
    error::InboxError,
    model::{ChangeKind, ConversationId},
    sqlite::{
        columns::{as_millis, collect, from_millis},
        rows::{
            changes::Concerns,
            conversations::{MAX_REPLY_CONTEXT, put_in_order},
            messages, organisation,
        },
    },
};

/// Updates the conversation's row, its window and the context for the next reply. One statement, because nearly every
/// event changes the row.
pub(crate) fn note_action(
    tx: &Transaction<'_>,
    conversation: ConversationId,
    event: &Event,
    EventPlace { account, at, received_at, delivery, .. }: EventPlace,
) -> Result<(), InboxError> {
    let context = event.reply_context.as_ref().filter(|context| context.len() <= MAX_REPLY_CONTEXT);
    let inbound = match (&event.author, &event.body) {
        (Author::Contact, EventBody::Message(message)) => Some(message),
        _ => None,
    };
    // Must run before the message is stored. In the history, the message read first is the newest: see `message.seq`.
    tx.prepare_cached(
        "UPDATE conversation SET last_at = max(last_at, ?8),
             -- The customer acted after the platform had refused: the estimate counts again.
             refused_at = CASE WHEN ?3 THEN NULL ELSE refused_at END,
             reply_context = coalesce(?4, reply_context),
             last_inbound = CASE WHEN ?5 AND (?2 > coalesce(last_inbound_at, 0) OR (?2 = last_inbound_at AND (?7 OR EXISTS (
                                     SELECT 1 FROM message m WHERE m.conversation_id = ?1
                                       AND m.platform_id = conversation.last_inbound AND m.delivery_id = ?9))))
                                 THEN coalesce(?6, last_inbound) ELSE last_inbound END,
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
        event.origin != EventOrigin::History,
        at.min(received_at),
        delivery
    ])?;
    put_in_order(tx, conversation)?;
    if let Some(opener) = &event.opens {
        note_opening(tx, conversation, opener, at)?;
    }
    if anew::asks(event) && organisation::is_put_away(tx, conversation)? && !anew::is_copy(tx, account, event)? {
        organisation::reopen(tx, conversation, from_millis(received_at))?;
    }
    Ok(())
}

fn note_opening(tx: &Transaction<'_>, conversation: ConversationId, opener: &str, at: i64) -> Result<(), InboxError> {
    // Nearly always it is there. An upsert would need copies of its pages, as above.
    let there = tx
        .prepare_cached(
            "UPDATE OR FAIL window_opening SET at = max(at, ?3) WHERE conversation_id = ?1 AND opener = ?2",
        )?
        .execute(params![conversation, opener, at])?;
    if there == 0 {
        tx.prepare_cached("INSERT INTO window_opening (conversation_id, opener, at) VALUES (?1, ?2, ?3)")?
            .execute(params![conversation, opener, at])?;
    }
    Ok(())
}

/// Records how far the customer has read. Who reads in a thread has read what was written in it before, so conversations that
/// went on in this one are read, too.
pub(crate) fn note_seen(tx: &Transaction<'_>, place: &EventPlace, seen: &Position) -> Result<(), InboxError> {
    let (message, up_to) = match seen {
        Position::Message(id) => (Some(id), place.at),
        Position::Time(time) => (None, as_millis(*time)),
    };
    let continues =
        tx.prepare_cached("SELECT 1 FROM conversation WHERE continued_in = ?1")?.exists(params![place.conversation])?;
    let of_message = match message.filter(|_| continues) {
        Some(id) => messages::by_platform_id(tx, place.account, id)?,
        None => None,
    };
    // A message of an earlier conversation says nothing of this one.
    let conversation = of_message.map(|(_, conversation)| conversation).or(place.conversation);
    tx.prepare_cached(
        "UPDATE conversation SET seen_message = coalesce(?2, seen_message), seen_at = ?3
         WHERE id = ?1 AND coalesce(seen_at, 0) <= ?3",
    )?
    .execute(params![conversation, message, up_to])?;
    place.note(tx, ChangeKind::ConversationSeen, Concerns { conversation, ..place.concerns() })?;
    if !continues || conversation != place.conversation {
        return Ok(());
    }
    let earlier: Vec<ConversationId> = collect(
        tx,
        "UPDATE conversation SET seen_at = ?2, seen_message = coalesce(
             (SELECT m.platform_id FROM message m WHERE m.conversation_id = conversation.id AND m.direction = 'outbound'
                AND m.platform_id IS NOT NULL AND m.at <= ?2 ORDER BY m.at DESC, m.seq DESC, m.id DESC LIMIT 1), seen_message)
         WHERE continued_in = ?1 AND EXISTS (
             SELECT 1 FROM message m WHERE m.conversation_id = conversation.id AND m.direction = 'outbound'
               AND m.at <= ?2 AND m.at > coalesce(conversation.seen_at, 0))
         RETURNING id",
        params![place.conversation, up_to],
        |row| row.get(0),
    )?;
    earlier.into_iter().try_for_each(|one| {
        place.note(tx, ChangeKind::ConversationSeen, Concerns { conversation: Some(one), ..place.concerns() })
    })
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
