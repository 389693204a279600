//! From the outbox to the platform: replies of one conversation one after the other, conversations
//! beside each other, every step with a named end. Belongs here: order, attempts, what follows a result.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use harness_contract::{
    ConversationContext, Failure, FailureCategory, SendOutcome, SendResult, SendStep, Severity, StepKind, Violation,
};
use harness_inbox::{InboxError, OpenReply, StepEnd, StepState};
use harness_sandbox::CallError;

use crate::{
    egress::{Caller, EgressError},
    fill::Captured,
    host::{HostError, Registered, Shared},
};

/// Replies looked at in one round.
const BATCH: usize = 64;
/// Attempts at a step that the platform did not take for a passing reason.
const MAX_ATTEMPTS: u32 = 6;
/// The wait before the second attempt; it doubles with every further one.
const FIRST_WAIT_MS: u64 = 1_000;
/// The longest wait between two attempts.
const LONGEST_WAIT_MS: u64 = 15 * 60_000;
/// How often the outbox is looked at for replies whose next attempt is due.
const TICK: Duration = Duration::from_millis(500);

/// Conversations with a reply under way, and accounts that the platform asked to pause.
#[derive(Default)]
struct Traffic {
    conversations: HashSet<i64>,
    paused_until: HashMap<i64, u64>,
}

/// Sends for as long as the host lives.
pub(crate) async fn run(shared: Arc<Shared>) {
    let traffic = Arc::new(Mutex::new(Traffic::default()));
    loop {
        match shared.inbox.open_replies(shared.clock.now(), BATCH).await {
            Ok(open) => {
                for reply in open {
                    start(&shared, &traffic, reply);
                }
            }
            Err(error) => tracing::error!(%error, "the outbox cannot be read"),
        }
        tokio::select! {
            () = shared.queued.notified() => {}
            () = tokio::time::sleep(TICK) => {}
        }
    }
}

fn start(shared: &Arc<Shared>, traffic: &Arc<Mutex<Traffic>>, reply: OpenReply) {
    let now = shared.clock.now();
    {
        let mut traffic = traffic.lock().unwrap_or_else(PoisonError::into_inner);
        let paused = traffic.paused_until.get(&reply.account).is_some_and(|&until| now < until);
        if paused || !traffic.conversations.insert(reply.conversation) {
            return;
        }
    }
    let (shared, traffic) = (Arc::clone(shared), Arc::clone(traffic));
    tokio::spawn(async move {
        let (conversation, account) = (reply.conversation, reply.account);
        let pause = match (Delivery { shared: &shared, reply }).run().await {
            Ok(pause) => pause,
            Err(error) => {
                tracing::error!(%error, conversation, "a reply stopped and is tried again");
                tokio::time::sleep(TICK).await;
                None
            }
        };
        {
            let mut traffic = traffic.lock().unwrap_or_else(PoisonError::into_inner);
            traffic.conversations.remove(&conversation);
            if let Some(pause) = pause {
                traffic.paused_until.insert(account, shared.clock.now().saturating_add(pause));
            }
        }
        shared.queued.notify_one();
    });
}

/// One reply under way.
struct Delivery<'a> {
    shared: &'a Shared,
    reply: OpenReply,
}

impl Delivery<'_> {
    /// Sends what is left of the reply. Returns for how many milliseconds the account should pause.
    async fn run(&self) -> Result<Option<u64>, HostError> {
        let registered = self.shared.channel(&self.reply.channel)?;
        let now = self.shared.clock.now();
        let policy = &registered.capabilities.window;
        let context = self.shared.inbox.context(self.reply.conversation, policy, now).await?;
        let Some((steps, warnings)) = self.steps(&registered, &context).await? else { return Ok(None) };
        if self.reply.steps.is_empty() {
            self.shared.inbox.begin_steps(&self.reply, &steps, &warnings, now).await?;
        }
        let mut captured = Captured::new();
        for (index, step) in steps.iter().enumerate() {
            let (state, attempts) = self.reply.steps.get(index).copied().unwrap_or((StepState::Queued, 0));
            // What an upload gave is not kept across attempts, so it is made again.
            let again = step.kind == StepKind::Upload && state == StepState::Sent;
            if state != StepState::Queued && !again {
                continue;
            }
            let outcome = self.attempt(&registered, &context, index, step, &mut captured).await?;
            let pause = outcome.pause.as_ref().map(|pause| pause.duration);
            let end = self.end(&outcome.result, attempts + 1);
            let done = matches!(end, StepEnd::Final(StepState::Sent));
            self.shared.inbox.finish_step(&self.reply, index, outcome, end, self.shared.clock.now()).await?;
            if !done || pause.is_some() {
                return Ok(pause);
            }
        }
        Ok(None)
    }

    /// The requests of the reply and the warnings about it; none when it was refused.
    async fn steps(
        &self,
        registered: &Registered,
        context: &ConversationContext,
    ) -> Result<Option<(Vec<SendStep>, Vec<Violation>)>, HostError> {
        let validation = registered.channel.validate_outbound(&self.reply.message, context)?;
        let (errors, warnings): (Vec<_>, Vec<_>) =
            validation.violations.into_iter().partition(|violation| violation.severity == Severity::Error);
        let built = if errors.is_empty() {
            registered.channel.build_send_request(&self.reply.message, context)?
        } else {
            Err(errors)
        };
        match built {
            Ok(steps) => Ok(Some((steps, warnings))),
            Err(violations) if self.reply.steps.is_empty() => {
                self.shared.inbox.refuse_reply(self.reply.reply, violations).await?;
                Ok(None)
            }
            // Some of it was sent, and what is left became impossible, such as by a closed window.
            Err(violations) => {
                self.reject_rest(&violations).await?;
                Ok(None)
            }
        }
    }

    async fn reject_rest(&self, violations: &[Violation]) -> Result<(), InboxError> {
        let sentence = violations.iter().map(|violation| violation.sentence.as_str()).collect::<Vec<_>>().join(" ");
        let next = self.reply.steps.iter().position(|(state, _)| *state == StepState::Queued);
        let Some(index) = next else { return Ok(()) };
        let failure = failure(FailureCategory::ContentInvalid, sentence);
        let outcome = outcome(SendResult::Rejected(failure));
        let end = StepEnd::Final(StepState::Rejected);
        self.shared.inbox.finish_step(&self.reply, index, outcome, end, self.shared.clock.now()).await
    }

    /// One request and the channel's reading of the answer.
    async fn attempt(
        &self,
        registered: &Registered,
        context: &ConversationContext,
        index: usize,
        step: &SendStep,
        captured: &mut Captured,
    ) -> Result<SendOutcome, InboxError> {
        self.shared.inbox.begin_attempt(self.reply.reply, index).await?;
        let channel = registered.channel.id();
        let known: Vec<_> = self.shared.secrets.of_channel(channel).into_iter().map(|(_, secret)| secret).collect();
        let slots = &registered.channel.manifest().slots;
        let secret = |slot: &str| {
            // A slot that the manifest does not declare was never granted.
            slots.get(slot)?;
            self.shared.secrets.find(channel, &context.account.id, slot)
        };
        let caller = Caller { rules: &registered.egress, secret: &secret, known_secrets: &known };
        let sent = self.shared.egress.send(&caller, step.request.clone(), captured).await;
        Ok(match sent {
            Ok(response) => {
                registered.channel.parse_send_response(step, &response).unwrap_or_else(|error| unread(step, &error))
            }
            Err(error) => unsent(step, &error),
        })
    }

    fn end(&self, result: &SendResult, attempts: u32) -> StepEnd {
        match result {
            SendResult::Sent(_) => StepEnd::Final(StepState::Sent),
            SendResult::Ambiguous(_) => StepEnd::Final(StepState::Unknown),
            SendResult::Rejected(_) | SendResult::Unauthorized(_) => StepEnd::Final(StepState::Rejected),
            SendResult::RateLimited(failure) | SendResult::Transient(failure) => {
                if attempts >= MAX_ATTEMPTS {
                    return StepEnd::Final(StepState::Rejected);
                }
                let wait = FIRST_WAIT_MS.saturating_mul(1 << attempts.saturating_sub(1)).min(LONGEST_WAIT_MS);
                let wait = wait.max(failure.retry_after.unwrap_or(0));
                StepEnd::Later(self.shared.clock.now().saturating_add(wait))
            }
        }
    }
}

/// The platform answered, and the channel could not say what: it may have accepted the message.
fn unread(step: &SendStep, error: &CallError) -> SendOutcome {
    tracing::error!(%error, "the channel could not read the platform's answer");
    let failure = failure(
        FailureCategory::Internal,
        "The platform answered, but the channel could not read the answer. Look whether the message arrived before sending it again.".into(),
    );
    outcome(if step.repeatable { SendResult::Transient(failure) } else { SendResult::Ambiguous(failure) })
}

/// There is no answer: what that means depends on whether anything can have left.
fn unsent(step: &SendStep, error: &EgressError) -> SendOutcome {
    tracing::warn!(%error, "a request has no response");
    let sentence = |text: &str| format!("{text} ({error}).");
    outcome(match error {
        error if error.may_have_arrived() && !step.repeatable && step.kind == StepKind::Message => {
            SendResult::Ambiguous(failure(
                FailureCategory::Ambiguous,
                sentence("The platform did not answer, and it is not known whether the message arrived"),
            ))
        }
        EgressError::Unreachable(_) | EgressError::NoAnswer(_) => SendResult::Transient(failure(
            FailureCategory::PlatformTransient,
            sentence("The platform could not be reached; it is tried again"),
        )),
        EgressError::MissingSlot(_) => SendResult::Unauthorized(failure(
            FailureCategory::AuthExpired,
            sentence("The account has no credential for this; connect it again"),
        )),
        _ => SendResult::Rejected(failure(FailureCategory::Internal, sentence("The request was not sent"))),
    })
}

fn failure(category: FailureCategory, sentence: String) -> Failure {
    Failure { category, code: None, subcode: None, sentence, fix: None, retry_after: None, trace_id: None }
}

fn outcome(result: SendResult) -> SendOutcome {
    SendOutcome { result, pause: None, reply_context: None }
}
