//! Owns: replies: queueing them, their order, the attempts at each step, and what becomes of unanswered requests.
//! Does not own: idempotency and states (the inbox), which requests are allowed (egress).

mod attempt;
mod dispatcher;
mod error;
mod named;
mod unsent;
mod verdict;

use std::sync::Arc;

use harness_contract::{ChannelCapabilities, ConversationContext, OutboundMessage};
use harness_inbox::{ConversationId, InboxError, NewReply, Queued, Remarks, ReplyId, Settlement, UserId};

use crate::{
    base::{Base, rate_limit::RateLimits},
    channels::Channels,
    media::Media,
    network::{Network, credentials::AccountCredentials},
};

pub use self::verdict::{Preview, PreviewStep};
pub(crate) use self::{dispatcher::run, error::OutboundError};

/// The handles of this room.
pub(crate) struct Outbound {
    pub(crate) base: Base,
    pub(crate) channels: Channels,
    pub(crate) network: Network,
    pub(crate) credentials: AccountCredentials,
    pub(crate) rate_limits: Arc<RateLimits>,
    /// For the files that messages carry.
    pub(crate) media: Arc<Media>,
}

impl Outbound {
    /// Queues a reply, once per key. Its result is read from the inbox.
    ///
    /// What the host knows of the message's files (size, detected type, name) is filled in.
    pub(crate) async fn reply(
        &self,
        conversation: ConversationId,
        key: &str,
        mut message: OutboundMessage,
    ) -> Result<Queued, OutboundError> {
        self.media.describe(conversation, &mut message).await?;
        self.queue(None, conversation, key, message, Remarks::default()).await
    }

    async fn queue(
        &self,
        user: Option<UserId>,
        conversation: ConversationId,
        key: &str,
        message: OutboundMessage,
        remarks: Remarks,
    ) -> Result<Queued, OutboundError> {
        let (key, now) = (key.to_owned(), self.base.clock.now());
        let new = NewReply { conversation, key, message, user, remarks, now };
        let base = self.base.clone();
        let queue = async move {
            let queued = base.inbox.queue_reply(new).await?;
            base.wake.queued.notify_one();
            Ok(queued)
        };
        self.base.begun.whole(queue).await
    }

    /// Like [`Self::reply`], but asks the channel first: a message that it rejects is not queued and does not use up
    /// the key. The channel's remarks are stored with the reply. If the channel cannot be asked now, it is asked when
    /// the reply is due. `user` is the person who wrote it.
    ///
    /// # Errors
    /// [`OutboundError::NotSendable`] with all violations.
    pub(crate) async fn reply_if_sendable(
        &self,
        user: Option<UserId>,
        conversation: ConversationId,
        key: &str,
        mut message: OutboundMessage,
    ) -> Result<Queued, OutboundError> {
        self.media.describe(conversation, &mut message).await?;
        // A repeated key is the same reply, even if the message could no longer be sent.
        if self.base.inbox.has_reply(conversation, key).await? {
            return self.queue(user, conversation, key, message, Remarks::default()).await;
        }
        self.goes_on(conversation).await?;
        let remarks = self.validate(conversation, &message).await?;
        self.queue(user, conversation, key, message, remarks).await
    }

    /// Fails for a conversation that goes on in another one: nothing more is written in it.
    async fn goes_on(&self, conversation: ConversationId) -> Result<(), OutboundError> {
        match self.base.inbox.goes_on_in(conversation).await? {
            Some(by) => Err(InboxError::Continued { conversation, by }.into()),
            None => Ok(()),
        }
    }

    /// Records an operator's decision about a part whose delivery is ambiguous: it arrived, it did not, or it is to be
    /// sent again.
    pub(crate) async fn settle(&self, reply: ReplyId, settlement: Settlement) -> Result<(), OutboundError> {
        self.base.inbox.settle(reply, settlement, self.base.clock.now()).await?;
        self.base.wake.queued.notify_one();
        self.base.wake.doubts_due.notify_one();
        Ok(())
    }

    /// Everything in a conversation that a message depends on, including the window.
    pub(crate) async fn context(&self, conversation: ConversationId) -> Result<ConversationContext, OutboundError> {
        let registered = self.channels.get(&self.base.inbox.channel_of(conversation).await?)?;
        Ok(self.channels.context(&registered, conversation, None).await?)
    }
    /// What the channel of a conversation can do for its account.
    pub(crate) async fn capabilities(
        &self,
        conversation: ConversationId,
    ) -> Result<Arc<ChannelCapabilities>, OutboundError> {
        let registered = self.channels.get(&self.base.inbox.channel_of(conversation).await?)?;
        let context = self.channels.context(&registered, conversation, None).await?;
        Ok(self.channels.capabilities_of(&registered, &context.account).await)
    }
}
