//! Messages and what happens to them later. Reactions, edits and deletions are kept by the message's
//! platform id, so that they wait for a message that has not arrived. Belongs here: that, and echoes.

use harness_contract::{
    Author, BusinessAuthor, DeliveryState, DeliveryStatus, Edited, Event, Message, Reaction, ReactionAction,
};
use rusqlite::{OptionalExtension as _, Transaction, params};

use crate::InboxError;

/// Where and when an event happened.
pub(crate) struct Place {
    pub(crate) account: i64,
    pub(crate) conversation: Option<i64>,
    pub(crate) at: i64,
    pub(crate) received_at: i64,
}

/// Stores a message, or recognises it as the echo of one that was sent from here.
pub(crate) fn store(tx: &Transaction<'_>, place: &Place, event: &Event, message: &Message) -> Result<(), InboxError> {
    let outbound = matches!(event.author, Author::Business(_));
    if let Author::Business(author) = &event.author
        && confirm_own(tx, place, author, message)?
    {
        return Ok(());
    }
    let Some(conversation) = place.conversation else { return note_lonely(tx, place, event) };
    let deleted_at: Option<i64> = match &message.id {
        Some(id) => tx
            .prepare_cached("SELECT at FROM deletion WHERE account_id = ?1 AND target = ?2")?
            .query_row(params![place.account, id], |row| row.get(0))
            .optional()?,
        None => None,
    };
    let keep = deleted_at.is_none();
    let anomalies = (!event.anomalies.is_empty()).then(|| serde_json::to_string(&event.anomalies)).transpose()?;
    tx.prepare_cached(
        "INSERT INTO message (account_id, conversation_id, platform_id, direction, author, at, received_at, origin,
             late, text, body, anomalies, native, deleted_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8,
             EXISTS (SELECT 1 FROM message WHERE conversation_id = ?2 AND at > ?6), ?9, ?10, ?11, ?12, ?13)
         ON CONFLICT (account_id, platform_id) WHERE platform_id IS NOT NULL DO NOTHING",
    )?
    .execute(params![
        place.account,
        conversation,
        message.id,
        if outbound { "outbound" } else { "inbound" },
        serde_json::to_string(&event.author)?,
        place.at,
        place.received_at,
        event.origin.name(),
        message.text.as_deref().filter(|_| keep),
        keep.then(|| serde_json::to_string(message)).transpose()?,
        anomalies,
        event.native.as_deref().filter(|_| keep),
        deleted_at
    ])?;
    if let Some(id) = &message.id {
        apply_waiting_edit(tx, place.account, id)?;
    }
    Ok(())
}

/// An echo of our own step confirms it, before or after the platform's answer to the request.
fn confirm_own(
    tx: &Transaction<'_>,
    place: &Place,
    author: &BusinessAuthor,
    message: &Message,
) -> Result<bool, InboxError> {
    let Some(id) = &message.id else { return Ok(false) };
    let known = tx
        .prepare_cached(
            "SELECT reply_id, step FROM message WHERE account_id = ?1 AND platform_id = ?2 AND reply_id IS NOT NULL",
        )?
        .query_row(params![place.account, id], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))
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
    tx.prepare_cached(
        "UPDATE message SET platform_id = coalesce(platform_id, ?3), at = ?4 WHERE reply_id = ?1 AND step = ?2",
    )?
    .execute(params![reply, step, id, place.at])?;
    // The platform shows the message, so it was accepted: this settles an unknown outcome.
    tx.prepare_cached(
        "UPDATE step SET state = 'sent', finished_at = coalesce(finished_at, ?3)
         WHERE reply_id = ?1 AND step = ?2 AND state IN ('queued', 'sending', 'unknown')",
    )?
    .execute(params![reply, step, place.received_at])?;
    Ok(true)
}

/// A message without a contact has no conversation; it is kept where people look for oddities.
fn note_lonely(tx: &Transaction<'_>, place: &Place, event: &Event) -> Result<(), InboxError> {
    tx.prepare_cached(
        "INSERT INTO notice (account_id, conversation_id, at, origin, kind, body, native)
         VALUES (?1, NULL, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        place.account,
        place.at,
        event.origin.name(),
        event.body.name(),
        serde_json::to_string(&event.body)?,
        event.native
    ])?;
    Ok(())
}

/// Keeps the newest word on a reaction; a removal stays known, so that a late "added" does not undo it.
pub(crate) fn react(tx: &Transaction<'_>, place: &Place, event: &Event, reaction: &Reaction) -> Result<(), InboxError> {
    let actor = match (&event.author, &event.contact) {
        (Author::Contact, Some(contact)) => contact.id.as_str(),
        _ => "business",
    };
    tx.prepare_cached(
        "INSERT INTO reaction (account_id, target, actor, emoji, name, removed, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT DO UPDATE SET emoji = ?4, name = ?5, removed = ?6, at = ?7 WHERE ?7 >= at",
    )?
    .execute(params![
        place.account,
        reaction.target,
        actor,
        reaction.emoji,
        reaction.name,
        reaction.action == ReactionAction::Removed,
        place.at
    ])?;
    Ok(())
}

/// Keeps the newest edit. One that does not say what the text became changes nothing.
pub(crate) fn edit(tx: &Transaction<'_>, place: &Place, edited: &Edited) -> Result<(), InboxError> {
    let Some(text) = &edited.text else { return Ok(()) };
    tx.prepare_cached(
        "INSERT INTO edit (account_id, target, revision, at, text) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO UPDATE SET revision = ?3, at = ?4, text = ?5 WHERE (?3, ?4) >= (revision, at)",
    )?
    .execute(params![place.account, edited.target, edited.revision.unwrap_or(0), place.at, text])?;
    apply_waiting_edit(tx, place.account, &edited.target)
}

fn apply_waiting_edit(tx: &Transaction<'_>, account: i64, target: &str) -> Result<(), InboxError> {
    tx.prepare_cached(
        "UPDATE message SET text = edit.text, revision = edit.revision FROM edit
         WHERE edit.account_id = ?1 AND edit.target = ?2
           AND message.account_id = ?1 AND message.platform_id = ?2 AND message.deleted_at IS NULL",
    )?
    .execute(params![account, target])?;
    Ok(())
}

/// Purges what was said and keeps that something was. Remembered for a message that arrives later.
pub(crate) fn delete(tx: &Transaction<'_>, account: i64, target: &str, at: i64) -> Result<(), InboxError> {
    tx.prepare_cached("INSERT INTO deletion (account_id, target, at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING")?
        .execute(params![account, target, at])?;
    tx.prepare_cached(
        "UPDATE message SET text = NULL, body = NULL, part = NULL, native = NULL, deleted_at = ?3
         WHERE account_id = ?1 AND platform_id = ?2 AND deleted_at IS NULL",
    )?
    .execute(params![account, target, at])?;
    tx.prepare_cached("DELETE FROM edit WHERE account_id = ?1 AND target = ?2")?.execute(params![account, target])?;
    Ok(())
}

/// What the platform reports later about a message of ours.
pub(crate) fn note_status(tx: &Transaction<'_>, place: &Place, status: &DeliveryStatus) -> Result<(), InboxError> {
    let state = match status.state {
        DeliveryState::Failed => "rejected",
        DeliveryState::Sent | DeliveryState::Delivered => "sent",
        DeliveryState::Other => return Ok(()),
    };
    tx.prepare_cached(
        "UPDATE step SET state = ?3, finished_at = ?4 FROM message
         WHERE message.account_id = ?1 AND message.platform_id = ?2
           AND step.reply_id = message.reply_id AND step.step = message.step",
    )?
    .execute(params![place.account, status.target, state, place.received_at])?;
    Ok(())
}
