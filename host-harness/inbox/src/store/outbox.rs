//! Owns: replies and their steps.
//! Does not own: sending, steps with an ambiguous outcome (`doubts`).

use std::collections::HashSet;

use async_trait::async_trait;
use harness_contract::{SendOutcome, SendStep, Violation};

use crate::{
    error::InboxError,
    model::{AccountId, ConversationId, DueReply, NewReply, OpenReply, Queued, Remarks, ReplyId, StepEnd},
};

/// Replies: queued once per key and sent step by step, each step with a definite outcome.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Queues a reply, once per key.
    ///
    /// # Errors
    /// [`InboxError::Continued`] for a conversation that goes on in another one, unless the reply was queued before.
    async fn queue_reply(&self, new: NewReply) -> Result<Queued, InboxError>;

    /// The replies that have something to send now: at most `of_each_account` per account, round robin: the oldest of
    /// each account first, then the second of each. Only the oldest of each conversation is included; those after it
    /// wait for its end. Replies of the channels in `except` and replies held by a pause are left out.
    async fn due_replies(
        &self,
        now: u64,
        of_each_account: usize,
        except: HashSet<String>,
    ) -> Result<Vec<DueReply>, InboxError>;

    /// The next time after `after` at which a reply becomes due, in milliseconds since 1970: the end of a delay or of a
    /// pause. Replies held for other reasons have no such time.
    async fn next_reply(&self, after: u64) -> Result<Option<u64>, InboxError>;

    /// An open reply in full; `None` if it has ended. A row that cannot be parsed, because another version wrote it, is
    /// refused in a separate transaction, so that it does not block others.
    async fn open_reply(&self, reply: ReplyId) -> Result<Option<OpenReply>, InboxError>;

    /// Records the channel's verdict that a reply cannot be sent, with the reasons.
    async fn refuse_reply(&self, reply: ReplyId, violations: Vec<Violation>, now: u64) -> Result<(), InboxError>;

    /// Records the steps of a reply before the first one is sent, and adds its messages to the timeline. The channel's
    /// remarks are stored with it. If the channel asked to rebuild the reply from some step on, the new steps replace
    /// those from there on.
    async fn begin_steps(
        &self,
        reply: &OpenReply,
        steps: &[SendStep],
        remarks: &Remarks,
        now: u64,
    ) -> Result<(), InboxError>;

    /// Records that the request of a step is about to be sent. False if the step has already ended; then it must not be
    /// sent. After a crash, such a step is ambiguous, not queued.
    async fn begin_attempt(&self, reply: ReplyId, step: usize, now: u64) -> Result<bool, InboxError>;

    /// Records how an attempt ended. A refusal or an ambiguous outcome cancels the steps after it.
    async fn finish_step(
        &self,
        reply: &OpenReply,
        step: usize,
        outcome: SendOutcome,
        end: StepEnd,
        now: u64,
    ) -> Result<(), InboxError>;

    /// Ends a reply with nothing left to do; open steps are cancelled.
    async fn close_reply(&self, reply: ReplyId, now: u64) -> Result<(), InboxError>;

    /// Postpones a reply that cannot be tried now.
    async fn defer(&self, reply: ReplyId, until: u64) -> Result<(), InboxError>;

    /// Until when a pause requested by the platform holds an account and, if given, one of its conversations, in
    /// milliseconds since 1970. `None` if no pause applies.
    async fn paused_until(
        &self,
        account: AccountId,
        conversation: Option<ConversationId>,
        now: u64,
    ) -> Result<Option<u64>, InboxError>;

    /// Until when a pause holds a whole channel, that is, every account of it.
    async fn channel_paused_until(&self, channel: &str, now: u64) -> Result<Option<u64>, InboxError>;
}
