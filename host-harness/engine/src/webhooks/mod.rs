//! Owns: telling products what changes, over webhooks: in order, signed, again after a failure, each from its position.
//! Does not own: the changes (the inbox), which address may be called (egress).

mod deliver;
mod event;
mod pace;
mod sign;

use std::{collections::HashSet, sync::Arc};

use harness_egress::{
    DirectClient,
    credentials::{Secret, SecretKey, Vault, VaultError},
};
use harness_inbox::{InboxError, NewWebhook, WebhookAttempt, WebhookChange, WebhookId, WebhookView, WorkspaceId};
use tokio::{sync::watch, task::JoinSet};

pub use self::event::{Event, MISSED};
use crate::base::{
    Base,
    tasks::{REST, Worker},
};

/// The most addresses of one workspace.
const MOST: usize = 32;
/// The most addresses that are called at once.
const AT_ONCE: usize = 32;

/// The handles of this room.
pub(crate) struct Webhooks {
    pub(crate) base: Base,
    pub(crate) vault: Arc<Vault>,
    pub(crate) direct: Arc<DirectClient>,
}

/// Why an address is not taken.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// It cannot be called.
    #[error(transparent)]
    Address(#[from] harness_egress::DirectError),
    /// A position lies after the newest change.
    #[error("the position {0} is after the newest change, {1}")]
    Position(u64, u64),
    /// The inbox failed.
    #[error(transparent)]
    Inbox(#[from] InboxError),
    /// The secret cannot be made, sealed or opened.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

/// What the secrets of addresses are sealed for. No channel's id has a space.
fn sealed_for() -> SecretKey {
    SecretKey { channel: "the host".into(), account: None, slot: "webhook".into() }
}

impl Webhooks {
    /// Adds an address. The secret is shown this once.
    pub(crate) async fn add(
        &self,
        workspace: WorkspaceId,
        url: &str,
        kinds: harness_inbox::KindFilter,
    ) -> Result<(WebhookView, Secret), WebhookError> {
        let url = self.direct.check(url)?.to_string();
        let secret = sign::new_secret()?;
        let sealed = self.vault.seal(&sealed_for(), &secret)?;
        let now = self.base.clock.now();
        let new = NewWebhook { workspace, url, kinds, secret: sealed, most: MOST, now };
        Ok((self.base.inbox.add_webhook(new).await?, secret))
    }

    /// Changes an address.
    pub(crate) async fn change(&self, id: WebhookId, mut change: WebhookChange) -> Result<WebhookView, WebhookError> {
        if let Some(url) = &change.url {
            change.url = Some(self.direct.check(url)?.to_string());
        }
        let newest = *self.base.inbox.newest_change().borrow();
        if let Some(position) = change.position.filter(|position| *position > newest) {
            return Err(WebhookError::Position(position, newest));
        }
        let changed = self.base.inbox.change_webhook(id, change, self.base.clock.now()).await?;
        Ok(changed)
    }

    /// Sends an event that means nothing, now and once.
    pub(crate) async fn test(&self, id: WebhookId) -> Result<WebhookAttempt, WebhookError> {
        let webhook = self.base.inbox.webhook(id).await?;
        let event = Event::test(id, self.base.clock.now());
        let attempt = self.attempt(&webhook, &self.secret(id).await?, 0, &event).await.attempt;
        self.base.inbox.note_webhook_test(id, attempt.clone()).await?;
        Ok(attempt)
    }

    async fn secret(&self, id: WebhookId) -> Result<Secret, WebhookError> {
        let sealed = self.base.inbox.webhook_secret(id).await?;
        Ok(self.vault.unseal(&sealed_for(), &sealed)?)
    }
}

/// Runs for as long as the host lives. An address that fails holds up no other one.
pub(crate) async fn run(room: Arc<Webhooks>) {
    let mut newest = room.base.inbox.newest_change();
    let mut called: HashSet<WebhookId> = HashSet::new();
    let mut calls = JoinSet::new();
    loop {
        newest.mark_unchanged();
        let now = room.base.clock.now();
        let due = match room.base.inbox.due_webhooks(now, AT_ONCE).await {
            Ok(due) => due,
            Err(error) => {
                tracing::error!(%error, "products are not told of changes for now");
                room.base.clock.wait(REST).await;
                continue;
            }
        };
        for webhook in due {
            if calls.len() >= AT_ONCE || !called.insert(webhook.id) {
                continue;
            }
            let room = Arc::clone(&room);
            calls.spawn(async move {
                let id = webhook.id;
                let told = room.base.tasks.guarded(Worker::Webhooks, room.tell(webhook)).await;
                if let Ok(Err(error)) = &told {
                    tracing::error!(%error, webhook = id.get(), "a product is not told of changes for now");
                }
                if !matches!(told, Ok(Ok(()))) {
                    room.base.clock.wait(REST).await;
                }
                id
            });
        }
        let next = room.base.inbox.next_webhook(now).await.unwrap_or_default();
        tokio::select! {
            woken = changed(&mut newest) => if !woken { return },
            Some(ended) = calls.join_next() => match ended {
                Ok(id) => drop(called.remove(&id)),
                // Aborted with the host.
                Err(_) => return,
            },
            () = room.base.clock.sleep_until(next) => {}
        }
    }
}

/// Waits for a newer change; false if the inbox is closed.
async fn changed(newest: &mut watch::Receiver<u64>) -> bool {
    newest.changed().await.is_ok()
}
