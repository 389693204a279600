//! Owns: conversations identified by their thread: those with several people or with no one in particular, and changes
//! of thread ids.
//! Does not own: their content.

use harness_contract::{Contact, Thread, ThreadKind};
use rusqlite::{Transaction, params};

use super::{changes::Owner, continued, conversations, people};
use crate::{
    error::InboxError,
    model::{ChangeKind, ConversationId},
};

/// The conversation key of a thread.
pub(crate) fn key(thread: &str) -> String {
    format!("t:{thread}")
}

/// Whether a thread has several people, so that its conversation belongs to no single contact.
pub(crate) fn has_several(thread: &Thread) -> bool {
    match thread.kind {
        ThreadKind::Group | ThreadKind::Topic | ThreadKind::Channel | ThreadKind::Public => true,
        ThreadKind::Direct | ThreadKind::Other => false,
    }
}

/// Finds or creates the conversation of a thread that has no single customer.
pub(crate) fn find_or_make(
    tx: &Transaction<'_>,
    of: Owner,
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
    people::stand_in(tx, of, &nobody, &key(&thread.id), Some(thread), at)
}

/// Moves a thread's data from its previous id to its new one.
pub(crate) fn moved(tx: &Transaction<'_>, of: Owner, previous: &str, thread: &Thread) -> Result<(), InboxError> {
    match conversations::of_key(tx, of.account, &key(previous))? {
        Some(conversation) => stands_in(tx, of, conversation, thread),
        None => Ok(()),
    }
}

/// Places a conversation in a thread: it gets the thread's key, or is merged into the conversation that has it.
pub(crate) fn stands_in(
    tx: &Transaction<'_>,
    of: Owner,
    conversation: ConversationId,
    thread: &Thread,
) -> Result<(), InboxError> {
    let (key, conversation) = (key(&thread.id), continued::current(tx, conversation)?);
    match conversations::of_key(tx, of.account, &key)? {
        Some(there) if there == conversation => Ok(()),
        Some(there) => people::go_on_in(tx, of, conversation, there),
        None => {
            tx.prepare_cached("UPDATE conversation SET key = ?2, thread = ?3 WHERE id = ?1")?.execute(params![
                conversation,
                key,
                serde_json::to_string(thread)?
            ])?;
            of.note(tx, ChangeKind::ConversationUpdated, conversation)
        }
    }
}

/// Records whether the platform accepts messages to a conversation.
pub(crate) fn set_closed(
    tx: &Transaction<'_>,
    of: Owner,
    conversation: ConversationId,
    closed: bool,
) -> Result<(), InboxError> {
    tx.prepare_cached("UPDATE conversation SET closed = ?2 WHERE id = ?1")?.execute(params![conversation, closed])?;
    of.note(tx, ChangeKind::ConversationUpdated, conversation)
}
