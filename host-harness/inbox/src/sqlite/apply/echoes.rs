//! Owns: our own messages as the platform reports them: an echo confirms its step, a later status changes its outcome.
//! Does not own: the response to the send request (`outbox`).

use std::collections::BTreeSet;

use harness_contract::{
    BusinessAuthor, Contact, DeliveryState, DeliveryStatus, Message, MessageRef, Position, SendResult,
};
use rusqlite::{OptionalExtension as _, Transaction, params};

use super::place::EventPlace;
use crate::{
    error::InboxError,
    model::{ChangeKind, ReplyId},
    sqlite::{
        columns::{as_millis, collect, from_millis},
        rows::{
            changes::note_reply,
            deliveries::note_carrier,
            messages::{adopt_platform_id, named_first},
            people, replies,
        },
    },
};

/// Confirms the step that an echo belongs to, whether the echo arrives before or after the response to the request.
pub(crate) fn confirm_own(
    tx: &Transaction<'_>,
    place: &EventPlace,
    (contact, author): (Option<&Contact>, &BusinessAuthor),
    message: &Message,
) -> Result<bool, InboxError> {
    let Some(id) = &message.id else { return Ok(false) };
    if named_first(tx, place.account, id)?.is_some() {
        // A further message of a part whose first one was named in the same response.
        note_carrier(tx, place.account, id, place.delivery)?;
        place.note_message(tx, ChangeKind::ConversationUpdated, id)?;
        return Ok(true);
    }
    let known = tx
        .prepare_cached(
            "SELECT reply_id, step FROM message WHERE account_id = ?1 AND platform_id = ?2 AND reply_id IS NOT NULL",
        )?
        .query_row(params![place.account, id], |row| Ok((row.get::<_, ReplyId>(0)?, row.get::<_, i64>(1)?)))
        .optional()?;
    let step = match (known, &author.correlation) {
        (Some(step), _) => Some(step),
        (None, Some(correlation)) => tx
            .prepare_cached(
                "SELECT step.reply_id, step.step FROM step JOIN reply ON reply.id = step.reply_id
                 WHERE step.correlation = ?2 AND reply.account_id = ?1",
            )?
            .query_row(params![place.account, correlation], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?,
        (None, None) => None,
    };
    let Some((reply, step)) = step else { return Ok(false) };
    let known: Option<String> = tx
        .prepare_cached(
            "SELECT platform_id FROM message WHERE reply_id = ?1 AND step = ?2
             ORDER BY platform_id = ?3 DESC, platform_id IS NOT NULL, step_part LIMIT 1",
        )?
        .query_row(params![reply, step, id], |row| row.get(0))
        .optional()?
        .flatten();
    if known.is_some_and(|known| known != *id) {
        // A second id for the same step means it was delivered twice, so both messages are shown.
        return Ok(false);
    }
    tx.prepare_cached("UPDATE message SET at = ?3 WHERE reply_id = ?1 AND step = ?2")?
        .execute(params![reply, step, place.at])?;
    note_carrier(tx, place.account, id, place.delivery)?;
    // Later parts stay after this one, including parts that the platform accepted but has not echoed yet.
    tx.prepare_cached("UPDATE message SET at = ?3 WHERE reply_id = ?1 AND step > ?2 AND at < ?3")?
        .execute(params![reply, step, place.at])?;
    let named = MessageRef { id: id.clone(), context: message.context.clone() };
    adopt_platform_id(tx, place.owner(), (reply, step), None, &named)?;
    // The platform shows the message, so it was accepted, whatever the response said.
    let receipt = replies::receipt(tx, (reply, step), id)?;
    tx.prepare_cached(
        "UPDATE step SET state = 'sent', finished_at = coalesce(finished_at, ?3), outcome = ?4
         WHERE reply_id = ?1 AND step = ?2 AND state <> 'sent'",
    )?
    .execute(params![reply, step, place.received_at, serde_json::to_string(&SendResult::Sent(receipt))?])?;
    let now = from_millis(place.received_at);
    replies::note_answered(tx, (reply, step), now)?;
    replies::close_finished(tx, reply)?;
    note_reply(tx, ChangeKind::ReplyUpdated, reply, now)?;
    if let Some(contact) = contact {
        let conversation = replies::conversation_of(tx, reply)?;
        people::name(tx, place.owner(), conversation, &contact.id)?;
    }
    Ok(true)
}

/// Applies a later status of one of our messages.
pub(crate) fn note_status(tx: &Transaction<'_>, place: &EventPlace, status: &DeliveryStatus) -> Result<(), InboxError> {
    let state = match status.state {
        DeliveryState::Failed => "rejected",
        DeliveryState::Sent | DeliveryState::Delivered => "sent",
        DeliveryState::Other => return place.note(tx, ChangeKind::ConversationUpdated, place.concerns()),
    };
    let outcome =
        status.failure.clone().map(|failure| serde_json::to_string(&SendResult::Rejected(failure))).transpose()?;
    let target = match &status.target {
        Position::Message(id) => &named_first(tx, place.account, id)?.unwrap_or_else(|| id.clone()),
        Position::Time(until) => return note_delivered(tx, place, *until, state),
    };
    let changed: Option<ReplyId> = tx
        .prepare_cached(
            "UPDATE step SET state = ?3, finished_at = ?4, outcome = coalesce(?5, outcome) FROM message
             WHERE message.account_id = ?1 AND message.platform_id = ?2
               AND step.reply_id = message.reply_id AND step.step = message.step AND step.state <> 'rejected'
             RETURNING step.reply_id",
        )?
        .query_row(params![place.account, target, state, place.received_at, outcome], |row| row.get(0))
        .optional()?;
    let Some(reply) = changed else {
        return place.note(tx, ChangeKind::ConversationUpdated, place.concerns());
    };
    replies::close_finished(tx, reply)?;
    note_reply(tx, ChangeKind::ReplyUpdated, reply, from_millis(place.received_at))
}

/// Applies a delivery report for all messages of the conversation up to a time: ambiguous ones among them were sent.
fn note_delivered(tx: &Transaction<'_>, place: &EventPlace, until: u64, state: &str) -> Result<(), InboxError> {
    if state != "sent" {
        // A failure is never reported for all messages up to a time.
        return place.note(tx, ChangeKind::ConversationUpdated, place.concerns());
    }
    let confirmed: Vec<ReplyId> = collect(
        tx,
        "UPDATE step SET state = 'sent', finished_at = ?3 FROM message
         WHERE message.conversation_id = ?1 AND message.at <= ?2
           AND step.reply_id = message.reply_id AND step.step = message.step AND step.state = 'ambiguous'
         RETURNING step.reply_id",
        params![place.conversation, as_millis(until), place.received_at],
        |row| row.get(0),
    )?;
    if confirmed.is_empty() {
        return place.note(tx, ChangeKind::ConversationUpdated, place.concerns());
    }
    confirmed.into_iter().collect::<BTreeSet<_>>().into_iter().try_for_each(|reply| {
        replies::close_finished(tx, reply)?;
        note_reply(tx, ChangeKind::ReplyUpdated, reply, from_millis(place.received_at))
    })
}
