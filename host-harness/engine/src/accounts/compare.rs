//! Owns: the expensive parts of a health check: comparing the platform's history with the inbox, requesting the host's
//! own address.
//! Does not own: the resulting lines (`health`).

use std::{sync::Arc, time::Duration};

use harness_contract::{Author, EventBody, HistoryRequest};
use harness_egress::{Egress, read_at_most};
use harness_inbox::AccountRow;
use url::Url;

use super::{Accounts, AccountsError};
use crate::channels::loaded::LoadedChannel;

/// Maximum size of a challenge response, in bytes.
const MAX_CHALLENGE: usize = 4 << 10;
/// Number of history messages that are compared.
const COMPARED: u32 = 50;
/// How late a webhook may be, in milliseconds.
const ON_ITS_WAY: u64 = 60_000;

impl Accounts {
    /// Compares the customers' messages in the platform's history since a time with the inbox. Returns how many of them
    /// did not arrive by webhook, and how many there are; `None` if the platform has no history.
    pub(super) async fn missing_messages(
        self: &Arc<Self>,
        row: &AccountRow,
        registered: &LoadedChannel,
        since: u64,
    ) -> Result<Option<(usize, usize)>, AccountsError> {
        // Histories have a resolution of one second.
        let since = since.saturating_sub(1000);
        let request = HistoryRequest { thread: None, contact: None, since: Some(since), cursor: None, limit: COMPARED };
        let page = self.call(row.id, move |channel, effects, account| channel.history(effects, account, &request));
        let page = match page.await {
            Ok(page) => page,
            Err(AccountsError::Account(error)) if matches!(*error, harness_contract::AccountError::Unsupported) => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let now = self.base.clock.now();
        let items = page.items.into_iter().map(|item| item.body).collect();
        let events = self.channels.read_archived(registered, row.platform_id.clone(), items).await?;
        let (mut missing, mut known) = (0, 0);
        for event in events {
            let at = event.at.unwrap_or_default();
            let (Author::Contact, EventBody::Message(message)) = (&event.author, &event.body) else { continue };
            let Some(id) = &message.id else { continue };
            if at < since || at.saturating_add(ON_ITS_WAY) > now {
                continue;
            }
            known += 1;
            if !self.base.inbox.came_live(row.id, id).await? {
                missing += 1;
            }
        }
        Ok(Some((missing, known)))
    }
}

/// Requests an address of this host, which may be private.
pub(super) async fn own_address(egress: &Egress, url: Url, time: Duration) -> Result<(u16, String), String> {
    let answer = async {
        // The URL contains the verify token.
        let response = egress.own().get(url).send().await.map_err(|error| error.without_url().to_string())?;
        let status = response.status().as_u16();
        // A longer body is not a challenge response.
        let body = read_at_most(response, MAX_CHALLENGE).await.unwrap_or_default();
        Ok::<_, String>((status, String::from_utf8_lossy(&body).into_owned()))
    };
    match tokio::time::timeout(time, answer).await {
        Ok(answer) => answer,
        Err(_) => Err("no answer came in time".into()),
    }
}
