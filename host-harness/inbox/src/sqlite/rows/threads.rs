//! Owns: conversations that are known by their thread: with several people or nobody in particular, and those that get another id.
//! Does not own: what happens in them.

use harness_contract::{Contact, Thread, ThreadKind};
use rusqlite::{Transaction, params};

use super::{conversations, people};
use crate::{
    error::InboxError,
    model::{AccountId, ConversationId},
};

/// The key of a thread's conversation.
pub(crate) fn key(thread: &str) -> String {
    format!("t:{thread}")
}

/// Whether a thread has several people, so that its conversation is with none of them alone.
pub(crate) fn has_several(thread: &Thread) -> bool {
    match thread.kind {
        ThreadKind::Group | ThreadKind::Topic | ThreadKind::Channel | ThreadKind::Public => true,
        ThreadKind::Direct | ThreadKind::Other => false,
    }
}

/// Finds or makes the conversation of a thread in which nobody is the customer alone.
pub(crate) fn find_or_make(
    tx: &Transaction<'_>,
    account: AccountId,
    thread: &Thread,
    at: i64,
) -> Result<ConversationId, InboxError> {
    let nobody = Contact {
        id: format!("u:thread:{}", thread.id),
        name: None,
        username: None,
        addresses: Vec::new(),
        language: None,
        details: Vec::new(),
    };
    people::stand_in(tx, account, &nobody, &key(&thread.id), Some(thread), at)
}

/// What is kept under a thread's previous id goes on under its new one.
pub(crate) fn moved(
    tx: &Transaction<'_>,
    account: AccountId,
    previous: &str,
    thread: &Thread,
) -> Result<(), InboxError> {
    match conversations::of_key(tx, account, &key(previous))? {
        Some(conversation) => stands_in(tx, account, conversation, thread),
        None => Ok(()),
    }
}

/// A conversation stands in this thread now: it gets its key, or goes on in the conversation that has it.
pub(crate) fn stands_in(
    tx: &Transaction<'_>,
    account: AccountId,
    conversation: ConversationId,
    thread: &Thread,
) -> Result<(), InboxError> {
    let key = key(&thread.id);
    match conversations::of_key(tx, account, &key)? {
        Some(there) if there == conversation => Ok(()),
        Some(there) => people::go_on_in(tx, conversation, there),
        None => {
            tx.prepare_cached("UPDATE conversation SET key = ?2, thread = ?3 WHERE id = ?1")?.execute(params![
                conversation,
                key,
                serde_json::to_string(thread)?
            ])?;
            Ok(())
        }
    }
}

/// The platform takes nothing for a conversation any more, or does again.
pub(crate) fn set_closed(tx: &Transaction<'_>, conversation: ConversationId, closed: bool) -> Result<(), InboxError> {
    tx.prepare_cached("UPDATE conversation SET closed = ?2 WHERE id = ?1")?.execute(params![conversation, closed])?;
    Ok(())
}
