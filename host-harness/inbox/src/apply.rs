//! Events become conversations and messages, each exactly once. Belongs here: routing an event to its
//! account and conversation, and what it does to both. Messages themselves: `messages.rs`.

use std::collections::BTreeMap;

use harness_contract::{AccountChange, Event, EventBody, EventOrigin};
use rusqlite::{Transaction, params};
use sha2::{Digest as _, Sha256};

use crate::{
    Inbox, InboxError, Update,
    accounts::{AccountState, mark},
    contacts, conversations,
    journal::as_millis,
    known::Known,
    messages::{self, Place, Stored},
};

/// What became of the events of one delivery.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Applied {
    /// Events that changed the inbox.
    pub new: usize,
    /// Events that had been applied before.
    pub repeated: usize,
    /// Events of accounts that are not connected here. The delivery waits for the account.
    pub unrouted: usize,
    /// The same three, by channel.
    pub of_channel: BTreeMap<String, (usize, usize, usize)>,
    /// Accounts that the platform or a person took from this host: their credentials are to be forgotten.
    pub lost: Vec<(String, String)>,
}

/// A translated delivery.
#[derive(Clone, Debug)]
pub struct TranslatedDelivery {
    /// Its row in the journal.
    pub id: i64,
    /// The channel's id.
    pub channel: String,
    /// When the host received it.
    pub received_at: u64,
    /// What the channel read in it.
    pub events: Vec<Event>,
}

impl Inbox {
    /// Applies translated deliveries, in their order, in one transaction.
    pub async fn apply(&self, batch: Vec<TranslatedDelivery>) -> Result<Applied, InboxError> {
        let (applied, updates) = self
            .writer
            .write(move |tx| {
                let mut total = Applied::default();
                let mut updates = Vec::new();
                let mut known = Known::default();
                for delivery in &batch {
                    let applied = apply_delivery(tx, delivery, &mut known, &mut updates)?;
                    total.new += applied.new;
                    total.repeated += applied.repeated;
                    total.unrouted += applied.unrouted;
                    let (new, repeated, unrouted) = total.of_channel.entry(delivery.channel.clone()).or_default();
                    *new += applied.new;
                    *repeated += applied.repeated;
                    *unrouted += applied.unrouted;
                    total.lost.extend(applied.lost);
                }
                known.settle(tx)?;
                Ok((total, updates))
            })
            .await?;
        self.announce(updates);
        Ok(applied)
    }
}

fn apply_delivery(
    tx: &Transaction<'_>,
    delivery: &TranslatedDelivery,
    known: &mut Known,
    updates: &mut Vec<Update>,
) -> Result<Applied, InboxError> {
    let mut applied = Applied::default();
    let mut missing = None;
    for (nth, event) in delivery.events.iter().enumerate() {
        if let EventBody::ErasureRequest(_) | EventBody::AccountUpdate(_) = &event.body {
            // It may take away what is known here, and empties deliveries that are applied.
            known.settle(tx)?;
            applied.lost.extend(apply_to_accounts(tx, delivery, event, updates)?);
            applied.new += 1;
            continue;
        }
        let account = match known.account(tx, &delivery.channel, &event.account)? {
            Some((account, true)) => account,
            // Nobody here answers for it any more, so nothing of it is kept; the archive has it for whoever
            // connects the account again.
            Some((_, false)) => {
                known.emptied.push(delivery.id);
                continue;
            }
            None => {
                // The dashboard's samples name accounts that do not exist.
                if event.origin != EventOrigin::Test {
                    applied.unrouted += 1;
                    missing = Some(&event.account);
                }
                continue;
            }
        };
        if event.id.is_empty() {
            applied.new += usize::from(refuse(tx, account, delivery, nth, event)?);
            continue;
        }
        if !is_new(tx, account, event, delivery.id)? {
            applied.repeated += 1;
            note_repeat(tx, account, event, delivery.id)?;
            if let (EventOrigin::Live, EventBody::Message(message)) = (event.origin, &event.body) {
                messages::came_live_too(tx, account, message)?;
            }
            continue;
        }
        applied.new += 1;
        let (conversation, kind) = apply_event(tx, account, delivery, event, known)?;
        if let Some(conversation) = conversation {
            updates.push(Update::Conversation { conversation, kind });
        }
    }
    match missing {
        None => known.applied.push(delivery.id),
        Some(account) => {
            let problem = format!("the account {account} is not connected here");
            tx.prepare_cached(
                "UPDATE delivery SET state = 'unrouted', attempts = attempts + 1, problem = ?2 WHERE id = ?1",
            )?
            .execute(params![delivery.id, problem])?;
        }
    }
    Ok(applied)
}

/// A platform whose clock is off by more than this says nothing with its times.
const FUTURE_MS: u64 = 24 * 3600 * 1000;

/// When the event happened, in milliseconds. A time far in the future is no time: it would stand behind everything
/// that comes, so that of the receipt counts.
fn time_of(event: &Event, received_at: u64) -> i64 {
    as_millis(event.at.filter(|at| *at <= received_at.saturating_add(FUTURE_MS)).unwrap_or(received_at))
}

/// Stands for an event's id in the table of events that were applied.
pub(crate) fn digest(event_id: &str) -> [u8; 16] {
    let mut half = [0; 16];
    half.iter_mut().zip(Sha256::digest(event_id)).for_each(|(to, from)| *to = from);
    half
}

/// An event without an id could not be told from its repetition: it changes nothing, and is kept among the notices,
/// where somebody sees it. Says whether it is new.
fn refuse(
    tx: &Transaction<'_>,
    account: i64,
    delivery: &TranslatedDelivery,
    nth: usize,
    event: &Event,
) -> Result<bool, InboxError> {
    let instead = Event { id: format!("\0{}/{nth}", delivery.id), ..event.clone() };
    if !is_new(tx, account, &instead, delivery.id)? {
        return Ok(false);
    }
    tracing::warn!(delivery = delivery.id, kind = event.body.name(), "the channel gave an event no id");
    let received_at = as_millis(delivery.received_at);
    let body = serde_json::json!({
        "problem": "The channel gave this event no id, so it could not be told from its repetition. It changed nothing.",
        "event": event,
    });
    tx.prepare_cached(
        "INSERT INTO notice (account_id, at, origin, kind, body) VALUES (?1, ?2, ?3, 'refused_event', ?4)",
    )?
    .execute(params![account, received_at, event.origin.name(), body.to_string()])?;
    Ok(true)
}

/// The unique key decides, not a look beforehand: two deliveries may carry the same event at once.
fn is_new(tx: &Transaction<'_>, account: i64, event: &Event, delivery: i64) -> Result<bool, InboxError> {
    let inserted = tx
        .prepare_cached(
            "INSERT INTO event (account_id, event, delivery_id) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
        )?
        .execute(params![account, digest(&event.id), delivery])?;
    Ok(inserted > 0)
}

/// The same words stand in two deliveries now; both must be emptied when they are taken back.
fn note_repeat(tx: &Transaction<'_>, account: i64, event: &Event, delivery: i64) -> Result<(), InboxError> {
    tx.prepare_cached(
        "INSERT INTO repeat (first, again)
         SELECT delivery_id, ?3 FROM event WHERE account_id = ?1 AND event = ?2 AND delivery_id <> ?3
         ON CONFLICT DO NOTHING",
    )?
    .execute(params![account, digest(&event.id), delivery])?;
    // It may have been taken back already.
    tx.prepare_cached(
        "UPDATE delivery SET redact = 1 WHERE id = ?1 AND EXISTS
             (SELECT 1 FROM repeat r JOIN delivery f ON f.id = r.first WHERE r.again = ?1 AND f.redact)",
    )?
    .execute(params![delivery])?;
    Ok(())
}

/// What the platform says about accounts: of this id or alias, or of everybody whom this person permitted.
/// Returns those that are lost.
fn apply_to_accounts(
    tx: &Transaction<'_>,
    delivery: &TranslatedDelivery,
    event: &Event,
    updates: &mut Vec<Update>,
) -> Result<Vec<(String, String)>, InboxError> {
    let accounts: Vec<(i64, String)> = {
        let mut statement = tx.prepare_cached(
            "SELECT id, platform_id FROM account WHERE channel = ?1 AND (platform_id = ?2 OR authorized_by = ?2
                 OR id IN (SELECT account_id FROM alias WHERE channel = ?1 AND alias = ?2))",
        )?;
        let rows =
            statement.query_map(params![delivery.channel, event.account], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.collect::<Result<_, _>>()?
    };
    let at = time_of(event, delivery.received_at);
    let mut lost = Vec::new();
    let mut new = Vec::new();
    for (account, platform_id) in accounts {
        if !is_new(tx, account, event, delivery.id)? {
            continue;
        }
        new.push(account);
        updates.push(Update::Account { account });
        match &event.body {
            EventBody::AccountUpdate(update) => {
                let since: i64 = tx
                    .prepare_cached("SELECT connected_at FROM account WHERE id = ?1")?
                    .query_row(params![account], |row| row.get(0))?;
                // A word about an earlier connection does not end the present one. The platform's times are
                // whole seconds.
                if update.change == AccountChange::Disconnected && at.saturating_add(999) >= since {
                    let reason = "The platform says that this app's access was removed. Connect the account again.";
                    mark(tx, account, AccountState::NeedsReconnect, Some(reason))?;
                }
                let place = Place {
                    account,
                    conversation: None,
                    at,
                    received_at: as_millis(delivery.received_at),
                    delivery: delivery.id,
                };
                messages::note(tx, &place, event)?;
            }
            _ if event.contact.is_none() => lost.push((delivery.channel.clone(), platform_id)),
            _ => {}
        }
    }
    if let EventBody::ErasureRequest(_) = &event.body {
        let contact = event.contact.as_ref().map(|contact| contact.id.as_str());
        contacts::erase(tx, delivery.id, &new, contact, as_millis(delivery.received_at))?;
    }
    Ok(lost)
}

/// Applies one event; returns the conversation and what changed in it. Deliveries that brought what is
/// taken back now go into `known.emptied`.
fn apply_event(
    tx: &Transaction<'_>,
    account: i64,
    delivery: &TranslatedDelivery,
    event: &Event,
    known: &mut Known,
) -> Result<(Option<i64>, &'static str), InboxError> {
    let received_at = delivery.received_at;
    let at = time_of(event, received_at);
    let received = as_millis(received_at);
    let conversation = known.conversation(tx, account, event, at.min(received))?;
    let place = Place { account, conversation, at, received_at: received, delivery: delivery.id };
    if let Some(conversation) = conversation {
        conversations::note_action(tx, conversation, event, place)?;
    }
    let mut kind = event.body.name();
    match &event.body {
        EventBody::Message(message) => match messages::store(tx, &place, event, message)? {
            Stored::New => {}
            Stored::Confirmed => kind = "outcome",
            Stored::DeletedBefore => known.emptied.push(delivery.id),
        },
        EventBody::Reaction(reaction) => messages::react(tx, &place, event, reaction)?,
        EventBody::Edited(edited) => known.emptied.extend(messages::edit(tx, &place, edited)?),
        EventBody::Deleted(deleted) => known.emptied.extend(messages::delete(tx, account, &deleted.target, at)?),
        EventBody::Seen(seen) => conversations::note_seen(tx, conversation, seen, at)?,
        EventBody::DeliveryStatus(status) => messages::note_status(tx, &place, status)?,
        // Passing signals: nothing of them is worth keeping.
        EventBody::Typing(_) => {}
        _ => messages::note(tx, &place, event)?,
    }
    Ok((conversation, kind))
}
