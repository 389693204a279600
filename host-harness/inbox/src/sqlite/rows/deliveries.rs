//! Owns: a delivery's row after it was read: emptied when what it brought is gone, and queued again.
//! Does not own: when it is read, and parking it.

use rusqlite::{Transaction, params};

use crate::{
    error::InboxError,
    model::DeliveryFailure,
    model::{AccountId, DeliveryId},
};

/// Empties a delivery that brought something which the customer has unsent: now, or, where it holds
/// something else that nobody has yet, as soon as it has been applied in full.
pub(crate) fn redact(tx: &Transaction<'_>, delivery: DeliveryId) -> Result<(), InboxError> {
    tx.prepare_cached(
        "UPDATE delivery SET redact = 1 WHERE id = ?1 OR id IN (SELECT again FROM repeat WHERE first = ?1)",
    )?
    .execute(params![delivery])?;
    let mut ids = vec![delivery];
    let mut statement = tx.prepare_cached("SELECT again FROM repeat WHERE first = ?1")?;
    for again in statement.query_map(params![delivery], |row| row.get(0))? {
        ids.push(again?);
    }
    redact_applied(tx, &ids)
}

/// Empties those of the deliveries that waited for it.
pub(crate) fn redact_applied(tx: &Transaction<'_>, deliveries: &[DeliveryId]) -> Result<(), InboxError> {
    tx.prepare_cached(
        "UPDATE delivery SET state = 'redacted', body = x'', headers = '[]'
         WHERE redact AND state = 'applied' AND id IN (SELECT value FROM json_each(?1))",
    )?
    .execute(params![serde_json::to_string(deliveries)?])?;
    Ok(())
}

/// Empties those of the deliveries that came out of an archive: the platform still has it, and what the channel asks
/// for again and again does not pile up here.
pub(crate) fn empty_archived(tx: &Transaction<'_>, deliveries: &[DeliveryId]) -> Result<(), InboxError> {
    tx.prepare_cached(
        "UPDATE delivery SET state = 'redacted', body = x''
         WHERE source = 'archive' AND state = 'applied' AND id IN (SELECT value FROM json_each(?1))",
    )?
    .execute(params![serde_json::to_string(deliveries)?])?;
    Ok(())
}

/// Notes that a delivery carries words of a message which another one brought.
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

/// Takes out the deliveries that carry words of a message, beside the one that brought it.
pub(crate) fn take_carriers(
    tx: &Transaction<'_>,
    account: AccountId,
    target: &str,
) -> Result<Vec<DeliveryId>, InboxError> {
    // Looked for first: a statement that deletes and returns costs more, and nearly no message has one.
    let mut statement = tx.prepare_cached("SELECT delivery_id FROM carrier WHERE account_id = ?1 AND target = ?2")?;
    let found =
        statement.query_map(params![account, target], |row| row.get(0))?.collect::<Result<Vec<DeliveryId>, _>>()?;
    if !found.is_empty() {
        tx.prepare_cached("DELETE FROM carrier WHERE account_id = ?1 AND target = ?2")?
            .execute(params![account, target])?;
    }
    Ok(found)
}

/// What is said of a delivery that waited for nothing.
pub(crate) const TOO_MANY: &str = "more deliveries waited for its account than are kept, and this was the oldest";
pub(crate) const TOO_OLD: &str = "its account was not connected within the time for which deliveries are kept";

/// Puts what waits for this account, under its id or an alias, back into the queue; events that were applied before
/// are recognised.
pub(crate) fn requeue_account(tx: &Transaction<'_>, account: AccountId) -> Result<usize, InboxError> {
    const OF_ACCOUNT: &str = "SELECT delivery_id FROM awaited WHERE (channel, account) IN (
         SELECT channel, platform_id FROM account WHERE id = ?1
         UNION ALL SELECT channel, alias FROM alias WHERE account_id = ?1)";
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
    // Whoever else it waits for is noted again when it has been read.
    tx.prepare_cached("DELETE FROM awaited WHERE delivery_id IN (SELECT value FROM json_each(?1))")?
        .execute(params![ids])?;
    Ok(taken)
}

/// Puts what waits for the channel itself back into the queue: it is loaded now.
pub(crate) fn requeue_channel(tx: &Transaction<'_>, channel: &str) -> Result<usize, InboxError> {
    Ok(tx
        .prepare_cached(
            "UPDATE delivery SET state = 'received' WHERE state = 'unrouted' AND channel = ?1
               AND NOT EXISTS (SELECT 1 FROM awaited WHERE delivery_id = delivery.id)",
        )?
        .execute(params![channel])?)
}

/// Keeps a delivery for a person to look at. Another component may read it otherwise.
pub(crate) fn mark_failed(tx: &Transaction<'_>, failure: &DeliveryFailure) -> Result<(), InboxError> {
    tx.prepare_cached(
        "UPDATE delivery SET state = 'failed', attempts = attempts + 1, problem = ?2, translator = ?3 WHERE id = ?1",
    )?
    .execute(params![failure.id, failure.problem, failure.translator])?;
    Ok(())
}
