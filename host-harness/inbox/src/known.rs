//! What one transaction of applying knows already, and what it still has to write. Belongs here: looking an account
//! up once for a batch, finding conversations once, and noting what became of deliveries, many at once.

use std::collections::HashMap;

use harness_contract::Event;
use rusqlite::{OptionalExtension as _, Transaction, params};

use crate::{
    InboxError, conversations,
    journal::{redact, redact_applied},
};

/// What one transaction knows already and what it still has to write: most deliveries of a batch speak of the same
/// few accounts and people.
#[derive(Default)]
pub(crate) struct Known {
    /// By channel and the platform's id.
    accounts: HashMap<(String, String), Option<(i64, bool)>>,
    /// By account and key.
    conversations: HashMap<(i64, String), i64>,
    /// Deliveries of which every event is applied.
    pub(crate) applied: Vec<i64>,
    /// Deliveries that hold what was taken back.
    pub(crate) emptied: Vec<i64>,
}

impl Known {
    pub(crate) fn account(
        &mut self,
        tx: &Transaction<'_>,
        channel: &str,
        id: &str,
    ) -> Result<Option<(i64, bool)>, InboxError> {
        let key = (channel.to_owned(), id.to_owned());
        if let Some(found) = self.accounts.get(&key) {
            return Ok(*found);
        }
        let found = account_of(tx, channel, id)?;
        self.accounts.insert(key, found);
        Ok(found)
    }

    /// The conversation that the event belongs to; none where the platform names no contact.
    pub(crate) fn conversation(
        &mut self,
        tx: &Transaction<'_>,
        account: i64,
        event: &Event,
        at: i64,
    ) -> Result<Option<i64>, InboxError> {
        let Some(contact) = &event.contact else { return Ok(None) };
        let key = match &event.thread {
            Some(thread) => format!("t:{}", thread.id),
            None => format!("c:{}", contact.id),
        };
        let key = (account, key);
        // A name or a thread is written down each time.
        let plain = contact.name.is_none() && contact.username.is_none() && event.thread.is_none();
        if plain && let Some(conversation) = self.conversations.get(&key) {
            return Ok(Some(*conversation));
        }
        let conversation = conversations::find_or_make(tx, account, contact, &key.1, event.thread.as_ref(), at)?;
        self.conversations.insert(key, conversation);
        Ok(Some(conversation))
    }

    /// Notes what became of the deliveries so far, many with one statement; knows nothing more afterwards.
    pub(crate) fn settle(&mut self, tx: &Transaction<'_>) -> Result<(), InboxError> {
        let Self { applied, emptied, .. } = std::mem::take(self);
        if !applied.is_empty() {
            tx.prepare_cached(
                "UPDATE delivery SET state = 'applied', attempts = attempts + 1, problem = NULL
                 WHERE id IN (SELECT value FROM json_each(?1))",
            )?
            .execute(params![serde_json::to_string(&applied)?])?;
            redact_applied(tx, &applied)?;
        }
        emptied.into_iter().try_for_each(|delivery| redact(tx, delivery))
    }
}

/// The account of this id, or of this alias, and whether it is connected.
fn account_of(tx: &Transaction<'_>, channel: &str, id: &str) -> Result<Option<(i64, bool)>, InboxError> {
    Ok(tx
        .prepare_cached(
            "SELECT id, state <> 'disconnected' FROM account WHERE channel = ?1 AND platform_id = ?2
             UNION ALL SELECT account_id, 1 FROM alias WHERE channel = ?1 AND alias = ?2 LIMIT 1",
        )?
        .query_row(params![channel, id], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?)
}
