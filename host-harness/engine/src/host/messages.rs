//! Owns: what a product does with deliveries, replies and files.
//! Does not own: how (`ingest`, `outbound`, `media`).

use bytes::Bytes;
use harness_contract::{ConversationContext, OutboundMessage};
use harness_egress::Held;
use harness_inbox::{
    ConversationId, DeliveryId, ErasureView, InboxError, MediaView, Queued, ReplyId, Settlement, Upload,
};
use http::HeaderMap;
use serde_json::Value;

use super::{Host, HostError};
use crate::{
    error::Refusal,
    ingest::Addressed,
    media::uploads::{TakeError, Taking},
    store::stored::FileContent,
};

impl Host {
    /// What a webhook must have before its body is read: a channel, the header with the proof, an announced length
    /// within the bound. Returns the bound, in bytes.
    pub fn expect(&self, channel: &str, headers: &HeaderMap, announced: Option<u64>) -> Result<usize, Refusal> {
        self.rooms.ingest.expect(channel, headers, announced)
    }

    /// Nothing yet of the memory for the body of a webhook of this channel: it grows as the body comes.
    pub fn webhook_memory(&self, channel: &str) -> Held {
        self.rooms.ingest.memory.webhook(channel)
    }

    /// Whether another delivery of this channel may wait to be translated.
    pub fn admit(&self, channel: &str) -> Result<(), HostError> {
        Ok(self.rooms.ingest.admit(channel)?)
    }

    /// A webhook or a callback was refused for its size.
    pub fn note_too_large(&self, channel: &str) {
        self.rooms.ingest.note_too_large(channel);
    }

    /// Takes a webhook of a channel's address: verifies it and makes it durable. When this returns, the platform may
    /// be told 200.
    pub async fn deliver(&self, channel: &str, headers: &HeaderMap, body: Vec<u8>) -> Result<DeliveryId, HostError> {
        self.deliver_to(Addressed { channel, account: None }, headers, body).await
    }

    /// The same at an address that may name the account: then one secret is tried, and the channel's own.
    pub async fn deliver_to(
        &self,
        to: Addressed<'_>,
        headers: &HeaderMap,
        body: Vec<u8>,
    ) -> Result<DeliveryId, HostError> {
        Ok(self.rooms.ingest.deliver_to(to, headers, body).await?)
    }

    /// Answers a platform's challenge with the text to echo.
    pub fn challenge(&self, to: Addressed<'_>, query: &str) -> Result<String, Refusal> {
        self.rooms.ingest.challenge(to, query)
    }

    /// Whether a channel declares a callback of this name.
    pub fn has_callback(&self, channel: &str, name: &str) -> bool {
        self.rooms.ingest.has_callback(channel, name)
    }

    /// Takes a callback: verifies it and makes it durable, once. Returns the JSON that the platform wants to hear,
    /// where it wants something; the same again for one that came before, which changes nothing.
    pub async fn callback(&self, channel: &str, name: &str, form: &[u8]) -> Result<Option<Value>, HostError> {
        Ok(self.rooms.ingest.callback(channel, name, form).await?)
    }

    /// How far the request with this code has come.
    pub async fn callback_state(&self, code: &str) -> Result<ErasureView, InboxError> {
        self.base().inbox.erasure(code).await
    }

    /// Puts deliveries that could not be translated back into the queue, of one channel or of all. Returns how many.
    pub async fn retry_failed(&self, channel: Option<String>) -> Result<usize, HostError> {
        Ok(self.rooms.ingest.retry_failed(channel).await?)
    }

    /// Puts a reply into the outbox, once for every key. How it ends is read in the inbox.
    ///
    /// What the host knows of the files that the message names (size, type by content, name) is put into it.
    pub async fn reply(
        &self,
        conversation: ConversationId,
        key: &str,
        message: OutboundMessage,
    ) -> Result<Queued, HostError> {
        Ok(self.rooms.outbound.reply(conversation, key, message).await?)
    }

    /// The same, after the channel's verdict: a message that it refuses is not queued and uses no key up. What it
    /// remarks is kept with the reply. A channel that cannot be asked now is asked when the reply's turn comes.
    ///
    /// # Errors
    /// [`HostError::NotSendable`] with everything that stands in the way.
    pub async fn reply_if_sendable(
        &self,
        conversation: ConversationId,
        key: &str,
        message: OutboundMessage,
    ) -> Result<Queued, HostError> {
        Ok(self.rooms.outbound.reply_if_sendable(conversation, key, message).await?)
    }

    /// Somebody decides about the part of a reply of which it is not known whether it was delivered: it arrived, it
    /// did not, or it is to be sent again.
    pub async fn settle(&self, reply: ReplyId, settlement: Settlement) -> Result<(), HostError> {
        Ok(self.rooms.outbound.settle(reply, settlement).await?)
    }

    /// Everything about a conversation that a message depends on, the window among it.
    pub async fn context(&self, conversation: ConversationId) -> Result<ConversationContext, HostError> {
        Ok(self.rooms.outbound.context(conversation).await?)
    }

    /// Begins to take a file that is to be sent.
    pub async fn take_file(&self) -> Result<Taking, TakeError> {
        self.rooms.media.take_file().await
    }

    /// The same for a file that is in memory already.
    pub async fn store_upload(
        &self,
        content: Bytes,
        name: Option<String>,
        claimed: Option<&str>,
    ) -> Result<Upload, TakeError> {
        let mut taking = self.take_file().await?;
        taking.write(&content).await?;
        taking.finish(name, claimed).await
    }

    /// The largest file that is taken, in bytes.
    pub fn largest_file(&self) -> u64 {
        self.rooms.media.largest_file()
    }

    /// A file that was given to be sent, and its bytes.
    pub async fn upload(&self, handle: &str) -> Result<(Upload, FileContent), HostError> {
        Ok(self.rooms.media.upload(handle).await?)
    }

    /// The same for whoever has the address that a channel was given for the file: `until` and `proof` stand in it. None
    /// where it is not one of this host's, or too old.
    pub async fn linked_file(
        &self,
        handle: &str,
        until: u64,
        proof: &str,
    ) -> Result<Option<(Upload, FileContent)>, HostError> {
        Ok(self.rooms.media.linked(handle, until, proof).await?)
    }

    /// The bytes of a stored file of a message.
    pub async fn media(&self, media: &MediaView) -> Result<Option<FileContent>, HostError> {
        Ok(self.rooms.media.content(media).await?)
    }
}
