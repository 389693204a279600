//! Owns: the effect of one event on its account's conversations, applied exactly once.
//! Does not own: messages (`messages`), choosing the account (`batch`).

use harness_contract::{Event, EventBody, ThreadChange};
use rusqlite::{Transaction, params};

use super::{
    anew,
    cache::{BatchCache, KnownAccount},
    conversations, echoes,
    messages::{self, Stored},
    place::EventPlace,
};
use crate::{
    error::InboxError,
    model::{AccountId, ActivityId, ChangeKind, DeliveryId, TranslatedDelivery, WorkspaceId},
    sqlite::{
        columns::{as_millis, digest},
        rows::{
            self,
            changes::{Concerns, Owner},
        },
    },
};

/// Applies one event and writes its changes: at least one, if it is in a conversation. In the history, `behind` is the
/// message that precedes it in its delivery. Deliveries whose content is unsent by this event are added to
/// `known.emptied`.
pub(crate) fn apply_event(
    tx: &Transaction<'_>,
    of_account: &KnownAccount,
    delivery: &TranslatedDelivery,
    event: &Event,
    behind: Option<&str>,
    known: &mut BatchCache,
) -> Result<(), InboxError> {
    let KnownAccount { id: account, workspace, when_closed, .. } = *of_account;
    let received_at = delivery.received_at;
    let at = time_of(event, received_at);
    let received = as_millis(received_at);
    let of = Owner { account, workspace: Some(workspace), now: received_at };
    let mut conversation = known.conversation(tx, of, event, at.min(received))?;
    if let Some(closed) = conversation
        && let Some(begun) = anew::begun_by(tx, (of, when_closed), closed, event, (at, received))?
    {
        known.forget_conversations();
        conversation = Some(begun);
    }
    let place = EventPlace { account, workspace, conversation, at, received_at: received, delivery: delivery.id };
    if let Some(conversation) = conversation {
        conversations::note_action(tx, conversation, event, place)?;
    }
    match &event.body {
        EventBody::Message(message) => match messages::store(tx, &place, event, message, behind)? {
            Stored::New | Stored::Confirmed => {}
            Stored::EditedBefore | Stored::DeletedBefore => known.emptied.push(delivery.id),
        },
        EventBody::Reaction(reaction) => messages::react(tx, &place, event, reaction)?,
        EventBody::Edited(edited) => {
            known.emptied.extend(messages::edit(tx, &place, edited)?);
            place.note_message(tx, ChangeKind::MessageEdited, &edited.target)?;
        }
        EventBody::Deleted(deleted) => {
            let taken = rows::messages::delete(tx, of, &deleted.target, at)?;
            known.emptied.extend(taken.deliveries);
            if taken.messages == 0 {
                place.note_message(tx, ChangeKind::MessageDeleted, &deleted.target)?;
            }
        }
        EventBody::Seen(seen) => conversations::note_seen(tx, &place, seen)?,
        EventBody::DeliveryStatus(status) => echoes::note_status(tx, &place, status)?,
        EventBody::ThreadUpdate(change) => {
            let closed = match change {
                ThreadChange::Closed => Some(true),
                ThreadChange::Reopened => Some(false),
                _ => None,
            };
            if let (Some(conversation), Some(closed)) = (conversation, closed) {
                rows::threads::set_closed(tx, of, conversation, closed)?;
            }
            messages::note(tx, &place, event)?;
        }
        // A transient signal: nothing else to store. Its end is the message, or that some seconds pass.
        EventBody::Typing(true) => place.note(tx, ChangeKind::ConversationTyping, place.concerns())?,
        EventBody::Typing(false) => {}
        _ => messages::note(tx, &place, event)?,
    }
    Ok(())
}

/// Platform times further in the future than this, in milliseconds, are ignored.
const FUTURE_MS: u64 = 24 * 3600 * 1000;

/// The time of the event in milliseconds. A time far in the future would sort after everything to come, so the time of
/// receipt is used instead.
pub(crate) fn time_of(event: &Event, received_at: u64) -> i64 {
    as_millis(event.at.filter(|at| *at <= received_at.saturating_add(FUTURE_MS)).unwrap_or(received_at))
}

/// Whether the event is new. The unique key decides rather than a lookup, because two deliveries may contain the same
/// event at once.
pub(crate) fn is_new(
    tx: &Transaction<'_>,
    account: AccountId,
    event: &Event,
    delivery: DeliveryId,
) -> Result<bool, InboxError> {
    let inserted = tx
        .prepare_cached(
            "INSERT INTO event (account_id, event, delivery_id) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
        )?
        .execute(params![account, digest(&event.id), delivery])?;
    Ok(inserted > 0)
}

/// Notes that a second delivery contains the same event, so that both are emptied when it is unsent.
pub(crate) fn note_repeat(
    tx: &Transaction<'_>,
    account: AccountId,
    event: &Event,
    delivery: DeliveryId,
) -> Result<(), InboxError> {
    tx.prepare_cached(
        "INSERT INTO duplicate_delivery (first, again)
         SELECT delivery_id, ?3 FROM event WHERE account_id = ?1 AND event = ?2 AND delivery_id <> ?3
         ON CONFLICT DO NOTHING",
    )?
    .execute(params![account, digest(&event.id), delivery])?;
    // The event may already be unsent.
    tx.prepare_cached(
        "UPDATE delivery SET purge = 1 WHERE id = ?1 AND EXISTS
             (SELECT 1 FROM duplicate_delivery r JOIN delivery f ON f.id = r.first WHERE r.again = ?1 AND f.purge)",
    )?
    .execute(params![delivery])?;
    Ok(())
}

/// Stores an event without an id as an activity, so that people see it. It changes nothing else, because its repeats
/// could not be recognised. Returns whether it is new.
pub(crate) fn refuse(
    tx: &Transaction<'_>,
    (account, workspace): (AccountId, WorkspaceId),
    delivery: &TranslatedDelivery,
    nth: usize,
    event: &Event,
) -> Result<bool, InboxError> {
    let instead = Event { id: format!("\0{}/{nth}", delivery.id), ..event.clone() };
    if !is_new(tx, account, &instead, delivery.id)? {
        return Ok(false);
    }
    tracing::warn!(delivery = delivery.id.get(), kind = event.body.name(), "the channel gave an event no id");
    let received_at = as_millis(delivery.received_at);
    let body = serde_json::json!({
        "problem": "The channel gave this event no id, so it could not be told from its repetition. It changed nothing.",
        "event": event,
    });
    tx.prepare_cached(
        "INSERT INTO activity (account_id, at, origin, kind, body) VALUES (?1, ?2, ?3, 'refused_event', ?4)",
    )?
    .execute(params![account, received_at, event.origin.name(), body.to_string()])?;
    let activity = Some(ActivityId::new(tx.last_insert_rowid()));
    let place =
        EventPlace { account, workspace, conversation: None, at: received_at, received_at, delivery: delivery.id };
    place.note(tx, ChangeKind::ActivityCreated, Concerns { activity, ..place.concerns() })?;
    Ok(true)
}
