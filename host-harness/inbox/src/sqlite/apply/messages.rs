//! Owns: messages from events, in platform order, with their reactions and edits.
//! Does not own: echoes of our own messages (`echoes`), changes that other modules share (`rows::messages`).

use harness_contract::{Author, Edited, Event, EventOrigin, Message, Reaction, ReactionAction};
use rusqlite::{OptionalExtension as _, Transaction, params};

use super::{anew, cache::KnownAccount, echoes::confirm_own, media, place::EventPlace};
use crate::{
    error::InboxError,
    model::{AccountId, ActivityId, ChangeKind, ConversationId, DeliveryId, MessageId, TranslatedDelivery},
    sqlite::columns::as_millis,
    sqlite::rows::{
        changes::Concerns,
        deliveries::{note_carrier, take_carriers},
        messages::{MAX_MESSAGE_CONTEXT, apply_waiting_edit, deletion_of},
        organisation, reactions, unread,
    },
};

/// The result of storing a message.
pub(crate) enum Stored {
    /// It is stored, now or from before.
    New,
    /// It is the echo of one of our steps, and confirms it.
    Confirmed,
    /// It had been edited before it arrived: the delivery contains text that must no longer be shown.
    EditedBefore,
    /// It had been unsent before it arrived: only that fact is kept.
    DeletedBefore,
}

/// Stores a message, or recognises it as the echo of one sent from here. For a message of the history, `behind` is the
/// id of the message that precedes it in its delivery.
pub(crate) fn store(
    tx: &Transaction<'_>,
    place: &EventPlace,
    event: &Event,
    message: &Message,
    behind: Option<&str>,
) -> Result<Stored, InboxError> {
    let outbound = matches!(event.author, Author::Business(_));
    if let Author::Business(author) = &event.author
        && confirm_own(tx, place, (event.contact.as_ref(), author), message)?
    {
        return Ok(Stored::Confirmed);
    }
    let Some(conversation) = place.conversation else {
        // Without a contact there is no conversation. It becomes an activity, where people look for oddities.
        note(tx, place, event)?;
        return Ok(Stored::New);
    };
    let before = match &message.id {
        Some(id) => Before::of(tx, place.account, id)?,
        None => Before::default(),
    };
    let deleted_at = before.deleted_at;
    let keep = deleted_at.is_none();
    let is_unread = keep && !outbound && event.origin == EventOrigin::Live;
    let anomalies = (!event.anomalies.is_empty()).then(|| serde_json::to_string(&event.anomalies)).transpose()?;
    let seq =
        if event.origin == EventOrigin::History { place_in_the_past(tx, place, conversation, behind)? } else { 0 };
    let mut insert = tx.prepare_cached(
        "INSERT INTO message (account_id, conversation_id, platform_id, direction, author, at, received_at, origin,
             late, text, body, anomalies, native, deleted_at, delivery_id, seq, twin, context, details,
             contact_id)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8,
             -- Nothing of the past is late, and nothing is late because of a time that had not come;
             -- clocks may differ by five minutes.
             ?8 <> 'history' AND EXISTS (SELECT 1 FROM message WHERE conversation_id = ?2 AND at > ?6
                                         AND at <= received_at + 300000),
             ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18,
             (SELECT id FROM contact WHERE account_id = ?1 AND platform_id = ?19))
         ON CONFLICT (account_id, platform_id, twin) WHERE platform_id IS NOT NULL DO NOTHING",
    )?;
    let mut stored_as = |twin: i64| -> Result<usize, InboxError> {
        Ok(insert.execute(params![
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
            deleted_at,
            place.delivery,
            seq,
            twin,
            message.context.as_ref().filter(|context| keep && context.len() <= MAX_MESSAGE_CONTEXT),
            details_of(event)?.filter(|_| keep),
            // In other conversations the contact is the author.
            event.contact.as_ref().filter(|_| !outbound && event.thread.is_some()).map(|contact| &contact.id)
        ])?)
    };
    let mut stored = stored_as(0)?;
    // Most ids are new, and the insertion says so by itself.
    if stored == 0
        && let Some(id) = &message.id
    {
        if let Some(twin) = twin(tx, place, id, message)? {
            stored = stored_as(twin)?;
        }
        if stored == 0 {
            // A copy of a stored message.
            note_carrier(tx, place.account, id, place.delivery)?;
        }
    }
    // A copy of a stored message is not shown, but it may have opened the window.
    let (mut kind, mut concerns) = (ChangeKind::ConversationUpdated, place.concerns());
    if stored == 1 {
        let row = MessageId::new(tx.last_insert_rowid());
        if keep {
            media::note_files(tx, place, row, event.origin, message)?;
        }
        if is_unread {
            unread::add(tx, conversation, row)?;
        }
        (kind, concerns.message) = (ChangeKind::MessageCreated, Some(row));
    }
    if let Some(id) = &message.id
        && before.edited
    {
        apply_waiting_edit(tx, place.account, id)?;
        place.note(tx, kind, concerns)?;
        return Ok(if keep { Stored::EditedBefore } else { Stored::DeletedBefore });
    }
    place.note(tx, kind, concerns)?;
    Ok(if keep { Stored::New } else { Stored::DeletedBefore })
}

/// The position of a history message among messages with the same time: after the message that precedes it in its
/// delivery, even if that one was already stored. The first of a delivery goes before the messages of earlier
/// deliveries, because histories are read from the newest page to the oldest.
fn place_in_the_past(
    tx: &Transaction<'_>,
    place: &EventPlace,
    conversation: ConversationId,
    behind: Option<&str>,
) -> Result<i64, InboxError> {
    let before: Option<(i64, i64)> = tx
        .prepare_cached(
            "SELECT seq, id FROM message WHERE account_id = ?1 AND platform_id = ?2 AND conversation_id = ?3 AND at = ?4
             ORDER BY seq DESC, id DESC LIMIT 1",
        )?
        .query_row(params![place.account, behind, conversation, place.at], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    if let Some((seq, id)) = before {
        let here = params![conversation, place.at, seq, id];
        let in_between = tx
            .prepare_cached("SELECT 1 FROM message WHERE conversation_id = ?1 AND at = ?2 AND seq = ?3 AND id > ?4")?
            .exists(here)?;
        if in_between {
            tx.prepare_cached(
                "UPDATE message SET seq = seq + 1 WHERE conversation_id = ?1 AND at = ?2 AND (seq, id) > (?3, ?4)",
            )?
            .execute(here)?;
        }
        return Ok(seq);
    }
    Ok(tx
        .prepare_cached(
            "SELECT coalesce(max(seq) FILTER (WHERE delivery_id = ?3),
                             min(seq) FILTER (WHERE origin = 'history') - 1, 0)
             FROM message WHERE conversation_id = ?1 AND at = ?2",
        )?
        .query_row(params![conversation, place.at, place.delivery], |row| row.get(0))?)
}

/// What distinguishes a message from others with its id, if it is not one of them: its delivery already contained one with
/// this id.
fn twin(tx: &Transaction<'_>, place: &EventPlace, id: &str, message: &Message) -> Result<Option<i64>, InboxError> {
    let known: Option<i64> = tx
        .prepare_cached(
            "SELECT max(twin) FROM message WHERE account_id = ?1 AND platform_id = ?2 AND delivery_id = ?3
               AND deleted_at IS NULL",
        )?
        .query_row(params![place.account, id, place.delivery], |row| row.get(0))?;
    let Some(known) = known else { return Ok(None) };
    let same = tx
        .prepare_cached("SELECT 1 FROM message WHERE account_id = ?1 AND platform_id = ?2 AND body = ?3")?
        .exists(params![place.account, id, serde_json::to_string(message)?])?;
    Ok((!same).then_some(known + 1))
}

/// Makes a message that was first read from the history count as unread once it arrives live too, so that people see it.
pub(crate) fn came_live_too(
    tx: &Transaction<'_>,
    account: &KnownAccount,
    delivery: &TranslatedDelivery,
    message: &Message,
) -> Result<(), InboxError> {
    let Some(id) = &message.id else { return Ok(()) };
    let asked: Option<(ConversationId, i64, MessageId, bool)> = tx
        .prepare_cached(
            "UPDATE message SET origin = ?3
             WHERE account_id = ?1 AND platform_id = ?2 AND origin = ?4 AND direction = 'inbound'
             RETURNING conversation_id, at, id, deleted_at IS NULL",
        )?
        .query_row(params![account.id, id, EventOrigin::Live.name(), EventOrigin::History.name()], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })
        .optional()?;
    if let Some((found_in, at, message, is_unread)) = asked {
        if is_unread {
            unread::add(tx, found_in, message)?;
        }
        let (received_at, delivery) = (as_millis(delivery.received_at), delivery.id);
        let (account, workspace, when_closed) = (account.id, account.workspace, account.when_closed);
        let place = EventPlace { account, workspace, conversation: None, at, received_at, delivery };
        let conversation = anew::place_of_late_word(tx, &place, when_closed, (id, found_in))?;
        organisation::reopen(tx, conversation, place.owner().now)?;
        place.note_message(tx, ChangeKind::ConversationUpdated, id)?;
    }
    Ok(())
}

/// What had happened to a message before it arrived.
#[derive(Default)]
struct Before {
    deleted_at: Option<i64>,
    edited: bool,
}

impl Before {
    fn of(tx: &Transaction<'_>, account: AccountId, id: &str) -> Result<Self, InboxError> {
        Ok(tx
            .prepare_cached(
                "SELECT (SELECT at FROM deletion WHERE account_id = ?1 AND target = ?2),
                        EXISTS (SELECT 1 FROM edit WHERE account_id = ?1 AND target = ?2)",
            )?
            .query_row(params![account, id], |row| Ok(Self { deleted_at: row.get(0)?, edited: row.get(1)? }))?)
    }
}

/// Stores an event that is not a message or has no conversation.
pub(crate) fn note(tx: &Transaction<'_>, place: &EventPlace, event: &Event) -> Result<(), InboxError> {
    tx.prepare_cached(
        "INSERT INTO activity (account_id, conversation_id, at, origin, kind, body, native, details)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![
        place.account,
        place.conversation,
        place.at,
        event.origin.name(),
        event.body.name(),
        serde_json::to_string(&event.body)?,
        event.native,
        details_of(event)?
    ])?;
    let activity = Some(ActivityId::new(tx.last_insert_rowid()));
    place.note(tx, ChangeKind::ActivityCreated, Concerns { activity, ..place.concerns() })
}

fn details_of(event: &Event) -> Result<Option<String>, InboxError> {
    Ok((!event.details.is_empty()).then(|| serde_json::to_string(&event.details)).transpose()?)
}

/// Stores the newest state of a reaction that an event tells of.
pub(crate) fn react(
    tx: &Transaction<'_>,
    place: &EventPlace,
    event: &Event,
    reaction: &Reaction,
) -> Result<(), InboxError> {
    let actor = match (&event.author, &event.contact) {
        (Author::Contact, Some(contact)) => contact.id.as_str(),
        _ => reactions::BUSINESS,
    };
    let reacted = reactions::Reacted {
        target: &reaction.target,
        actor,
        emoji: reaction.emoji.as_deref(),
        name: reaction.name.as_deref(),
        removed: reaction.action == ReactionAction::Removed,
        at: place.at,
    };
    reactions::put(tx, place.account, &reacted)?;
    place.note_message(tx, ChangeKind::MessageReacted, &reaction.target)
}

/// Stores the newest edit. An edit that names neither a new text nor new attachments changes nothing. Returns the
/// deliveries with text that must no longer be shown.
pub(crate) fn edit(tx: &Transaction<'_>, place: &EventPlace, edited: &Edited) -> Result<Vec<DeliveryId>, InboxError> {
    let attachments = edited.attachments.as_ref().map(serde_json::to_string).transpose()?;
    if edited.text.is_none() && attachments.is_none() {
        return Ok(Vec::new());
    }
    let context = edited.context.as_ref().filter(|context| context.len() <= MAX_MESSAGE_CONTEXT);
    if deletion_of(tx, place.account, &edited.target)?.is_some() {
        return Ok(vec![place.delivery]);
    }
    let newest = tx
        .prepare_cached(
            "INSERT INTO edit (account_id, target, revision, at, text, conversation_id, attachments, context, formatted)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
             ON CONFLICT DO UPDATE SET revision = ?3, at = ?4, text = coalesce(?5, text),
                 formatted = iif(?5 IS NULL, formatted, ?9),
                 attachments = coalesce(?7, attachments), context = coalesce(?8, context)
             WHERE (?3, ?4) >= (revision, at)",
        )?
        .execute(params![
            place.account,
            edited.target,
            as_millis(edited.revision.unwrap_or(0)),
            place.at,
            edited.text,
            place.conversation,
            attachments,
            context,
            edited.formatted.as_ref().map(serde_json::to_string).transpose()?
        ])?;
    if newest == 0 {
        return Ok(vec![place.delivery]);
    }
    // The delivery of the message and those of earlier edits contain old text.
    let mut old = take_carriers(tx, place.account, &edited.target)?;
    old.extend(brought_by(tx, place.account, &edited.target)?);
    old.retain(|delivery| *delivery != place.delivery);
    note_carrier(tx, place.account, &edited.target, place.delivery)?;
    apply_waiting_edit(tx, place.account, &edited.target)?;
    Ok(old)
}

/// The deliveries that contained a message.
fn brought_by(tx: &Transaction<'_>, account: AccountId, id: &str) -> Result<Vec<DeliveryId>, InboxError> {
    let mut statement = tx.prepare_cached(
        "SELECT delivery_id FROM message WHERE account_id = ?1 AND platform_id = ?2 AND delivery_id IS NOT NULL",
    )?;
    Ok(statement.query_map(params![account, id], |row| row.get(0))?.collect::<Result<_, _>>()?)
}
