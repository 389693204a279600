//! Owns: the channel's verdict on a message before it is sent, and on the platform's answer afterwards.
//! Does not own: what follows from it.

use std::{sync::Arc, time::Duration};

use harness_contract::{
    ConversationContext, Degradation, HttpResponse, OutboundMessage, SendOutcome, SendStep, SentStep, Severity,
    StepKind, Violation,
};
use harness_egress::{Captured, Known};
use harness_inbox::{AccountState, ConversationId, Remarks};
use harness_sandbox::{CallError, CallFailure, Channel};

use super::{
    Outbound, OutboundError,
    unsent::{channel_failed, disconnected, host_failed, unread},
};
use crate::{
    base::tasks::Worker,
    channels::{CallProblem, circuit_breaker::Part, loaded::LoadedChannel},
    error::Busy,
};

/// How often a busy sandbox is retried for a response that cannot be fetched again.
const READINGS: u32 = 20;
/// The wait between two tries, in real time: a sandbox does not signal when it is free.
const READING_WAIT: Duration = Duration::from_millis(100);

pub(super) type Asked = (Result<Vec<SendStep>, Vec<Violation>>, Remarks);

/// The channel's verdict on a message, and its requests if it accepts the message.
pub(super) fn ask(
    channel: &Channel,
    message: &OutboundMessage,
    context: &ConversationContext,
) -> Result<Asked, CallError> {
    let (errors, remarks) = judge(channel, message, context)?;
    let built = if errors.is_empty() { channel.build_send_request(message, context)? } else { Err(errors) };
    Ok((built, remarks))
}

/// The violations that block a message, and the channel's remarks.
fn judge(
    channel: &Channel,
    message: &OutboundMessage,
    context: &ConversationContext,
) -> Result<(Vec<Violation>, Remarks), CallError> {
    let validation = channel.validate_outbound(message, context)?;
    let (errors, warnings) =
        validation.violations.into_iter().partition(|violation| violation.severity == Severity::Error);
    Ok((errors, Remarks { warnings, degradations: validation.degradations }))
}

/// What would become of a message, without sending it.
#[derive(Clone, Debug, Default)]
pub struct Preview {
    /// What stands in its way, and warnings. It can be sent if none is an error.
    pub violations: Vec<Violation>,
    /// What the customer will not see as requested.
    pub degradations: Vec<Degradation>,
    /// The requests that it takes, in order; none if it cannot be sent.
    pub steps: Vec<PreviewStep>,
}

/// A request that a message takes.
#[derive(Clone, Debug)]
pub struct PreviewStep {
    /// The parts of the message that it delivers or prepares.
    pub parts: Vec<u32>,
    /// What it does.
    pub kind: StepKind,
    /// The text as it sends it, if it delivers one part and that has a text.
    pub text: Option<String>,
}

impl From<SendStep> for PreviewStep {
    fn from(step: SendStep) -> Self {
        Self { parts: step.parts, kind: step.kind, text: step.text }
    }
}

impl Outbound {
    /// What the channel has to say about a message that may be sent: everything at once, and the requests that it takes.
    ///
    /// # Errors
    /// The channel cannot be asked, or the conversation goes on in another one.
    pub(crate) async fn preview(
        &self,
        conversation: ConversationId,
        mut message: OutboundMessage,
    ) -> Result<Preview, OutboundError> {
        self.goes_on(conversation).await?;
        self.media.describe(conversation, &mut message).await?;
        let registered = self.channels.get(&self.base.inbox.channel_of(conversation).await?)?;
        let (message, context) = match self.prepared(&registered, conversation, &message).await {
            Err(OutboundError::NotSendable(violations)) => return Ok(Preview { violations, ..Preview::default() }),
            prepared => prepared?,
        };
        let asked = move |channel: &Channel| ask(channel, &message, &context);
        let (built, remarks) = match self.channels.call(&registered, Part::Outgoing, Worker::Outbox, asked).await {
            Ok(asked) => asked,
            Err(CallProblem::Open(paused)) => return Err(paused.into()),
            Err(CallProblem::Failed(CallError { failure: CallFailure::Busy(_), .. })) => return Err(Busy.into()),
            Err(CallProblem::Failed(error)) => (Err(vec![channel_failed(&error)]), Remarks::default()),
            Err(CallProblem::Panicked) => (Err(vec![host_failed()]), Remarks::default()),
        };
        let Remarks { warnings: mut violations, degradations } = remarks;
        let steps = match built {
            Ok(steps) => steps.into_iter().map(PreviewStep::from).collect(),
            Err(errors) => {
                violations.splice(0..0, errors);
                Vec::new()
            }
        };
        Ok(Preview { violations, degradations, steps })
    }

    /// A message as its channel is shown it, and its conversation.
    async fn prepared(
        &self,
        registered: &LoadedChannel,
        conversation: ConversationId,
        message: &OutboundMessage,
    ) -> Result<(OutboundMessage, ConversationContext), OutboundError> {
        let inbox = &self.base.inbox;
        let comment = message.private_reply_to.as_deref();
        let context = self.channels.context(registered, conversation, comment).await?;
        let account = inbox.account_of(conversation).await?;
        if inbox.account_row(account).await?.state == AccountState::Disconnected {
            return Err(OutboundError::NotSendable(vec![disconnected()]));
        }
        let message = self.as_channel_sees_it(registered, (conversation, &context.account), message).await?;
        Ok((message, context))
    }

    /// The channel's verdict on a message that is about to be queued. Passes if the channel cannot be asked now.
    pub(crate) async fn validate(
        &self,
        conversation: ConversationId,
        message: &OutboundMessage,
    ) -> Result<Remarks, OutboundError> {
        let Ok(registered) = self.channels.get(&self.base.inbox.channel_of(conversation).await?) else {
            return Ok(Remarks::default());
        };
        let (message, context) = self.prepared(&registered, conversation, message).await?;
        let judged = self
            .channels
            .call(&registered, Part::Outgoing, Worker::Outbox, move |channel| judge(channel, &message, &context));
        match judged.await {
            Ok((errors, remarks)) if errors.is_empty() => Ok(remarks),
            Ok((errors, _)) => Err(OutboundError::NotSendable(errors)),
            Err(CallProblem::Open(_) | CallProblem::Failed(CallError { failure: CallFailure::Busy(_), .. })) => {
                Ok(Remarks::default())
            }
            Err(CallProblem::Failed(error)) => Err(OutboundError::NotSendable(vec![channel_failed(&error)])),
            Err(CallProblem::Panicked) => Err(OutboundError::NotSendable(vec![host_failed()])),
        }
    }
}

/// Parses the response. It cannot be fetched again, so a busy sandbox is retried.
pub(super) async fn read_answer(
    channel: &Channel,
    known: &Known,
    step: &SendStep,
    captured: &Captured,
    response: HttpResponse,
) -> (SendOutcome, Option<CallError>) {
    let mut reading = 0;
    let mut sent = SentStep::from(step);
    sent.captured.retain(|name| captured.values.contains_key(name));
    let (its_step, answer) = (Arc::new(sent), Arc::new(response));
    loop {
        reading += 1;
        let (asked, known) = (channel.clone(), known.clone());
        let (its_step, answer) = (Arc::clone(&its_step), Arc::clone(&answer));
        let span = tracing::Span::current();
        let read = move || {
            let mut outcome = span.in_scope(|| asked.parse_send_response(&its_step, &answer))?;
            known.redact_in_outcome(&mut outcome);
            Ok(outcome)
        };
        let read = tokio::task::spawn_blocking(read).await;
        let problem = match read {
            Ok(Ok(outcome)) => return (outcome, None),
            Ok(Err(CallError { failure: CallFailure::Busy(_) | CallFailure::Deadline(_), .. }))
                if reading < READINGS =>
            {
                tokio::time::sleep(READING_WAIT).await;
                continue;
            }
            Ok(Err(error)) => return (unread(step, &error.to_string()), Some(error)),
            Err(error) => error.to_string(),
        };
        return (unread(step, &problem), None);
    }
}
