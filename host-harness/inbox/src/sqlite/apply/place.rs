//! Owns: the account, conversation, delivery and time of an event, and writing the changes that it makes.
//! Does not own: the event's effect.

use rusqlite::Transaction;

use crate::{
    error::InboxError,
    model::{AccountId, ChangeKind, ConversationId, DeliveryId, WorkspaceId},
    sqlite::{
        columns::from_millis,
        rows::{
            changes::{self, Concerns, Owner},
            messages,
        },
    },
};

/// The account, conversation, delivery and time of an event.
#[derive(Clone, Copy)]
pub(crate) struct EventPlace {
    pub(crate) account: AccountId,
    pub(crate) workspace: WorkspaceId,
    pub(crate) conversation: Option<ConversationId>,
    pub(crate) at: i64,
    pub(crate) received_at: i64,
    pub(crate) delivery: DeliveryId,
}

impl EventPlace {
    /// What every change that the event makes concerns.
    pub(crate) fn concerns(&self) -> Concerns {
        Concerns {
            workspace: Some(self.workspace),
            account: Some(self.account),
            conversation: self.conversation,
            delivery: Some(self.delivery),
            ..Concerns::default()
        }
    }

    /// Whose rows the event writes, and when.
    pub(crate) fn owner(&self) -> Owner {
        Owner { account: self.account, workspace: Some(self.workspace), now: from_millis(self.received_at) }
    }

    /// Writes a change of the message with this platform id, whether it is here or not.
    pub(crate) fn note_message(&self, tx: &Transaction<'_>, kind: ChangeKind, id: &str) -> Result<(), InboxError> {
        let found = messages::by_platform_id(tx, self.account, id)?;
        let (message, conversation) = found.map_or((None, self.conversation), |(id, of)| (Some(id), Some(of)));
        self.note(tx, kind, Concerns { message, conversation, ..self.concerns() })
    }

    /// Writes a change that the event makes.
    pub(crate) fn note(&self, tx: &Transaction<'_>, kind: ChangeKind, concerns: Concerns) -> Result<(), InboxError> {
        changes::note(tx, kind, concerns, from_millis(self.received_at))
    }
}
