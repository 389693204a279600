//! Owns: the product's interface to deliveries, replies and files.
//! Does not own: their implementation (`ingest`, `outbound`, `media`).

use std::{collections::HashMap, ops::Range, sync::Arc};

use bytes::Bytes;
use harness_contract::{ChannelCapabilities, ConversationContext, OutboundMessage, Window};
use harness_egress::Held;
use harness_inbox::{
    ConversationId, ConversationSummary, ErasureView, InboxError, MediaId, MediaView, Queued, ReplyId, Settlement,
    Upload, UserId, WorkspaceId,
};
use http::HeaderMap;
use serde_json::Value;

use super::{Host, HostError};
use crate::{
    base::exchanges::Exchange,
    error::Refusal,
    ingest::{Addressed, Taken},
    media::uploads::{TakeError, Taking},
    outbound::Preview,
    store::stored::FileContent,
};

impl Host {
    /// The newest requests of a reply with their answers, oldest first: as far as they are still in memory.
    pub fn exchanges(&self, reply: ReplyId) -> Vec<Exchange> {
        self.base().exchanges.of(reply)
    }

    /// Checks a webhook before its body is read: the channel, the proof's header, and the announced length. Returns the
    /// maximum length, in bytes.
    pub fn expect(&self, channel: &str, headers: &HeaderMap, announced: Option<u64>) -> Result<usize, Refusal> {
        self.rooms.ingest.expect(channel, headers, announced)
    }

    /// An empty memory reservation for the body of a webhook of this channel. It grows with the body.
    pub fn webhook_memory(&self, channel: &str) -> Held {
        self.rooms.ingest.memory.webhook(channel)
    }

    /// Whether the channel's backlog has room for one more delivery.
    pub fn admit(&self, channel: &str) -> Result<(), HostError> {
        Ok(self.rooms.ingest.admit(channel)?)
    }

    /// Records that a webhook or a callback was refused for its size.
    pub fn note_too_large(&self, channel: &str) {
        self.rooms.ingest.note_too_large(channel);
    }

    /// Accepts a webhook at a channel's address: verifies it and stores it durably. Once this returns, the platform may
    /// be told that it was taken.
    pub async fn deliver(&self, channel: &str, headers: &HeaderMap, body: Vec<u8>) -> Result<Taken, HostError> {
        self.deliver_to(Addressed::channel(channel), headers, body).await
    }

    /// Like [`Self::deliver`], at an address that may name the account. If it does, only its secret and the channel's
    /// own are tried.
    pub async fn deliver_to(&self, to: Addressed<'_>, headers: &HeaderMap, body: Vec<u8>) -> Result<Taken, HostError> {
        Ok(self.rooms.ingest.deliver_to(to, headers, body).await?)
    }

    /// Answers a platform's challenge in a query with the text to echo.
    pub fn challenge(&self, to: Addressed<'_>) -> Result<String, Refusal> {
        self.rooms.ingest.challenge(to)
    }

    /// Whether a channel declares a callback of this name.
    pub fn has_callback(&self, channel: &str, name: &str) -> bool {
        self.rooms.ingest.has_callback(channel, name)
    }

    /// Accepts a callback: verifies it and stores it durably, once. Returns the JSON that the platform expects, if any.
    /// A repeated callback gets the same answer and changes nothing.
    pub async fn callback(&self, channel: &str, name: &str, form: &[u8]) -> Result<Option<Value>, HostError> {
        Ok(self.rooms.ingest.callback(channel, name, form).await?)
    }

    /// The progress of the request with this code.
    pub async fn callback_state(&self, code: &str) -> Result<ErasureView, InboxError> {
        self.base().inbox.erasure(code).await
    }

    /// Queues a reply, once per key. Its result is read from the inbox.
    ///
    /// What the host knows of the message's files (size, detected type, name) is filled in.
    pub async fn reply(
        &self,
        conversation: ConversationId,
        key: &str,
        message: OutboundMessage,
    ) -> Result<Queued, HostError> {
        Ok(self.rooms.outbound.reply(conversation, key, message).await?)
    }

    /// Like [`Self::reply`], but asks the channel first: a message that it rejects is not queued and does not use up
    /// the key. The channel's remarks are stored with the reply. If the channel cannot be asked now, it is asked when
    /// the reply is due.
    ///
    /// # Errors
    /// [`HostError::NotSendable`] with all violations.
    pub async fn reply_if_sendable(
        &self,
        conversation: ConversationId,
        key: &str,
        message: OutboundMessage,
    ) -> Result<Queued, HostError> {
        self.reply_as(None, conversation, key, message).await
    }

    /// Like [`Self::reply_if_sendable`], on behalf of the person who wrote it.
    pub async fn reply_as(
        &self,
        user: Option<UserId>,
        conversation: ConversationId,
        key: &str,
        message: OutboundMessage,
    ) -> Result<Queued, HostError> {
        Ok(self.rooms.outbound.reply_if_sendable(user, conversation, key, message).await?)
    }

    /// What would become of a message: violations, degradations, and the requests that it takes. Nothing is queued.
    ///
    /// # Errors
    /// The channel cannot be asked.
    pub async fn preview(&self, conversation: ConversationId, message: OutboundMessage) -> Result<Preview, HostError> {
        Ok(self.rooms.outbound.preview(conversation, message).await?)
    }

    /// Records an operator's decision about a part whose delivery is ambiguous: it arrived, it did not, or it is to be
    /// sent again.
    pub async fn settle(&self, reply: ReplyId, settlement: Settlement) -> Result<(), HostError> {
        Ok(self.rooms.outbound.settle(reply, settlement).await?)
    }

    /// Everything in a conversation that a message depends on, including the window.
    pub async fn context(&self, conversation: ConversationId) -> Result<ConversationContext, HostError> {
        Ok(self.rooms.outbound.context(conversation).await?)
    }

    /// The windows of the conversations of a list. Those of a channel that is not loaded have none.
    pub async fn windows(
        &self,
        conversations: &[ConversationSummary],
    ) -> Result<HashMap<ConversationId, Window>, InboxError> {
        self.rooms.outbound.channels.windows(conversations).await
    }

    /// What the channel of a conversation can do for its account.
    pub async fn capabilities(&self, conversation: ConversationId) -> Result<Arc<ChannelCapabilities>, HostError> {
        Ok(self.rooms.outbound.capabilities(conversation).await?)
    }

    /// Starts the upload of a file that is to be sent.
    pub async fn take_file(&self) -> Result<Taking, TakeError> {
        self.take_file_for(WorkspaceId::FIRST).await
    }

    /// Like [`Self::take_file`], for replies of this workspace. Others may not name it.
    pub async fn take_file_for(&self, workspace: WorkspaceId) -> Result<Taking, TakeError> {
        self.rooms.media.take_file(workspace).await
    }

    /// Stores a file that is already in memory.
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

    /// The largest accepted file, in bytes.
    pub fn largest_file(&self) -> u64 {
        self.rooms.media.largest_file()
    }

    /// An uploaded file and its bytes.
    pub async fn upload(&self, handle: &str) -> Result<(Upload, FileContent), HostError> {
        Ok(self.rooms.media.upload(handle).await?)
    }

    /// A public address of an uploaded file, signed and valid for a day; `None` if this host has no public address.
    pub fn file_address(&self, handle: &str) -> Option<String> {
        self.rooms.media.links.address(handle).ok()
    }

    /// The file behind a signed address that was given to a channel. `until` and `proof` are part of the address.
    /// `None` if the signature is wrong or has expired.
    pub async fn linked_file(
        &self,
        handle: &str,
        until: u64,
        proof: &str,
    ) -> Result<Option<(Upload, FileContent)>, HostError> {
        Ok(self.rooms.media.linked(handle, until, proof).await?)
    }

    /// The bytes of a message's file, if it is stored.
    pub async fn media(&self, media: &MediaView) -> Result<Option<FileContent>, HostError> {
        Ok(self.rooms.media.content(media).await?)
    }

    /// These bytes of a message's file, if it is stored. They have to be within its size.
    pub async fn media_part(&self, media: &MediaView, part: Range<u64>) -> Result<Option<FileContent>, HostError> {
        Ok(self.rooms.media.part(media, part).await?)
    }

    /// Permission for a browser to load a message's file without a token: until when, in seconds since 1970, and the
    /// signature. It is valid for half an hour at least.
    pub fn sign_media(&self, id: MediaId) -> (u64, String) {
        self.rooms.media.links.for_browser(id)
    }

    /// Whether a browser shows the permission that [`Self::sign_media`] gave for this file, in time.
    pub fn is_signed_media(&self, id: MediaId, expires: u64, signature: &str) -> bool {
        self.rooms.media.links.is_for_browser(id, expires, signature)
    }
}
