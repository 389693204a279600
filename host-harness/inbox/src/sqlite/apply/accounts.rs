//! Owns: platform events about accounts, and requests to delete a person's data.
//! Does not own: the deletion itself (`rows::erasure`).

use harness_contract::{Event, EventBody, names::account_change};
use rusqlite::{Transaction, params};

use super::{
    event::{is_new, time_of},
    messages,
    place::EventPlace,
};
use crate::{
    error::InboxError,
    model::{AccountId, AccountState, ChangeKind, DeliveryId, TranslatedDelivery, WorkspaceId},
    sqlite::{
        columns::as_millis,
        rows::{
            accounts::{forget, mark, note_deleted},
            erasure::delete_contents,
        },
    },
};

/// The outcome of an event about accounts.
#[derive(Default)]
pub(crate) struct Told {
    /// Accounts that it removes, as channel and platform id.
    pub(super) lost: Vec<(String, String)>,
    /// Whether it names accounts that the delivery's proof does not cover.
    pub(super) foreign: bool,
}

/// Applies an event about accounts: those with this id or alias, or all that this person authorized.
pub(crate) fn apply_to_accounts(
    tx: &Transaction<'_>,
    delivery: &TranslatedDelivery,
    event: &Event,
) -> Result<Told, InboxError> {
    let accounts: Vec<(AccountId, WorkspaceId, String, i64)> = {
        let mut statement = tx.prepare_cached(
            "SELECT id, workspace_id, platform_id, connected_at FROM account WHERE channel = ?1 AND (platform_id = ?2
                 OR authorized_by = ?2 OR id IN (SELECT account_id FROM account_alias WHERE channel = ?1 AND alias = ?2))",
        )?;
        let rows = statement.query_map(params![delivery.channel, event.account], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })?;
        rows.collect::<Result<_, _>>()?
    };
    let at = time_of(event, delivery.received_at);
    let erases = matches!(event.body, EventBody::ErasureRequest(_));
    let mut told = Told::default();
    let mut new = Vec::new();
    for (account, workspace, platform_id, since) in accounts {
        if delivery.proof.account().is_some_and(|prover| prover != platform_id) {
            told.foreign = true;
            continue;
        }
        // An event about an earlier connection neither ends nor empties the present one. The platform's times are in
        // whole seconds.
        let of_now = at.saturating_add(999) >= since;
        if (erases && event.contact.is_none() && !of_now) || !is_new(tx, account, event, delivery.id)? {
            continue;
        }
        new.push(account);
        let place = EventPlace {
            account,
            workspace,
            conversation: None,
            at,
            received_at: as_millis(delivery.received_at),
            delivery: delivery.id,
        };
        place.note(tx, ChangeKind::AccountUpdated, place.concerns())?;
        match &event.body {
            EventBody::AccountUpdate(update) => {
                if update.change == account_change::DISCONNECTED && of_now {
                    let reason = "The platform says that this app's access was removed. Connect the account again.";
                    mark(tx, account, AccountState::NeedsReconnect, Some(reason))?;
                }
                messages::note(tx, &place, event)?;
            }
            _ if event.contact.is_none() => told.lost.push((delivery.channel.clone(), platform_id)),
            _ => {}
        }
    }
    // A request that reaches only accounts outside the proof is not carried out; a person reviews it.
    if erases && !(told.foreign && new.is_empty()) {
        let contact = event.contact.as_ref().map(|contact| contact.id.as_str());
        erase(tx, delivery.id, &new, contact, delivery.received_at)?;
    }
    Ok(told)
}

/// Carries out an erasure request: deletes a contact of the accounts, or the accounts themselves.
pub(crate) fn erase(
    tx: &Transaction<'_>,
    delivery: DeliveryId,
    accounts: &[AccountId],
    contact: Option<&str>,
    now: u64,
) -> Result<(), InboxError> {
    let mut contacts = 0;
    for &account in accounts {
        contacts += delete_contents(tx, account, contact, now)?;
        if contact.is_none() {
            note_deleted(tx, account, as_millis(now))?;
            forget(tx, account, "The person who connected it asked the platform to delete everything.")?;
            tx.prepare_cached("UPDATE account SET name = platform_id, username = NULL, picture = NULL WHERE id = ?1")?
                .execute(params![account])?;
        }
    }
    // The request itself names the person, so it is purged too.
    tx.prepare_cached("UPDATE delivery SET purge = 1 WHERE id = ?1")?.execute(params![delivery])?;
    let gone = if contact.is_none() { accounts.len() } else { 0 };
    let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    tx.prepare_cached(
        "UPDATE erasure SET finished_at = ?2, accounts = accounts + ?3, contacts = contacts + ?4
         WHERE delivery_id = ?1",
    )?
    .execute(params![delivery, as_millis(now), count(gone), count(contacts)])?;
    Ok(())
}
