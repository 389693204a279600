//! Owns: unread messages, and which conversations have any.
//! Does not own: messages that move or are deleted, which triggers follow; who reads, and what the feed says of it.

use rusqlite::{Transaction, params};

use crate::{
    error::InboxError,
    model::{ConversationId, MessageId},
};

/// A message of a conversation is unread. Returns whether it was not before.
pub(crate) fn add(tx: &Transaction<'_>, conversation: ConversationId, message: MessageId) -> Result<bool, InboxError> {
    let added = tx
        .prepare_cached("INSERT INTO unread (conversation_id, message_id) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
        .execute(params![conversation, message])?;
    tx.prepare_cached("UPDATE conversation SET has_unread = 1 WHERE id = ?1 AND has_unread = 0")?
        .execute(params![conversation])?;
    Ok(added > 0)
}

/// Nothing of the conversation is unread, or nothing before one message. Returns how many messages were.
pub(crate) fn clear(
    tx: &Transaction<'_>,
    conversation: ConversationId,
    before: Option<MessageId>,
) -> Result<usize, InboxError> {
    let before = before.map_or(i64::MAX, MessageId::get);
    let read = tx
        .prepare_cached("DELETE FROM unread WHERE conversation_id = ?1 AND message_id < ?2")?
        .execute(params![conversation, before])?;
    settle(tx, conversation)?;
    Ok(read)
}

/// There is nothing to read in a message any more.
pub(crate) fn remove(tx: &Transaction<'_>, conversation: ConversationId, message: MessageId) -> Result<(), InboxError> {
    let removed = tx
        .prepare_cached("DELETE FROM unread WHERE conversation_id = ?1 AND message_id = ?2")?
        .execute(params![conversation, message])?;
    if removed > 0 { settle(tx, conversation) } else { Ok(()) }
}

fn settle(tx: &Transaction<'_>, conversation: ConversationId) -> Result<(), InboxError> {
    tx.prepare_cached(
        "UPDATE conversation SET has_unread = 0
         WHERE id = ?1 AND has_unread = 1 AND NOT EXISTS (SELECT 1 FROM unread WHERE conversation_id = ?1)",
    )?
    .execute(params![conversation])?;
    Ok(())
}
