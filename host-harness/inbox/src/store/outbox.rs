//! Owns: replies and their steps.
//! Does not own: sending, and steps whose outcome is not known (`doubts`).

use std::collections::HashSet;

use async_trait::async_trait;
use harness_contract::{SendOutcome, SendStep, Violation};

use crate::{
    error::InboxError,
    model::{AccountId, ConversationId, DueReply, NewReply, OpenReply, Queued, Remarks, ReplyId, StepEnd},
};

/// Replies: asked for once for each key, sent step by step, every step with an end that has a name.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Puts a reply into the outbox, once for every key.
    async fn queue_reply(&self, new: NewReply) -> Result<Queued, InboxError>;

    /// The replies that have something to send now: at most so many of every account, and in turns: first
    /// the oldest of each account, then the second of each. Of a conversation only the oldest: those behind
    /// it wait for its end. Those of the channels in `except` are left where they are, and those that a pause holds.
    async fn due_replies(
        &self,
        now: u64,
        of_each_account: usize,
        except: HashSet<String>,
    ) -> Result<Vec<DueReply>, InboxError>;

    /// When replies become due next, later than at this time, in milliseconds since 1970: one of them waits until
    /// then, or a pause ends. What holds a reply otherwise has no time.
    async fn next_reply(&self, after: u64) -> Result<Option<u64>, InboxError>;

    /// Everything about an open reply; none when it has its end. A row that cannot be read (written by another
    /// version) is refused in a transaction of its own, so that it does not stand in the way.
    async fn open_reply(&self, reply: ReplyId) -> Result<Option<OpenReply>, InboxError>;

    /// Notes the channel's verdict that a reply cannot be sent, and why.
    async fn refuse_reply(&self, reply: ReplyId, violations: Vec<Violation>) -> Result<(), InboxError>;

    /// Writes down the steps of a reply before the first one is sent, and shows its messages.
    /// What the validation remarked is kept with it. Where the channel wanted to render the reply anew from some step on,
    /// these take the place of the steps from there on.
    async fn begin_steps(
        &self,
        reply: &OpenReply,
        steps: &[SendStep],
        remarks: &Remarks,
        now: u64,
    ) -> Result<(), InboxError>;

    /// Notes that the request of a step leaves now. False if the step has an end already: it must not
    /// leave. After a crash such a step is unknown, not queued.
    async fn begin_attempt(&self, reply: ReplyId, step: usize, now: u64) -> Result<bool, InboxError>;

    /// Writes down how an attempt ended. A refusal or an unknown outcome cancels the steps behind it.
    async fn finish_step(
        &self,
        reply: &OpenReply,
        step: usize,
        outcome: SendOutcome,
        end: StepEnd,
        now: u64,
    ) -> Result<(), InboxError>;

    /// Ends a reply in which nothing is left to do: what is still open is cancelled.
    async fn close_reply(&self, reply: ReplyId) -> Result<(), InboxError>;

    /// Lets a reply wait that cannot be tried now.
    async fn defer(&self, reply: ReplyId, until: u64) -> Result<(), InboxError>;

    /// Until when the platform wants to be left alone by an account, and in one of its conversations where one is
    /// given: in milliseconds since 1970; none where nothing holds it now.
    async fn paused_until(
        &self,
        account: AccountId,
        conversation: Option<ConversationId>,
        now: u64,
    ) -> Result<Option<u64>, InboxError>;

    /// The same for a whole channel: what concerns every account of it.
    async fn channel_paused_until(&self, channel: &str, now: u64) -> Result<Option<u64>, InboxError>;
}
