//! Owns: the cache and the pending writes of one transaction.
//! Does not own: the effects of events.

use std::{
    collections::{BTreeMap, HashMap},
    rc::Rc,
};

use harness_contract::{Event, EventBody, ThreadChange};
use rusqlite::{OptionalExtension as _, Transaction, params};

use super::{conversations::writer_of, parking::Parking};
use crate::{
    error::InboxError,
    model::{AccountId, ConversationId, DeliveryId, TranslatedDelivery, WhenClosed, WorkspaceId},
    sqlite::rows::{
        changes::Owner,
        conversations,
        deliveries::{component, note_applied, purge},
        people, threads,
    },
};

/// The cache and the pending writes of one transaction. Most deliveries of a batch concern the same few accounts and
/// people.
#[derive(Default)]
pub(crate) struct BatchCache {
    /// By channel and the platform's id.
    accounts: HashMap<String, HashMap<String, Option<Rc<KnownAccount>>>>,
    /// By account and conversation key.
    conversations: HashMap<(AccountId, String), ConversationId>,
    /// Deliveries whose events are all applied, by the row of the component that translated them.
    applied: BTreeMap<i64, Vec<DeliveryId>>,
    /// Rows of components, by digest.
    components: HashMap<String, i64>,
    /// Deliveries with content that was unsent.
    pub(crate) emptied: Vec<DeliveryId>,
    /// Deliveries waiting for unconnected accounts.
    pub(crate) parking: Parking,
}

/// An account as looked up for an event.
#[derive(Clone, Debug)]
pub(crate) struct KnownAccount {
    pub(crate) id: AccountId,
    /// The platform's id. The event may have named an alias.
    pub(crate) platform_id: String,
    pub(crate) connected: bool,
    pub(crate) workspace: WorkspaceId,
    pub(crate) when_closed: WhenClosed,
}

impl BatchCache {
    pub(crate) fn account(
        &mut self,
        tx: &Transaction<'_>,
        channel: &str,
        id: &str,
    ) -> Result<Option<Rc<KnownAccount>>, InboxError> {
        if let Some(found) = self.accounts.get(channel).and_then(|of_channel| of_channel.get(id)) {
            return Ok(found.clone());
        }
        let found = account_of(tx, channel, id)?.map(Rc::new);
        self.accounts.entry(channel.to_owned()).or_default().insert(id.to_owned(), found.clone());
        Ok(found)
    }

    /// The conversation that the event belongs to; `None` if the event names no one who could be answered.
    pub(crate) fn conversation(
        &mut self,
        tx: &Transaction<'_>,
        of: Owner,
        event: &Event,
        at: i64,
    ) -> Result<Option<ConversationId>, InboxError> {
        if let (Some(thread), EventBody::ThreadUpdate(ThreadChange::Moved(previous))) = (&event.thread, &event.body) {
            threads::moved(tx, of, previous, thread)?;
            self.conversations.clear();
        }
        if let (Some(contact), EventBody::ContactUpdate(update)) = (&event.contact, &event.body) {
            for previous in &update.previous_ids {
                people::renamed(tx, of, previous, contact, at)?;
            }
            self.conversations.clear();
        }
        if let Some(thread) =
            event.thread.as_ref().filter(|thread| event.contact.is_none() || threads::has_several(thread))
        {
            if let Some(contact) = &event.contact {
                conversations::note_contact(tx, of, contact)?;
            }
            return threads::find_or_make(tx, of, thread, at).map(Some);
        }
        let Some(contact) = &event.contact else {
            let writer = writer_of(event);
            return writer.map(|writer| people::find_or_make(tx, of, &writer, at)).transpose();
        };
        let key = match &event.thread {
            Some(thread) => threads::key(&thread.id),
            None => format!("c:{}", contact.id),
        };
        let key = (of.account, key);
        // Names, other details and threads are written every time, so only a bare contact is cached.
        let plain = contact.name.is_none()
            && contact.username.is_none()
            && contact.addresses.is_empty()
            && contact.language.is_none()
            && contact.details.is_empty()
            && event.thread.is_none();
        if plain && let Some(conversation) = self.conversations.get(&key) {
            return Ok(Some(*conversation));
        }
        let conversation = conversations::find_or_make(tx, of, contact, &key.1, event.thread.as_ref(), at)?;
        self.conversations.insert(key, conversation);
        Ok(Some(conversation))
    }

    /// Forgets which conversations have which keys, because one of them gave up its own.
    pub(crate) fn forget_conversations(&mut self) {
        self.conversations.clear();
    }

    /// Notes that all events of a delivery are applied.
    pub(crate) fn applied(&mut self, tx: &Transaction<'_>, delivery: &TranslatedDelivery) -> Result<(), InboxError> {
        let component = match self.components.get(&delivery.translator) {
            Some(component) => *component,
            None => {
                let component = component(tx, &delivery.channel, &delivery.translator)?;
                self.components.insert(delivery.translator.clone(), component);
                component
            }
        };
        self.applied.entry(component).or_default().push(delivery.id);
        Ok(())
    }

    /// Writes the states of the deliveries so far in a few statements, and clears the cache.
    pub(crate) fn flush(&mut self, tx: &Transaction<'_>) -> Result<(), InboxError> {
        let parking = std::mem::take(&mut self.parking);
        let Self { applied, emptied, .. } = std::mem::replace(self, Self { parking, ..Self::default() });
        for (component, applied) in applied {
            note_applied(tx, &applied, component)?;
        }
        emptied.into_iter().try_for_each(|delivery| purge(tx, delivery))
    }
}

/// The account with this id or alias. A connected account takes precedence: a disconnected account's row must not hide
/// the account that now has its id as an alias.
fn account_of(tx: &Transaction<'_>, channel: &str, id: &str) -> Result<Option<KnownAccount>, InboxError> {
    Ok(tx
        .prepare_cached(
            "SELECT id, platform_id, state <> 'disconnected' AS connected, 0 AS alias, workspace_id, when_closed FROM account
             WHERE channel = ?1 AND platform_id = ?2
             UNION ALL
             SELECT a.id, a.platform_id, a.state <> 'disconnected', 1, a.workspace_id, a.when_closed
             FROM account_alias l JOIN account a ON a.id = l.account_id
             WHERE l.channel = ?1 AND l.alias = ?2
             ORDER BY connected DESC, alias LIMIT 1",
        )?
        .query_row(params![channel, id], |row| {
            Ok(KnownAccount {
                id: row.get(0)?,
                platform_id: row.get(1)?,
                connected: row.get(2)?,
                workspace: row.get(4)?,
                when_closed: row.get(5)?,
            })
        })
        .optional()?)
}
