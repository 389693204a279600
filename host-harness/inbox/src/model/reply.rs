//! Owns: replies and their steps: the request for one, its state, the outcome of each step.
//! Does not own: sending, the rules for state changes.

use harness_contract::{Degradation, OutboundMessage, SendStep, Violation};
use serde::Serialize;
use serde_json::value::RawValue;

use super::{
    ids::{AccountId, ConversationId, ReplyId, UserId},
    state::{ReplyState, StepState},
    verdict::ReplyVerdict,
};

/// A reply to queue.
#[derive(Clone, Debug)]
pub struct NewReply {
    /// The conversation's row id.
    pub conversation: ConversationId,
    /// Idempotency key: the same key always means the same reply.
    pub key: String,
    /// The message to send. The inbox sets its `id`.
    pub message: OutboundMessage,
    /// The person who wrote it; `None` for a program.
    pub user: Option<UserId>,
    /// What the channel's check of the message found.
    pub remarks: Remarks,
    /// The host's current time.
    pub now: u64,
}

/// A channel's findings about a message that can still be sent.
#[derive(Clone, Debug, Default)]
pub struct Remarks {
    /// Warnings for the author.
    pub warnings: Vec<Violation>,
    /// Parts that the customer will not see as requested.
    pub degradations: Vec<Degradation>,
}

/// The result of queueing a reply.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Queued {
    /// The reply's row id.
    pub reply: ReplyId,
    /// False if the key was already used: nothing was queued.
    pub new: bool,
}

/// A reply with the outcomes of its steps.
#[derive(Clone, Debug, Serialize)]
pub struct ReplyView {
    /// Its row id.
    pub id: ReplyId,
    /// The conversation's row id.
    pub conversation: ConversationId,
    /// The idempotency key under which it was requested.
    pub key: String,
    /// When it was requested, in milliseconds since 1970.
    pub created_at: u64,
    /// Its state in the outbox.
    #[serde(skip)]
    pub state: ReplyState,
    /// Its state or outcome, as shown to the caller.
    #[serde(rename = "state")]
    pub verdict: ReplyVerdict,
    /// Why it was refused, or warnings for the agent.
    pub violations: Vec<Violation>,
    /// Parts that the customer will not see as requested.
    pub degradations: Vec<Degradation>,
    /// Its steps in order.
    pub steps: Vec<StepView>,
}

/// One step of a reply.
#[derive(Clone, Debug, Serialize)]
pub struct StepView {
    /// The parts of the message that it delivers or prepares.
    pub parts: Vec<u32>,
    /// `message`, `action` or `upload`.
    pub kind: String,
    /// Its state.
    pub state: StepState,
    /// The number of attempts so far.
    pub attempts: u32,
    /// The contract's `send-result`.
    pub outcome: Option<Box<RawValue>>,
}

/// A reply with steps left to send.
#[derive(Clone, Debug)]
pub struct OpenReply {
    /// Its row id.
    pub reply: ReplyId,
    /// The conversation's row id. Replies of one conversation are sent one after another.
    pub conversation: ConversationId,
    /// The account's row id.
    pub account: AccountId,
    /// The channel's id.
    pub channel: String,
    /// The message to send.
    pub message: OutboundMessage,
    /// Its steps as recorded; empty before the first attempt.
    pub steps: Vec<StoredStep>,
    /// The first step that the channel wants to render again, if any.
    pub rebuild_from: Option<usize>,
    /// How many times the channel has requested a rebuild.
    pub rebuilds: u32,
    /// When the reply was requested.
    pub created_at: u64,
    /// The conversation's `reply-context` as the channel is given it. What an outcome says of it applies only while it is
    /// still the stored one.
    pub reply_context: Option<Vec<u8>>,
}

/// A step as recorded in the outbox.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoredStep {
    /// Its state.
    pub state: StepState,
    /// The number of attempts so far.
    pub attempts: u32,
    pub(crate) parts: Vec<u32>,
    pub(crate) kind: String,
    pub(crate) correlation: Option<String>,
}

impl StoredStep {
    /// Whether `step` is this step, rendered again.
    pub fn is(&self, step: &SendStep) -> bool {
        step.parts == self.parts && self.kind == step.kind.name() && self.correlation == step.correlation
    }
}

/// The outcome of an attempt at a step.
#[derive(Clone, Debug)]
pub enum StepEnd {
    /// The step has this final state.
    Final(StepState),
    /// The step may be tried again from this time on.
    Later(u64),
}

/// A reply that is due.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DueReply {
    /// Its row id.
    pub reply: ReplyId,
    /// The conversation's row id.
    pub conversation: ConversationId,
    /// The account's row id.
    pub account: AccountId,
    /// The channel's id.
    pub channel: String,
}
