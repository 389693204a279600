//! Owns: open turns of customers, and handing a conversation back to the assistant.
//! Does not own: decisions about turns (`automation`).

use rusqlite::{Transaction, params};

use crate::{error::InboxError, model::ConversationId, sqlite::columns::as_millis};

/// The assistant may answer again what comes after this.
pub(crate) fn hand_back(tx: &Transaction<'_>, conversation: ConversationId, now: u64) -> Result<(), InboxError> {
    tx.prepare_cached(
        "INSERT INTO automation_hand_back (conversation_id, at) VALUES (?1, ?2)
         ON CONFLICT (conversation_id) DO UPDATE SET at = max(at, ?2)",
    )?
    .execute(params![conversation, as_millis(now)])?;
    drop_turn(tx, conversation)
}

pub(crate) fn drop_turn(tx: &Transaction<'_>, conversation: ConversationId) -> Result<(), InboxError> {
    tx.prepare_cached("DELETE FROM automation_turn WHERE conversation_id = ?1")?.execute(params![conversation])?;
    Ok(())
}
