//! Owns: what the platform says about accounts, and requests to delete what is known of somebody.
//! Does not own: what is deleted (`rows::erasure`).

use harness_contract::{Event, EventBody, names::account_change};
use rusqlite::{Transaction, params};

use super::{
    event::{is_new, time_of},
    messages,
    place::EventPlace,
};
use crate::{
    error::InboxError,
    model::{AccountId, AccountState, DeliveryId, TranslatedDelivery, Update},
    sqlite::{
        columns::as_millis,
        rows::{
            accounts::{forget, mark, note_deleted},
            erasure::delete_contents,
        },
    },
};

/// What became of a word about accounts.
#[derive(Default)]
pub(crate) struct Told {
    /// Accounts that are lost.
    pub(super) lost: Vec<(String, String)>,
    /// Some of those that it names are not the proof's to speak for.
    pub(super) foreign: bool,
}

/// What the platform says about accounts: of this id or alias, or of everybody whom this person permitted.
pub(crate) fn apply_to_accounts(
    tx: &Transaction<'_>,
    delivery: &TranslatedDelivery,
    event: &Event,
    updates: &mut Vec<Update>,
) -> Result<Told, InboxError> {
    let accounts: Vec<(AccountId, String, i64)> = {
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
                if update.change == account_change::DISCONNECTED && of_now {
                    let reason = "The platform says that this app's access was removed. Connect the account again.";
                    mark(tx, account, AccountState::NeedsReconnect, Some(reason))?;
                }
                let place = EventPlace {
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
        erase(tx, delivery.id, &new, contact, as_millis(delivery.received_at))?;
    }
    Ok(told)
}

/// Deletes what an erasure request asks for: a contact of the accounts, or the accounts themselves.
pub(crate) fn erase(
    tx: &Transaction<'_>,
    delivery: DeliveryId,
    accounts: &[AccountId],
    contact: Option<&str>,
    now: i64,
) -> Result<(), InboxError> {
    let mut contacts = 0;
    for &account in accounts {
        contacts += delete_contents(tx, account, contact)?;
        if contact.is_none() {
            note_deleted(tx, account, now)?;
            forget(tx, account, "The person who connected it asked the platform to delete everything.")?;
            tx.prepare_cached("UPDATE account SET name = platform_id, username = NULL, picture = NULL WHERE id = ?1")?
                .execute(params![account])?;
        }
    }
    // The request names the person too.
    tx.prepare_cached("UPDATE delivery SET redact = 1 WHERE id = ?1")?.execute(params![delivery])?;
    let gone = if contact.is_none() { accounts.len() } else { 0 };
    let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    tx.prepare_cached(
        "UPDATE erasure SET finished_at = ?2, accounts = accounts + ?3, contacts = contacts + ?4
         WHERE delivery_id = ?1",
    )?
    .execute(params![delivery, now, count(gone), count(contacts)])?;
    Ok(())
}
