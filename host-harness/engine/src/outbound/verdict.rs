//! Owns: the channel's verdict on a message before it is sent, and on the platform's answer afterwards.
//! Does not own: what follows from it.

use std::{sync::Arc, time::Duration};

use harness_contract::{
    ConversationContext, HttpResponse, OutboundMessage, SendOutcome, SendStep, SentStep, Severity, Violation,
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
    channels::{CallProblem, circuit_breaker::Part},
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

impl Outbound {
    /// The channel's verdict on a message that is about to be queued. Passes if the channel cannot be asked now.
    pub(crate) async fn validate(
        &self,
        conversation: ConversationId,
        message: &OutboundMessage,
    ) -> Result<Remarks, OutboundError> {
        let inbox = &self.base.inbox;
        let Ok(registered) = self.channels.get(&inbox.channel_of(conversation).await?) else {
            return Ok(Remarks::default());
        };
        let comment = message.private_reply_to.as_deref();
        let context = self.channels.context(&registered, conversation, comment).await?;
        let account = inbox.account_of(conversation).await?;
        if inbox.account_row(account).await?.state == AccountState::Disconnected {
            return Err(OutboundError::NotSendable(vec![disconnected()]));
        }
        let message = self.as_channel_sees_it(&registered, (conversation, &context.account), message).await?;
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
