//! Owns: replies in the API's JSON: what is asked to be sent, and what became of each part.
//! Does not own: sending.

use harness_contract::{
    Degradation, FallbackPolicy, MessageRef, OutboundMessage, OutboundPart, QuickReply, Sender, Setting, Severity,
    Violation,
};
use harness_engine::Preview;
use harness_inbox::{ReplyVerdict, ReplyView, StepView};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::{ReplyTag, ValidationTag, contract, message::SendState};
use crate::api::{
    ids::{ConversationRef, ReplyRef},
    time::Time,
};

/// A message to send: the contract's `outbound-message`, without the id, which the host gives it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewReply {
    /// Who writes. Platforms allow people more than they allow programs.
    #[schema(value_type = contract::Sender)]
    sender: Sender,
    /// What to send, in order.
    #[schema(value_type = Vec<contract::OutboundPart>)]
    #[serde(default)]
    parts: Vec<OutboundPart>,
    /// Offered under the last part.
    #[schema(value_type = Vec<contract::QuickReply>)]
    #[serde(default)]
    quick_replies: Vec<QuickReply>,
    /// The message that this answers, by the platform's id.
    #[schema(value_type = Option<contract::MessageRef>)]
    #[serde(default)]
    reply_to: Option<MessageRef>,
    /// Answer this public comment privately instead of writing into the conversation: the platform's id of the comment.
    #[serde(default)]
    private_reply_to: Option<String>,
    /// What to do where the platform cannot show something as asked.
    #[schema(value_type = contract::FallbackPolicy)]
    #[serde(default)]
    fallback: FallbackPolicy,
    /// Try although the messaging window is closed: what it forbids is a warning then.
    #[serde(default)]
    try_anyway: bool,
    /// Values for what the channel's `capabilities.options` declares.
    #[schema(value_type = Vec<contract::Setting>)]
    #[serde(default)]
    options: Vec<Setting>,
    /// The platform's own JSON, merged into the last message.
    #[serde(default)]
    native: Option<String>,
}

impl From<NewReply> for OutboundMessage {
    fn from(new: NewReply) -> Self {
        let NewReply {
            sender,
            parts,
            quick_replies,
            reply_to,
            private_reply_to,
            fallback,
            try_anyway,
            options,
            native,
        } = new;
        let id = String::new();
        Self { id, sender, parts, quick_replies, reply_to, private_reply_to, fallback, try_anyway, options, native }
    }
}

/// A reply, with what became of each part.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Reply {
    object: ReplyTag,
    id: ReplyRef,
    conversation_id: ConversationRef,
    /// The key under which it was requested.
    idempotency_key: String,
    /// When it was requested.
    created_at: Time,
    /// `queued`, `sending`, and then how it ended: `sent`, `partly_sent`, `failed`, `ambiguous` (some of it may have been
    /// delivered; a person has to settle it), `refused` (the channel declared it unsendable) or `cancelled`.
    state: State,
    /// Why it was refused, or warnings for the agent.
    #[schema(value_type = Vec<contract::Violation>)]
    violations: Vec<Violation>,
    /// What the customer will not see as requested.
    #[schema(value_type = Vec<contract::Degradation>)]
    degradations: Vec<Degradation>,
    /// The requests that it takes, in order.
    steps: Vec<Step>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ReplyState)]
enum State {
    Queued,
    Sending,
    Sent,
    PartlySent,
    Failed,
    Refused,
    Ambiguous,
    Cancelled,
}

/// One request of a reply.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReplyStep)]
struct Step {
    /// The parts of the message that it delivers or prepares, counted from 0.
    parts: Vec<u32>,
    /// `message`, `action`, `upload` or `other`.
    kind: String,
    state: SendState,
    /// The number of attempts so far.
    attempts: u32,
    /// How it ended: the contract's `send-result`.
    #[schema(value_type = Option<contract::SendResult>)]
    outcome: Option<Box<RawValue>>,
}

impl From<StepView> for Step {
    fn from(view: StepView) -> Self {
        let StepView { parts, kind, state, attempts, outcome } = view;
        Self { parts, kind, state: state.into(), attempts, outcome }
    }
}

impl From<ReplyView> for Reply {
    fn from(view: ReplyView) -> Self {
        Self {
            object: ReplyTag::Tag,
            id: view.id.into(),
            conversation_id: view.conversation.into(),
            idempotency_key: view.key,
            created_at: view.created_at.into(),
            state: match view.verdict {
                ReplyVerdict::Queued => State::Queued,
                ReplyVerdict::Sending => State::Sending,
                ReplyVerdict::Sent => State::Sent,
                ReplyVerdict::PartlySent => State::PartlySent,
                ReplyVerdict::Failed => State::Failed,
                ReplyVerdict::Refused => State::Refused,
                ReplyVerdict::Ambiguous => State::Ambiguous,
                ReplyVerdict::Cancelled => State::Cancelled,
            },
            violations: view.violations,
            degradations: view.degradations,
            steps: view.steps.into_iter().map(Step::from).collect(),
        }
    }
}

/// What a person found out about a reply that may have been delivered.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settle {
    /// Whether somebody found it at the customer's.
    pub(crate) delivered: bool,
}

/// What would become of a message.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Validation {
    object: ValidationTag,
    /// Whether it can be sent: no violation is an error.
    sendable: bool,
    /// What stands in its way, and warnings for the agent. Each has the path of its field.
    #[schema(value_type = Vec<contract::Violation>)]
    violations: Vec<Violation>,
    /// What the customer will not see as requested.
    #[schema(value_type = Vec<contract::Degradation>)]
    degradations: Vec<Degradation>,
    /// The requests that it takes, in order; none if it cannot be sent.
    preview: Vec<ValidatedStep>,
}

/// A request that a message takes.
#[derive(Debug, Serialize, ToSchema)]
struct ValidatedStep {
    /// The parts of the message that it delivers or prepares, counted from 0.
    parts: Vec<u32>,
    /// `message`, `action`, `upload` or `other`.
    kind: &'static str,
    /// The text as it sends it: a long one is split.
    text: Option<String>,
}

impl From<Preview> for Validation {
    fn from(preview: Preview) -> Self {
        let Preview { violations, degradations, steps } = preview;
        let sendable = violations.iter().all(|violation| violation.severity != Severity::Error);
        let steps = steps.into_iter();
        let preview = steps.map(|step| ValidatedStep { parts: step.parts, kind: step.kind.name(), text: step.text });
        Self { object: ValidationTag::Tag, sendable, violations, degradations, preview: preview.collect() }
    }
}
