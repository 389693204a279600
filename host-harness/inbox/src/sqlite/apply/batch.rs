//! Owns: the events of a batch of deliveries: each is routed to its account, parked, refused, or recognised as a
//! repeat.
//! Does not own: the effect of a single event (`event`, `accounts`).

use std::collections::BTreeSet;

use harness_contract::{Event, EventBody, EventOrigin, names::account_change, text::shown};
use rusqlite::Transaction;

use super::{
    accounts::apply_to_accounts,
    cache::{BatchCache, KnownAccount},
    event::{apply_event, is_new, note_repeat, refuse},
    messages,
};
use crate::{
    error::InboxError,
    model::{Applied, DeliveryFailure, EventCounts, ParkingBounds, Proof, TranslatedDelivery},
    sqlite::{rows::deliveries::mark_failed, writer::LEAST},
};

/// Applies translated deliveries in order, until others `wait`. Deliveries waiting for unconnected accounts are kept within
/// `bounds`. Returns how many were applied.
pub(crate) fn apply_batch(
    tx: &Transaction<'_>,
    batch: &[TranslatedDelivery],
    bounds: ParkingBounds,
    wait: impl Fn() -> bool,
) -> Result<(Applied, usize), InboxError> {
    let mut total = Applied::default();
    let mut known = BatchCache::default();
    let mut count = 0;
    for delivery in batch {
        if count >= LEAST && wait() {
            break;
        }
        count += 1;
        let events = apply_delivery(tx, delivery, bounds, &mut known, &mut total)?;
        total.events.add(events);
        total.of_channel.entry(delivery.channel.clone()).or_default().add(events);
    }
    known.flush(tx)?;
    total.expired = known.parking.expired;
    Ok((total, count))
}

fn apply_delivery(
    tx: &Transaction<'_>,
    delivery: &TranslatedDelivery,
    bounds: ParkingBounds,
    known: &mut BatchCache,
    total: &mut Applied,
) -> Result<EventCounts, InboxError> {
    let mut counts = EventCounts::default();
    let mut missing = BTreeSet::new();
    let mut foreign = BTreeSet::new();
    // The preceding message, for an event of the history.
    let mut behind: Option<&str> = None;
    for (nth, event) in delivery.events.iter().enumerate() {
        let of_account = match &event.body {
            EventBody::ErasureRequest(_) => true,
            // An update that concerns a conversation is stored in that conversation.
            EventBody::AccountUpdate(update) => {
                event.contact.is_none() || update.change == account_change::DISCONNECTED
            }
            _ => false,
        };
        if of_account {
            // These events may delete cached rows, and they empty applied deliveries.
            known.flush(tx)?;
            let told = apply_to_accounts(tx, delivery, event)?;
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
        // Checked before anything is looked up or changed for the account.
        if !speaks_for(&delivery.proof, found.as_deref(), &event.account) {
            counts.foreign += 1;
            foreign.insert(event.account.as_str());
            continue;
        }
        let of_account = match found {
            Some(account) if account.connected => account,
            // The account is disconnected, so nothing of it is kept. The platform's history still has it if the account
            // is connected again.
            Some(_) => {
                known.emptied.push(delivery.id);
                continue;
            }
            None => {
                // Test events from the platform's dashboard name accounts that do not exist.
                if event.origin != EventOrigin::Test {
                    counts.unrouted += 1;
                    missing.insert(event.account.as_str());
                }
                continue;
            }
        };
        let (account, workspace) = (of_account.id, of_account.workspace);
        if event.id.is_empty() {
            counts.new += usize::from(refuse(tx, (account, workspace), delivery, nth, event)?);
            continue;
        }
        if !is_new(tx, account, event, delivery.id)? {
            counts.repeated += 1;
            note_repeat(tx, account, event, delivery.id)?;
            if let (EventOrigin::Live, EventBody::Message(message)) = (event.origin, &event.body) {
                messages::came_live_too(tx, &of_account, delivery, message)?;
            }
            behind = message_id(event).or(behind);
            continue;
        }
        counts.new += 1;
        apply_event(tx, &of_account, delivery, event, behind, known)?;
        behind = message_id(event).or(behind);
    }
    let not_its_own = foreign_problem(&delivery.proof, &foreign);
    if let Some(problem) = &not_its_own {
        total.foreign.push((delivery.id, problem.clone()));
    }
    match (missing.first(), not_its_own) {
        (None, None) => known.applied(tx, delivery)?,
        (None, Some(problem)) => {
            let translator = delivery.translator.clone();
            mark_failed(tx, &DeliveryFailure { id: delivery.id, problem, translator }, delivery.received_at)?;
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

/// Whether the proof covers the account that an event names by its id or an alias.
fn speaks_for(proof: &Proof, found: Option<&KnownAccount>, named: &str) -> bool {
    let Some(prover) = proof.account() else { return true };
    found.map_or(named, |account| account.platform_id.as_str()) == prover
}

/// The problem with a delivery whose events are for accounts outside its proof, as a sentence.
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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::cell::Cell;

    use harness_contract::{Delivery, DeliverySource};

    use super::*;
    use crate::{
        model::{DeliveryId, PendingDelivery},
        sqlite::schema,
    };

    #[test]
    fn a_burst_stops_for_people_who_wait_and_gets_on_nevertheless() {
        let mut file = schema::empty(schema::known_schema()).unwrap();
        let batch: Vec<_> = (1..=100)
            .map(|id| {
                let delivery = Delivery {
                    source: DeliverySource::Webhook,
                    account: None,
                    headers: Vec::new(),
                    query: String::new(),
                    body: Vec::new(),
                    received_at: 1,
                };
                let (id, proof) = (DeliveryId::new(id), Proof::Channel { slot: "key".into() });
                let pending = PendingDelivery { id, channel: "chat".into(), attempts: 0, delivery, proof };
                pending.into_parts().1.translated(Vec::new(), "digest".into())
            })
            .collect();
        let bounds = ParkingBounds { per_account: 1, per_channel: 1 };
        let tx = file.transaction().unwrap();
        let applied = |wait: &dyn Fn() -> bool| apply_batch(&tx, &batch, bounds, wait).unwrap().1;
        assert_eq!(applied(&|| false), 100);
        assert_eq!(applied(&|| true), LEAST);
        let asked = Cell::new(0);
        let somebody_comes = || asked.replace(asked.get() + 1) == 10;
        assert_eq!(applied(&somebody_comes), LEAST + 10);
    }
}
