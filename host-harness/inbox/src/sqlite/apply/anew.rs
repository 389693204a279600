//! Owns: in which conversation the word of a customer is, when the team had closed theirs: in the same one, or in one that is
//! begun anew.
//! Does not own: what another conversation takes over (`rows::continued`), opening the same one (`rows::organisation`).

use harness_contract::{Author, Event, EventBody, EventOrigin};
use rusqlite::{OptionalExtension as _, Transaction, params};

use super::place::EventPlace;
use crate::{
    error::InboxError,
    model::{AccountId, ChangeKind, ConversationId, WhenClosed},
    sqlite::rows::{changes::Owner, continued},
};

/// Whether an event is a word of a customer, which asks for an answer.
pub(crate) fn asks(event: &Event) -> bool {
    event.author == Author::Contact
        && event.origin == EventOrigin::Live
        && matches!(event.body, EventBody::Message(_) | EventBody::Comment(_))
}

/// The conversation that is begun by an event. `None`: it belongs where it is, because the team did not close that
/// conversation, or closed it after this was written, or keeps going on in it, or the same word is there.
pub(crate) fn begun_by(
    tx: &Transaction<'_>,
    (of, when_closed): (Owner, WhenClosed),
    conversation: ConversationId,
    event: &Event,
    (at, received_at): (i64, i64),
) -> Result<Option<ConversationId>, InboxError> {
    if when_closed == WhenClosed::Reopen || !asks(event) || !was_closed_before(tx, conversation, at)? {
        return Ok(None);
    }
    let known = match &event.body {
        EventBody::Message(message) => match &message.id {
            Some(id) => origin_of(tx, of.account, id)?.is_some(),
            None => false,
        },
        // An edit of a comment comes like the comment.
        EventBody::Comment(comment) => tx
            .prepare_cached(
                "SELECT 1 FROM activity
                 WHERE account_id = ?1 AND kind = 'comment' AND json_extract(body, '$.comment.id') = ?2",
            )?
            .exists(params![of.account, comment.id])?,
        _ => true,
    };
    if known {
        return Ok(None);
    }
    continued::begin_anew(tx, of, conversation, at.min(received_at)).map(Some)
}

/// Whether the team had closed a conversation before this time.
fn was_closed_before(tx: &Transaction<'_>, conversation: ConversationId, at: i64) -> Result<bool, InboxError> {
    Ok(tx
        .prepare_cached("SELECT 1 FROM conversation WHERE id = ?1 AND state = 'closed' AND closed_at < ?2")?
        .exists(params![conversation, at])?)
}

/// How the message with this platform id came, if it is here.
fn origin_of(tx: &Transaction<'_>, account: AccountId, id: &str) -> Result<Option<String>, InboxError> {
    Ok(tx
        .prepare_cached("SELECT origin FROM message WHERE account_id = ?1 AND platform_id = ?2")?
        .query_row(params![account, id], |row| row.get(0))
        .optional()?)
}

/// Whether an event brings a message that came live before, under the id of another event.
pub(crate) fn is_copy(tx: &Transaction<'_>, account: AccountId, event: &Event) -> Result<bool, InboxError> {
    let EventBody::Message(message) = &event.body else { return Ok(false) };
    let Some(id) = &message.id else { return Ok(false) };
    Ok(origin_of(tx, account, id)?.is_some_and(|origin| origin == EventOrigin::Live.name()))
}

/// Puts a message that was read from the history and came live after all where it would be had it come live first. Returns
/// the conversation to open, if the team had put it away.
pub(crate) fn place_of_late_word(
    tx: &Transaction<'_>,
    place: &EventPlace,
    when_closed: WhenClosed,
    (id, found_in): (&str, ConversationId),
) -> Result<ConversationId, InboxError> {
    let current = continued::current(tx, found_in)?;
    let begun = if when_closed == WhenClosed::New && was_closed_before(tx, current, place.at)? {
        continued::begin_anew(tx, place.owner(), current, place.at.min(place.received_at))?
    } else {
        current
    };
    if begun != found_in {
        tx.prepare_cached("UPDATE message SET conversation_id = ?3 WHERE account_id = ?1 AND platform_id = ?2")?
            .execute(params![place.account, id, begun])?;
        place.owner().note(tx, ChangeKind::ConversationUpdated, found_in)?;
    }
    Ok(begun)
}
