//! Owns: replies: taking them, whose turn it is, one attempt step by step, and what became of what nobody answered.
//! Does not own: idempotency and states (the inbox), which request may leave (egress).

mod attempt;
mod dispatcher;
mod error;
mod named;
mod unsent;
mod verdict;

use std::sync::Arc;

use harness_contract::{ConversationContext, OutboundMessage};
use harness_inbox::{ConversationId, NewReply, Queued, Remarks, ReplyId, Settlement};

use crate::{
    base::{Base, rate_limit::RateLimits},
    channels::Channels,
    media::Media,
    network::{Network, credentials::AccountCredentials},
};

pub(crate) use self::{dispatcher::run, error::OutboundError};

/// The room.
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
    /// Puts a reply into the outbox, once for every key. How it ends is read with the inbox.
    ///
    /// What the host knows of the files that the message names (size, type by content, name) is put into it.
    pub(crate) async fn reply(
        &self,
        conversation: ConversationId,
        key: &str,
        mut message: OutboundMessage,
    ) -> Result<Queued, OutboundError> {
        self.media.describe(&mut message).await?;
        self.queue(conversation, key, message, Remarks::default()).await
    }

    async fn queue(
        &self,
        conversation: ConversationId,
        key: &str,
        message: OutboundMessage,
        remarks: Remarks,
    ) -> Result<Queued, OutboundError> {
        let (key, now) = (key.to_owned(), self.base.clock.now());
        let new = NewReply { conversation, key, message, remarks, now };
        let base = self.base.clone();
        let queue = async move {
            let queued = base.inbox.queue_reply(new).await?;
            base.wake.queued.notify_one();
            Ok(queued)
        };
        self.base.begun.whole(queue).await
    }

    /// The same, after the channel's verdict: a message that it refuses is not queued and uses no key up. What it
    /// remarks is kept with the reply. A channel that cannot be asked now is asked when the reply's turn comes.
    ///
    /// # Errors
    /// [`OutboundError::NotSendable`] with everything that stands in the way.
    pub(crate) async fn reply_if_sendable(
        &self,
        conversation: ConversationId,
        key: &str,
        mut message: OutboundMessage,
    ) -> Result<Queued, OutboundError> {
        self.media.describe(&mut message).await?;
        // Asking twice is one reply, although the message could not be sent any more.
        if self.base.inbox.has_reply(conversation, key).await? {
            return self.queue(conversation, key, message, Remarks::default()).await;
        }
        let remarks = self.validate(conversation, &message).await?;
        self.queue(conversation, key, message, remarks).await
    }

    /// Somebody decides about the part of a reply of which it is not known whether it was delivered: it arrived, it
    /// did not, or it is to be sent again.
    pub(crate) async fn settle(&self, reply: ReplyId, settlement: Settlement) -> Result<(), OutboundError> {
        self.base.inbox.settle(reply, settlement, self.base.clock.now()).await?;
        self.base.wake.queued.notify_one();
        Ok(())
    }

    /// Everything about a conversation that a message depends on, the window among it.
    pub(crate) async fn context(&self, conversation: ConversationId) -> Result<ConversationContext, OutboundError> {
        let registered = self.channels.get(&self.base.inbox.channel_of(conversation).await?)?;
        Ok(self.channels.context(&registered, conversation, None).await?)
    }
}
