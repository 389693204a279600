//! Events become conversations and messages, each exactly once. Belongs here: routing an event to its
//! account and conversation, and what it does to both. Messages themselves: `messages.rs`.

use std::collections::{BTreeMap, BTreeSet};

use harness_contract::{AccountChange, Event, EventBody, EventOrigin, text::shown};
use rusqlite::{Transaction, params};
use sha2::{Digest as _, Sha256};

use crate::{
    Inbox, InboxError, Proof, Update,
    accounts::{AccountState, mark},
    contacts, conversations,
    journal::as_millis,
    known::{Known, KnownAccount},
    messages::{self, Place, Stored},
    parked::ParkingBounds,
};

/// Events by what became of them.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct EventCounts {
    /// They changed the inbox.
    pub new: usize,
    /// They had been applied before.
    pub repeated: usize,
    /// Their account is not connected here. The delivery waits for it.
    pub unrouted: usize,
    /// They speak for an account that the delivery's proof does not speak for. They change nothing.
    pub foreign: usize,
}

impl EventCounts {
    fn add(&mut self, other: Self) {
        self.new += other.new;
        self.repeated += other.repeated;
        self.unrouted += other.unrouted;
        self.foreign += other.foreign;
    }
}

/// What became of the events of some deliveries.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Applied {
    /// Of all.
    pub events: EventCounts,
    /// By channel.
    pub of_channel: BTreeMap<String, EventCounts>,
    /// Accounts that the platform or a person took from this host: their credentials are to be forgotten.
    pub lost: Vec<(String, String)>,
    /// Deliveries that hold something for an account that their proof does not speak for, with a sentence.
    pub foreign: Vec<(i64, String)>,
    /// Parked deliveries that were emptied because too many wait.
    pub expired: usize,
}

/// A translated delivery, made by [`crate::DeliveryOrigin::translated`].
#[derive(Clone, Debug)]
pub struct TranslatedDelivery {
    pub(crate) id: i64,
    pub(crate) channel: String,
    pub(crate) received_at: u64,
    pub(crate) proof: Proof,
    pub(crate) events: Vec<Event>,
    /// The digest of the component that read it.
    pub(crate) translator: String,
}

impl Inbox {
    /// Applies translated deliveries, in their order, in one transaction. What waits for accounts that are not
    /// connected stays within the bounds.
    pub async fn apply(&self, batch: Vec<TranslatedDelivery>, bounds: ParkingBounds) -> Result<Applied, InboxError> {
        let (applied, updates) = self
            .writer
            .write(move |tx| {
                let mut total = Applied::default();
                let mut updates = Vec::new();
                let mut known = Known::default();
                for delivery in &batch {
                    let events = apply_delivery(tx, delivery, bounds, &mut known, &mut total, &mut updates)?;
                    total.events.add(events);
                    total.of_channel.entry(delivery.channel.clone()).or_default().add(events);
                }
                known.settle(tx)?;
                total.expired = known.parking.expired;
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
    bounds: ParkingBounds,
    known: &mut Known,
    total: &mut Applied,
    updates: &mut Vec<Update>,
) -> Result<EventCounts, InboxError> {
    let mut counts = EventCounts::default();
    let mut missing = BTreeSet::new();
    let mut foreign = BTreeSet::new();
    // The message that stands before an event of the archive.
    let mut behind: Option<&str> = None;
    for (nth, event) in delivery.events.iter().enumerate() {
        if let EventBody::ErasureRequest(_) | EventBody::AccountUpdate(_) = &event.body {
            // It may take away what is known here, and empties deliveries that are applied.
            known.settle(tx)?;
            let told = apply_to_accounts(tx, delivery, event, updates)?;
            total.lost.extend(told.lost);
            if told.foreign {
                counts.foreign += 1;
                foreign.insert(event.account.as_str());
            } else {
                counts.new += 1;
            }
            continue;
        }
        let found = known.account(tx, &delivery.channel, &event.account)?;
        // Before anything is looked up or changed for it.
        if !speaks_for(&delivery.proof, found.as_ref(), &event.account) {
            counts.foreign += 1;
            foreign.insert(event.account.as_str());
            continue;
        }
        let account = match found {
            Some(account) if account.connected => account.id,
            // Nobody here answers for it any more, so nothing of it is kept; the archive has it for whoever
            // connects the account again.
            Some(_) => {
                known.emptied.push(delivery.id);
                continue;
            }
            None => {
                // The dashboard's samples name accounts that do not exist.
                if event.origin != EventOrigin::Test {
                    counts.unrouted += 1;
                    missing.insert(event.account.as_str());
                }
                continue;
            }
        };
        if event.id.is_empty() {
            counts.new += usize::from(refuse(tx, account, delivery, nth, event)?);
            continue;
        }
        if !is_new(tx, account, event, delivery.id)? {
            counts.repeated += 1;
            note_repeat(tx, account, event, delivery.id)?;
            if let (EventOrigin::Live, EventBody::Message(message)) = (event.origin, &event.body) {
                messages::came_live_too(tx, account, message)?;
            }
            behind = message_id(event).or(behind);
            continue;
        }
        counts.new += 1;
        let (conversation, kind) = apply_event(tx, account, delivery, event, behind, known)?;
        behind = message_id(event).or(behind);
        if let Some(conversation) = conversation {
            updates.push(Update::Conversation { conversation, kind });
        }
    }
    let not_its_own = foreign_problem(&delivery.proof, &foreign);
    if let Some(problem) = &not_its_own {
        total.foreign.push((delivery.id, problem.clone()));
    }
    match (missing.first(), not_its_own) {
        (None, None) => known.applied.push(delivery.id),
        (None, Some(problem)) => {
            fail(tx, delivery, &problem)?;
            updates.push(Update::Failed { delivery: delivery.id });
        }
        (Some(account), not_its_own) => {
            let mut problem = format!("the account {} is not connected here", shown(account));
            if let Some(not_its_own) = not_its_own {
                problem = format!("{problem}; {not_its_own}");
            }
            let (place, parking) = ((delivery.channel.as_str(), delivery.id), &mut known.parking);
            parking.park(tx, bounds, place, &missing, &problem)?;
        }
    }
    Ok(counts)
}

fn message_id(event: &Event) -> Option<&str> {
    let EventBody::Message(message) = &event.body else { return None };
    message.id.as_deref()
}

/// Whether the proof speaks for the account that an event names: the one whose secret it is, under its id or an alias.
fn speaks_for(proof: &Proof, found: Option<&KnownAccount>, named: &str) -> bool {
    let Some(prover) = proof.account() else { return true };
    found.map_or(named, |account| account.platform_id.as_str()) == prover
}

/// What is wrong with a delivery that speaks for accounts which its proof does not speak for.
fn foreign_problem(proof: &Proof, foreign: &BTreeSet<&str>) -> Option<String> {
    let (first, prover) = (foreign.first()?, proof.account()?);
    let what = match proof {
        Proof::Archive { .. } => "the archive",
        _ => "a secret",
    };
    let others = if foreign.len() > 1 { format!(" and {} more", foreign.len() - 1) } else { String::new() };
    Some(format!(
        "it comes with {what} of the account {} and speaks for the account {}{others}, which was not taken",
        shown(prover),
        shown(first)
    ))
}

/// Parks a delivery for a person to look at. Another component may read it otherwise.
fn fail(tx: &Transaction<'_>, delivery: &TranslatedDelivery, problem: &str) -> Result<(), InboxError> {
    tx.prepare_cached(
        "UPDATE delivery SET state = 'failed', attempts = attempts + 1, problem = ?2, translator = ?3 WHERE id = ?1",
    )?
    .execute(params![delivery.id, problem, delivery.translator])?;
    Ok(())
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

/// What became of a word about accounts.
#[derive(Default)]
struct Told {
    /// Accounts that are lost.
    lost: Vec<(String, String)>,
    /// Some of those that it names are not the proof's to speak for.
    foreign: bool,
}

/// What the platform says about accounts: of this id or alias, or of everybody whom this person permitted.
fn apply_to_accounts(
    tx: &Transaction<'_>,
    delivery: &TranslatedDelivery,
    event: &Event,
    updates: &mut Vec<Update>,
) -> Result<Told, InboxError> {
    let accounts: Vec<(i64, String, i64)> = {
        let mut statement = tx.prepare_cached(
            "SELECT id, platform_id, connected_at FROM account WHERE channel = ?1 AND (platform_id = ?2
                 OR authorized_by = ?2 OR id IN (SELECT account_id FROM alias WHERE channel = ?1 AND alias = ?2))",
        )?;
        let rows = statement
            .query_map(params![delivery.channel, event.account], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        rows.collect::<Result<_, _>>()?
    };
    let at = time_of(event, delivery.received_at);
    let erases = matches!(event.body, EventBody::ErasureRequest(_));
    let mut told = Told::default();
    let mut new = Vec::new();
    for (account, platform_id, since) in accounts {
        if delivery.proof.account().is_some_and(|prover| prover != platform_id) {
            told.foreign = true;
            continue;
        }
        // A word about an earlier connection ends or empties not the present one. The platform's times are whole
        // seconds.
        let of_now = at.saturating_add(999) >= since;
        if (erases && event.contact.is_none() && !of_now) || !is_new(tx, account, event, delivery.id)? {
            continue;
        }
        new.push(account);
        updates.push(Update::Account { account });
        match &event.body {
            EventBody::AccountUpdate(update) => {
                if update.change == AccountChange::Disconnected && of_now {
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
            _ if event.contact.is_none() => told.lost.push((delivery.channel.clone(), platform_id)),
            _ => {}
        }
    }
    // One that reaches nothing but others' accounts is not done: a person looks at it.
    if erases && !(told.foreign && new.is_empty()) {
        let contact = event.contact.as_ref().map(|contact| contact.id.as_str());
        contacts::erase(tx, delivery.id, &new, contact, as_millis(delivery.received_at))?;
    }
    Ok(told)
}

/// Applies one event, which stands in its delivery `behind` this message; returns the conversation and what changed in it. Deliveries that brought what is
/// taken back now go into `known.emptied`.
fn apply_event(
    tx: &Transaction<'_>,
    account: i64,
    delivery: &TranslatedDelivery,
    event: &Event,
    behind: Option<&str>,
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
        EventBody::Message(message) => match messages::store(tx, &place, event, message, behind)? {
            Stored::New => {}
            Stored::Confirmed => kind = "outcome",
            Stored::EditedBefore | Stored::DeletedBefore => known.emptied.push(delivery.id),
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
