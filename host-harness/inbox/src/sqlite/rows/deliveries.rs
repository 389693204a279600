//! Owns: a delivery's row after translation: emptying it when its content was unsent, and requeueing it.
//! Does not own: translation, parking.

use rusqlite::{OptionalExtension as _, Transaction, params};

use super::changes::{Concerns, note};
use crate::{
    error::InboxError,
    model::{AccountId, ChangeKind, DeliveryFailure, DeliveryId, WorkspaceId},
};

/// Empties a delivery with content that the customer has unsent. If it also has events that are not applied yet, it is
/// emptied once they are.
pub(crate) fn purge(tx: &Transaction<'_>, delivery: DeliveryId) -> Result<(), InboxError> {
    tx.prepare_cached(
        "UPDATE delivery SET purge = 1 WHERE id = ?1 OR id IN (SELECT again FROM duplicate_delivery WHERE first = ?1)",
    )?
    .execute(params![delivery])?;
    let mut ids = vec![delivery];
    let mut statement = tx.prepare_cached("SELECT again FROM duplicate_delivery WHERE first = ?1")?;
    for again in statement.query_map(params![delivery], |row| row.get(0))? {
        ids.push(again?);
    }
    purge_applied(tx, &ids)
}

/// Empties those of the deliveries that are applied and marked for purging.
fn purge_applied(tx: &Transaction<'_>, deliveries: &[DeliveryId]) -> Result<(), InboxError> {
    tx.prepare_cached(
        "UPDATE delivery SET state = 'purged', body = x'', headers = '[]'
         WHERE purge AND state = 'applied' AND id IN (SELECT value FROM json_each(?1))",
    )?
    .execute(params![serde_json::to_string(deliveries)?])?;
    Ok(())
}

/// Records that all events of the deliveries are applied, as the component in this row read them. Empties at once those that
/// are marked for purging, and those that came from a history: the platform still has it, and pages that the channel
/// requests repeatedly must not accumulate here. One statement, because it rewrites the rows.
pub(crate) fn note_applied(tx: &Transaction<'_>, deliveries: &[DeliveryId], component: i64) -> Result<(), InboxError> {
    tx.prepare_cached(
        "UPDATE delivery SET state = iif(purge OR source = 'history', 'purged', 'applied'),
             body = iif(purge OR source = 'history', x'', body), headers = iif(purge, '[]', headers),
             attempts = attempts + 1, problem = NULL, component_id = ?2
         WHERE id IN (SELECT value FROM json_each(?1))",
    )?
    .execute(params![serde_json::to_string(deliveries)?, component])?;
    Ok(())
}

/// Records that a delivery contains text of a message that another delivery created.
pub(crate) fn note_carrier(
    tx: &Transaction<'_>,
    account: AccountId,
    target: &str,
    delivery: DeliveryId,
) -> Result<(), InboxError> {
    tx.prepare_cached(
        "INSERT INTO carrier (account_id, target, delivery_id) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
    )?
    .execute(params![account, target, delivery])?;
    Ok(())
}

/// Removes and returns the deliveries that contain text of a message, besides the one that created it.
pub(crate) fn take_carriers(
    tx: &Transaction<'_>,
    account: AccountId,
    target: &str,
) -> Result<Vec<DeliveryId>, InboxError> {
    // Looks first: DELETE with RETURNING costs more, and hardly any message has such deliveries.
    let mut statement = tx.prepare_cached("SELECT delivery_id FROM carrier WHERE account_id = ?1 AND target = ?2")?;
    let found =
        statement.query_map(params![account, target], |row| row.get(0))?.collect::<Result<Vec<DeliveryId>, _>>()?;
    if !found.is_empty() {
        tx.prepare_cached("DELETE FROM carrier WHERE account_id = ?1 AND target = ?2")?
            .execute(params![account, target])?;
    }
    Ok(found)
}

/// The reasons recorded for a delivery that waited in vain.
pub(crate) const TOO_MANY: &str = "more deliveries waited for its account than are kept, and this was the oldest";
pub(crate) const TOO_OLD: &str = "its account was not connected within the time for which deliveries are kept";

/// Requeues the deliveries that wait for this account, by its id or an alias. Events already applied are recognised as
/// repeats.
pub(crate) fn requeue_account(tx: &Transaction<'_>, account: AccountId) -> Result<usize, InboxError> {
    const OF_ACCOUNT: &str = "SELECT delivery_id FROM awaited WHERE (channel, account) IN (
         SELECT channel, platform_id FROM account WHERE id = ?1
         UNION ALL SELECT channel, alias FROM account_alias WHERE account_id = ?1)";
    let ids: Vec<DeliveryId> = {
        let mut statement = tx.prepare_cached(OF_ACCOUNT)?;
        statement.query_map(params![account], |row| row.get(0))?.collect::<Result<_, _>>()?
    };
    let ids = serde_json::to_string(&ids)?;
    let taken = tx
        .prepare_cached(
            "UPDATE delivery SET state = 'received'
             WHERE state = 'unrouted' AND id IN (SELECT value FROM json_each(?1))",
        )?
        .execute(params![ids])?;
    // Any other accounts that it waits for are recorded again when it is translated.
    tx.prepare_cached("DELETE FROM awaited WHERE delivery_id IN (SELECT value FROM json_each(?1))")?
        .execute(params![ids])?;
    Ok(taken)
}

/// Requeues the deliveries that wait for the channel itself, now that it is loaded.
pub(crate) fn requeue_channel(tx: &Transaction<'_>, channel: &str) -> Result<usize, InboxError> {
    Ok(tx
        .prepare_cached(
            "UPDATE delivery SET state = 'received' WHERE state = 'unrouted' AND channel = ?1
               AND NOT EXISTS (SELECT 1 FROM awaited WHERE delivery_id = delivery.id)",
        )?
        .execute(params![channel])?)
}

/// The row of a component that translates deliveries.
pub(crate) fn component(tx: &Transaction<'_>, channel: &str, digest: &str) -> Result<i64, InboxError> {
    let known = tx
        .prepare_cached("SELECT id FROM component WHERE digest = ?1")?
        .query_row(params![digest], |row| row.get(0))
        .optional()?;
    if let Some(known) = known {
        return Ok(known);
    }
    tx.prepare_cached("INSERT INTO component (digest, channel) VALUES (?1, ?2)")?.execute(params![digest, channel])?;
    Ok(tx.last_insert_rowid())
}

/// Keeps a delivery for a person to inspect. Another component may be able to translate it.
pub(crate) fn mark_failed(tx: &Transaction<'_>, failure: &DeliveryFailure, now: u64) -> Result<(), InboxError> {
    tx.prepare_cached(
        "UPDATE delivery SET state = 'failed', attempts = attempts + 1, problem = ?2, translator = ?3,
             component_id = (SELECT id FROM component WHERE digest = ?3) WHERE id = ?1",
    )?
    .execute(params![failure.id, failure.problem, failure.translator])?;
    // Whose it is, if its address or its secret named an account: only the operator sees the others.
    let owner: Option<(AccountId, WorkspaceId)> = tx
        .prepare_cached(
            "SELECT a.id, a.workspace_id FROM delivery d
             JOIN account a ON a.channel = d.channel AND a.platform_id = d.account WHERE d.id = ?1",
        )?
        .query_row(params![failure.id], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let (account, workspace) = owner.unzip();
    let concerns = Concerns { account, workspace, delivery: Some(failure.id), ..Concerns::default() };
    note(tx, ChangeKind::DeliveryFailed, concerns, now)
}
