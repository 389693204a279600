//! Owns: deliveries: verifying and receiving webhooks and callbacks, and translating them into the inbox.
//! Does not own: HTTP, what an event changes (the inbox).

mod callbacks;
mod translate;
mod verify;

use std::sync::Arc;

use harness_egress::{Memory, credentials::Secrets};
use http::HeaderMap;

use self::verify::Verified;
pub use self::{
    callbacks::MAX_CALLBACK,
    verify::{Addressed, MAX_TRIED},
};
use harness_inbox::DeliveryId;

use crate::{
    base::{Base, backlog::Backlog, public_url::PublicUrl, signals::Signals},
    channels::Channels,
    error::{HostError, Refusal},
    network::credentials::AccountCredentials,
};

pub(crate) use self::translate::run;

/// The room.
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

    /// A webhook or a callback was refused for its size.
    pub(crate) fn note_too_large(&self, channel: &str) {
        if self.channels.get(channel).is_ok() {
            self.signals.webhook(channel, Err(Refusal::TooLarge), self.base.clock.now());
        }
    }

    /// What a webhook must have before its body is read: a channel, the header with the proof, a length
    /// within the bound. Returns the bound, in bytes.
    pub(crate) fn expect(&self, channel: &str, headers: &HeaderMap, announced: Option<u64>) -> Result<usize, Refusal> {
        let registered = self.channels.get(channel).map_err(|_| Refusal::UnknownChannel)?;
        let webhook = &registered.channel.manifest().webhook;
        if !headers.contains_key(webhook.verification.header()) {
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

    /// The same at an address that may name the account: then one secret is tried, and the channel's own.
    pub(crate) async fn deliver_to(
        &self,
        to: Addressed<'_>,
        headers: &HeaderMap,
        body: Vec<u8>,
    ) -> Result<DeliveryId, HostError> {
        let registered = self.channels.get(to.channel).map_err(|_| Refusal::UnknownChannel)?;
        let webhook = &registered.channel.manifest().webhook;
        let now = self.base.clock.now();
        let verified = verify::verify(to, webhook, &self.secrets, headers, body, now);
        let slot = verified.as_ref().map(|verified| verified.proof().slot().unwrap_or_default());
        self.signals.webhook(to.channel, slot.map_err(|refusal| *refusal), now);
        self.record(verified?).await
    }

    /// Makes a delivery durable, if its channel and its account may have one more waiting.
    async fn record(&self, verified: Verified) -> Result<DeliveryId, HostError> {
        let new = verified.into_new();
        let (channel, account, bytes) = (new.channel.clone(), new.delivery.account.clone(), new.delivery.body.len());
        self.backlog.admit(&channel, account.as_deref())?;
        let row = self.base.inbox.record(new).await?;
        self.backlog.add(&channel, account.as_deref(), bytes);
        Ok(row)
    }

    /// Whether another delivery of this channel may wait to be translated.
    pub(crate) fn admit(&self, channel: &str) -> Result<(), HostError> {
        Ok(self.backlog.admit(channel, None)?)
    }

    /// Answers a platform's challenge with the text to echo.
    pub(crate) fn challenge(&self, to: Addressed<'_>, query: &str) -> Result<String, Refusal> {
        let channel = to.channel;
        let registered = self.channels.get(channel).map_err(|_| Refusal::UnknownChannel)?;
        let (webhook, now) = (&registered.channel.manifest().webhook, self.base.clock.now());
        let answer = verify::challenge(to, webhook, &self.secrets, query, now);
        self.signals.challenge(channel, answer.as_ref().map(|_| ()).map_err(|refusal| *refusal), now);
        answer
    }

    /// Puts deliveries that could not be translated back into the queue, of one channel or of all. Returns how many.
    pub(crate) async fn retry_failed(&self, channel: Option<String>) -> Result<usize, HostError> {
        let base = self.base.clone();
        let retry = async move {
            let put_back = base.inbox.retry_failed(channel).await?;
            base.wake.delivered.notify_one();
            Ok(put_back)
        };
        self.base.begun.whole(retry).await
    }
}
