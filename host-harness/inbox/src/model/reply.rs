//! Owns: replies and their steps: how one is asked for, where it stands, how each step ended.
//! Does not own: sending, and the rules by which states change.

use harness_contract::{Degradation, OutboundMessage, SendStep, Violation};
use serde::Serialize;
use serde_json::value::RawValue;

use super::{
    ids::{AccountId, ConversationId, ReplyId},
    state::{ReplyState, StepState},
    verdict::ReplyVerdict,
};

/// A reply that somebody asked for.
#[derive(Clone, Debug)]
pub struct NewReply {
    /// The conversation's row.
    pub conversation: ConversationId,
    /// The same key asks for the same reply.
    pub key: String,
    /// What to send. Its `id` is set here.
    pub message: OutboundMessage,
    /// What is known of it already.
    pub remarks: Remarks,
    /// The host's clock.
    pub now: u64,
}

/// What a channel has to say of a message that it sends all the same.
#[derive(Clone, Debug, Default)]
pub struct Remarks {
    /// What whoever wrote it should know.
    pub warnings: Vec<Violation>,
    /// What the customer will not see as it was asked for.
    pub degradations: Vec<Degradation>,
}

/// What asking did.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Queued {
    /// The reply's row.
    pub reply: ReplyId,
    /// False when the key was used before: nothing was queued.
    pub new: bool,
}

/// A reply with the ends of its steps.
#[derive(Clone, Debug, Serialize)]
pub struct ReplyView {
    /// Its row.
    pub id: ReplyId,
    /// The conversation's row.
    pub conversation: ConversationId,
    /// Under which it was asked for.
    pub key: String,
    /// Where it stands in the outbox.
    #[serde(skip)]
    pub state: ReplyState,
    /// Where it stands, or how it ended.
    #[serde(rename = "state")]
    pub verdict: ReplyVerdict,
    /// Why it was refused, or what the agent should know.
    pub violations: Vec<Violation>,
    /// What the customer will not see as it was asked for.
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
    /// Where it stands.
    pub state: StepState,
    /// How often it was tried.
    pub attempts: u32,
    /// The contract's `send-result`.
    pub outcome: Option<Box<RawValue>>,
}

/// A reply that has steps to send.
#[derive(Clone, Debug)]
pub struct OpenReply {
    /// Its row.
    pub reply: ReplyId,
    /// The conversation's row; replies of one conversation are sent one after the other.
    pub conversation: ConversationId,
    /// The account's row.
    pub account: AccountId,
    /// The channel's id.
    pub channel: String,
    /// What to send.
    pub message: OutboundMessage,
    /// Its steps as they were written down; empty before the first attempt.
    pub steps: Vec<StoredStep>,
    /// The step from which on the channel wants to render it anew.
    pub rebuild_from: Option<usize>,
    /// How often that was asked for.
    pub rebuilds: u32,
    /// When it was asked for.
    pub created_at: u64,
}

/// A step as the outbox has it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoredStep {
    /// Where it stands.
    pub state: StepState,
    /// How often it was tried.
    pub attempts: u32,
    pub(crate) parts: Vec<u32>,
    pub(crate) kind: String,
    pub(crate) correlation: Option<String>,
}

impl StoredStep {
    /// Whether this is the same step of the same reply, built again.
    pub fn is(&self, step: &SendStep) -> bool {
        step.parts == self.parts && self.kind == step.kind.name() && self.correlation == step.correlation
    }
}

/// How an attempt at a step ended.
#[derive(Clone, Debug)]
pub enum StepEnd {
    /// For good.
    Final(StepState),
    /// It may be tried again from this time on.
    Later(u64),
}

/// A reply whose turn has come.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DueReply {
    /// Its row.
    pub reply: ReplyId,
    /// The conversation's row.
    pub conversation: ConversationId,
    /// The account's row.
    pub account: AccountId,
    /// The channel's id.
    pub channel: String,
}
