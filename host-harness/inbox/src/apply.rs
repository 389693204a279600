//! Events become conversations and messages, each exactly once. Belongs here: routing an event to its
//! account and conversation, and what it does to both. Messages themselves: `messages.rs`.

use std::collections::{BTreeMap, HashMap};

use harness_contract::{AccountChange, Author, Event, EventBody, EventOrigin, Seen, WindowOpener};
use rusqlite::{OptionalExtension as _, Transaction, params};
use sha2::{Digest as _, Sha256};

use crate::{
    Inbox, InboxError, Update,
    accounts::{AccountState, mark},
    contacts,
    journal::{as_millis, redact},
    messages::{self, Place, Stored},
};

/// The longest reply context that is kept, in bytes: `event.reply-context` of the contract.
pub(crate) const MAX_REPLY_CONTEXT: usize = 4096;

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

/// What one transaction knows already and what it still has to write: most deliveries of a batch speak of the same
/// few accounts and people.
#[derive(Default)]
struct Known {
    /// By channel and the platform's id.
    accounts: HashMap<(String, String), Option<(i64, bool)>>,
    /// By account and key.
    conversations: HashMap<(i64, String), i64>,
    /// Deliveries of which every event is applied.
    applied: Vec<i64>,
    /// Deliveries that hold what was taken back.
    emptied: Vec<i64>,
}

impl Known {
    fn account(&mut self, tx: &Transaction<'_>, channel: &str, id: &str) -> Result<Option<(i64, bool)>, InboxError> {
        let key = (channel.to_owned(), id.to_owned());
        if let Some(found) = self.accounts.get(&key) {
            return Ok(*found);
        }
        let found = account_of(tx, channel, id)?;
        self.accounts.insert(key, found);
        Ok(found)
    }

    /// Notes what became of the deliveries so far, many with one statement; knows nothing more afterwards.
    fn settle(&mut self, tx: &Transaction<'_>) -> Result<(), InboxError> {
        let Self { applied, emptied, .. } = std::mem::take(self);
        if !applied.is_empty() {
            let ids = serde_json::to_string(&applied)?;
            tx.prepare_cached(
                "UPDATE delivery SET state = 'applied', attempts = attempts + 1, problem = NULL
                 WHERE id IN (SELECT value FROM json_each(?1))",
            )?
            .execute(params![ids])?;
            // What waited for it to be emptied.
            tx.prepare_cached(
                "UPDATE delivery SET state = 'redacted', body = x''
                 WHERE redact AND state = 'applied' AND id IN (SELECT value FROM json_each(?1))",
            )?
            .execute(params![ids])?;
        }
        emptied.into_iter().try_for_each(|delivery| redact(tx, delivery))
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
    for event in &delivery.events {
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
        if !is_new(tx, account, event, delivery.id)? {
            applied.repeated += 1;
            note_repeat(tx, account, event, delivery.id)?;
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

/// The account of this id, or of this alias, and whether it is connected.
fn account_of(tx: &Transaction<'_>, channel: &str, id: &str) -> Result<Option<(i64, bool)>, InboxError> {
    Ok(tx
        .prepare_cached(
            "SELECT id, state <> 'disconnected' FROM account WHERE channel = ?1 AND platform_id = ?2
             UNION ALL SELECT account_id, 1 FROM alias WHERE channel = ?1 AND alias = ?2 LIMIT 1",
        )?
        .query_row(params![channel, id], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?)
}

/// Stands for an event's id in the table of events that were applied.
pub(crate) fn digest(event_id: &str) -> [u8; 16] {
    let mut half = [0; 16];
    half.iter_mut().zip(Sha256::digest(event_id)).for_each(|(to, from)| *to = from);
    half
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
    let at = event.at.unwrap_or(delivery.received_at);
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
                if update.change == AccountChange::Disconnected && as_millis(at).saturating_add(999) >= since {
                    let reason = "The platform says that this app's access was removed. Connect the account again.";
                    mark(tx, account, AccountState::NeedsReconnect, Some(reason))?;
                }
                let place = Place {
                    account,
                    conversation: None,
                    at: as_millis(at),
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
    let at = as_millis(event.at.unwrap_or(received_at));
    let conversation = conversation_of(tx, account, event, at, known)?;
    if let Some(conversation) = conversation {
        note_action(tx, conversation, event, at)?;
    }
    let mut kind = event.body.name();
    let place = Place { account, conversation, at, received_at: as_millis(received_at), delivery: delivery.id };
    match &event.body {
        EventBody::Message(message) => match messages::store(tx, &place, event, message)? {
            Stored::New => {}
            Stored::Confirmed => kind = "outcome",
            Stored::DeletedBefore => known.emptied.push(delivery.id),
        },
        EventBody::Reaction(reaction) => messages::react(tx, &place, event, reaction)?,
        EventBody::Edited(edited) => messages::edit(tx, &place, edited)?,
        EventBody::Deleted(deleted) => known.emptied.extend(messages::delete(tx, account, &deleted.target, at)?),
        EventBody::Seen(seen) => note_seen(tx, conversation, seen, at)?,
        EventBody::DeliveryStatus(status) => messages::note_status(tx, &place, status)?,
        // Passing signals: nothing of them is worth keeping.
        EventBody::Typing(_) => {}
        _ => messages::note(tx, &place, event)?,
    }
    Ok((conversation, kind))
}

/// Finds or makes the conversation, under its unique key. Looking first is cheaper than an upsert that returns
/// the row, for which SQLite makes a table; only one thread writes.
fn conversation_of(
    tx: &Transaction<'_>,
    account: i64,
    event: &Event,
    at: i64,
    known: &mut Known,
) -> Result<Option<i64>, InboxError> {
    let Some(contact) = &event.contact else { return Ok(None) };
    let nameless = contact.name.is_none() && contact.username.is_none();
    let key = match &event.thread {
        Some(thread) => format!("t:{}", thread.id),
        None => format!("c:{}", contact.id),
    };
    let key = (account, key);
    if nameless
        && event.thread.is_none()
        && let Some(conversation) = known.conversations.get(&key)
    {
        return Ok(Some(*conversation));
    }
    let found: Option<i64> = if nameless { known_contact(tx, account, &contact.id)? } else { None };
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
    let thread = event.thread.as_ref().map(serde_json::to_string).transpose()?;
    let found: Option<i64> = tx
        .prepare_cached("SELECT id FROM conversation WHERE account_id = ?1 AND key = ?2")?
        .query_row(params![account, key.1], |row| row.get(0))
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
            .execute(params![account, contact_id, key.1, thread, at])?;
            tx.last_insert_rowid()
        }
    };
    known.conversations.insert(key, conversation);
    Ok(Some(conversation))
}

fn known_contact(tx: &Transaction<'_>, account: i64, id: &str) -> Result<Option<i64>, InboxError> {
    Ok(tx
        .prepare_cached("SELECT id FROM contact WHERE account_id = ?1 AND platform_id = ?2")?
        .query_row(params![account, id], |row| row.get(0))
        .optional()?)
}

/// What the event does to the conversation's row and its window: to the unread count, and to what an answer will
/// need. One statement, since nearly every event changes the row.
fn note_action(tx: &Transaction<'_>, conversation: i64, event: &Event, at: i64) -> Result<(), InboxError> {
    if let Some(opener) = event.opens {
        note_opening(tx, conversation, opener, at)?;
    }
    let context = event.reply_context.as_ref().filter(|context| context.len() <= MAX_REPLY_CONTEXT);
    let inbound = match (&event.author, &event.body) {
        (Author::Contact, EventBody::Message(message)) => Some(message),
        _ => None,
    };
    let unread = inbound.is_some() && event.origin == EventOrigin::Live;
    tx.prepare_cached(
        "UPDATE conversation SET last_at = max(last_at, ?2),
             -- The customer acted after the platform had refused: the estimate counts again.
             refused_at = CASE WHEN ?3 THEN NULL ELSE refused_at END,
             reply_context = coalesce(?4, reply_context),
             unread = unread + ?5,
             last_inbound = CASE WHEN ?6 AND ?2 >= coalesce(last_inbound_at, 0) THEN coalesce(?7, last_inbound)
                                 ELSE last_inbound END,
             last_inbound_at = CASE WHEN ?6 THEN max(coalesce(last_inbound_at, 0), ?2) ELSE last_inbound_at END
         WHERE id = ?1",
    )?
    .execute(params![
        conversation,
        at,
        event.opens.is_some(),
        context,
        unread,
        inbound.is_some(),
        inbound.and_then(|message| message.id.as_ref())
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

fn note_seen(tx: &Transaction<'_>, conversation: Option<i64>, seen: &Seen, at: i64) -> Result<(), InboxError> {
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
