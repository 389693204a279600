//! Owns: deliveries: verifying and receiving webhooks and callbacks, and translating them into the inbox.
//! Does not own: HTTP, what an event changes (the inbox).

mod callbacks;
mod challenge;
mod error;
mod inspect;
mod parse;
mod signed_bytes;
mod told;
mod translate;
mod verify;

use std::sync::Arc;

use harness_contract::manifest::FixedAnswer;
use harness_egress::{Memory, credentials::Secrets};
use http::HeaderMap;

pub use self::{
    callbacks::MAX_CALLBACK,
    error::InspectError,
    inspect::{DeliveryContent, Replay, ShownBody, Translation},
    verify::{Addressed, MAX_TRIED},
};
use harness_inbox::{DeliveryId, NewDelivery};

use crate::{
    base::{Base, backlog::Backlog, public_url::PublicUrl, signals::Signals},
    channels::Channels,
    error::{Full, Refusal},
    network::credentials::AccountCredentials,
};

pub(crate) use self::{error::IngestError, translate::run};

/// What became of a verified webhook.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Taken {
    /// It is in the journal. Carries the answer if the platform expects one.
    Recorded(DeliveryId, Option<FixedAnswer>),
    /// It was only a challenge: the plain text to echo.
    Challenge(String),
}

/// The handles of this room.
pub(crate) struct Ingest {
    pub(crate) base: Base,
    pub(crate) channels: Channels,
    pub(crate) secrets: Secrets,
    pub(crate) credentials: AccountCredentials,
    pub(crate) backlog: Arc<Backlog>,
    pub(crate) signals: Arc<Signals>,
    pub(crate) memory: Memory,
    pub(crate) public_url: PublicUrl,
}

impl Ingest {
    /// Whether a channel declares a callback of this name.
    pub(crate) fn has_callback(&self, channel: &str, name: &str) -> bool {
        self.channels.get(channel).is_ok_and(|registered| registered.channel.manifest().callbacks.contains_key(name))
    }

    /// Counts a webhook or a callback that was rejected for its size.
    pub(crate) fn note_too_large(&self, channel: &str) {
        if self.channels.get(channel).is_ok() {
            self.signals.webhook(channel, Err(Refusal::TooLarge), self.base.clock.now());
        }
    }

    /// Checks what can be checked before the body is read: the channel, the headers of the proof, the announced length.
    /// Returns the maximum body size, in bytes.
    pub(crate) fn expect(&self, channel: &str, headers: &HeaderMap, announced: Option<u64>) -> Result<usize, Refusal> {
        let registered = self.channels.get(channel).map_err(|_| Refusal::UnknownChannel)?;
        let webhook = registered.channel.manifest().webhook.as_ref().ok_or(Refusal::NoWebhook)?;
        if !webhook.verification.headers().all(|name| headers.contains_key(name)) {
            return Err(Refusal::NoProof);
        }
        match announced {
            Some(length) if length > webhook.max_body_bytes as u64 => {
                self.note_too_large(channel);
                Err(Refusal::TooLarge)
            }
            _ => Ok(webhook.max_body_bytes),
        }
    }

    /// Verifies a webhook and records it, or returns the challenge to echo. If the address names an account, only that
    /// account's secrets and the channel's own are tried.
    pub(crate) async fn deliver_to(
        &self,
        to: Addressed<'_>,
        headers: &HeaderMap,
        body: Vec<u8>,
    ) -> Result<Taken, IngestError> {
        let registered = self.channels.get(to.channel).map_err(|_| Refusal::UnknownChannel)?;
        let webhook = registered.channel.manifest().webhook.as_ref().ok_or(Refusal::NoWebhook)?;
        let now = self.base.clock.now();
        let verified = verify::verify(to, webhook, &self.secrets, &self.public_url, (headers, body), now);
        let slot = verified.as_ref().map(|verified| verified.proof().slot().unwrap_or_default());
        self.signals.webhook(to.channel, slot.map_err(|refusal| *refusal), now);
        let new = verified?.into_new();
        if let Some(echo) = challenge::in_body(webhook, &new.delivery.body) {
            return Ok(Taken::Challenge(echo));
        }
        Ok(Taken::Recorded(self.record(new).await?, webhook.answer.clone()))
    }

    /// Appends a delivery to the journal if the backlog limits of its channel and its account allow it.
    async fn record(&self, new: NewDelivery) -> Result<DeliveryId, IngestError> {
        let (channel, account, bytes) = (
            new.channel.clone(),
            new.delivery.account.as_ref().map(|account| account.id.clone()),
            new.delivery.body.len(),
        );
        self.backlog.admit(&channel, account.as_deref())?;
        let row = self.base.inbox.record(new).await?;
        self.backlog.add(&channel, account.as_deref(), bytes);
        Ok(row)
    }

    /// Whether the channel's backlog has room for another delivery.
    pub(crate) fn admit(&self, channel: &str) -> Result<(), Full> {
        self.backlog.admit(channel, None)
    }

    /// Verifies a platform's `GET` challenge. Returns the text to echo.
    pub(crate) fn challenge(&self, to: Addressed<'_>) -> Result<String, Refusal> {
        let channel = to.channel;
        let registered = self.channels.get(channel).map_err(|_| Refusal::UnknownChannel)?;
        let webhook = registered.channel.manifest().webhook.as_ref().ok_or(Refusal::NoWebhook)?;
        let now = self.base.clock.now();
        let answer = challenge::in_query(to, webhook, &self.secrets, now);
        self.signals.challenge(channel, answer.as_ref().map(|_| ()).map_err(|refusal| *refusal), now);
        answer
    }

    /// Requeues deliveries that could not be translated, of one channel or of all. Returns their number.
    pub(crate) async fn retry_failed(&self, channel: Option<String>) -> Result<usize, IngestError> {
        let base = self.base.clone();
        let retry = async move {
            let requeued = base.inbox.retry_failed(channel).await?;
            base.wake.delivered.notify_one();
            Ok(requeued)
        };
        self.base.begun.whole(retry).await
    }
}
