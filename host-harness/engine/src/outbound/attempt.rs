//! Owns: one run of a reply: ask the channel, send step by step, record how each step ended.
//! Does not own: the order of replies (`dispatcher`), the wording for unanswered requests (`unsent`).

use std::time::Instant;

use harness_contract::{ConversationContext, FailureCategory, SendOutcome, SendResult, SendStep, StepKind, Violation};
use harness_inbox::{AccountState, InboxError, OpenReply, Remarks, StepEnd, StepState, StoredStep};
use harness_sandbox::{CallError, CallFailure};
use tracing::Instrument as _;

use super::{
    Outbound, OutboundError,
    unsent::{
        channel_failed, disconnected, failure, host_failed, late_signal, no_files, nothing_to_send, outcome,
        unrecorded, unsent,
    },
    verdict::{ask, read_answer},
};
use crate::{
    base::{
        exchanges::Sent,
        rate_limit::RateKey,
        tasks::{Moment, Worker},
    },
    channels::{
        CallProblem,
        circuit_breaker::{Part, Permit},
        loaded::LoadedChannel,
    },
    error::Busy,
    network::CallScope,
};
use harness_egress::{Captured, FIRST, Held, TooMuch, memory_of};

/// Attempts at a step that the platform answers with a temporary error.
const MAX_ATTEMPTS: u32 = 8;
/// How long a step is retried if it never reached the platform, or if the platform deferred it.
const MAX_AGE_MS: u64 = DAY_MS;
/// The wait before the second attempt, in milliseconds. It doubles each time.
const FIRST_WAIT_MS: u64 = 1_000;
/// The longest wait between attempts, in milliseconds, unless the platform asks for more.
const LONGEST_WAIT_MS: u64 = 15 * 60_000;
/// The longest wait that a channel may ask for, in milliseconds.
const DAY_MS: u64 = 24 * 3_600_000;
/// How long a reply waits for its rate limit while holding its place, in milliseconds. For longer waits it gives up the
/// place.
const PATIENCE_MS: u64 = 1_000;
/// How often a channel may have the rest of a reply rebuilt.
const MAX_REBUILDS: u32 = 2;
/// The wait of a reply that finds no memory for its requests, in milliseconds.
const MEMORY_WAIT_MS: u64 = 1_000;
/// The maximum age of a signal when it is sent, in milliseconds: typing indicators go stale.
const SIGNAL_MS: u64 = 10_000;

/// How a run ended.
pub(crate) enum RunOutcome {
    /// All steps have ended, or none will be tried again.
    Finished,
    /// Another attempt is scheduled.
    RetryScheduled,
    /// The reply could not be tried at all.
    Blocked,
    /// The channel's circuit is open until this time, in milliseconds since 1970.
    CircuitOpen(u64),
    /// The rate limit is used up until this time, in milliseconds since 1970.
    RateLimited(u64),
    /// The host failed during the run.
    Failed,
}

/// One run of a reply.
pub(crate) struct Sending<'a> {
    pub(crate) room: &'a Outbound,
    pub(crate) reply: OpenReply,
}

impl Sending<'_> {
    /// Sends the remaining steps.
    pub(crate) async fn run(&mut self) -> Result<RunOutcome, OutboundError> {
        let Ok(registered) = self.room.channels.get(&self.reply.channel) else { return Ok(RunOutcome::Blocked) };
        let unchanged = self.room.credentials.unchanged.read().await;
        let account = self.room.base.inbox.account_row(self.reply.account).await?;
        if account.state == AccountState::Disconnected {
            drop(unchanged);
            if self.reply.steps.is_empty() {
                self.refuse(vec![disconnected()]).await?;
            } else {
                self.reject_rest(disconnected().message).await?;
            }
            return Ok(RunOutcome::Finished);
        }
        let now = self.room.base.clock.now();
        let comment = self.reply.message.private_reply_to.as_deref();
        let context = self.room.channels.context(&registered, self.reply.conversation, comment).await?;
        self.reply.reply_context.clone_from(&context.reply_context);
        drop(unchanged);
        let digest = &registered.channel.inspection().digest;
        let mut leave = None;
        let steps = self.steps(&registered, &context, now, &mut leave).await?;
        let Some(steps) = steps else { return Ok(RunOutcome::Finished) };
        let mut memory = match self.set_aside(&steps) {
            Ok(Some(memory)) => memory,
            // Waiting with built requests would hold memory that others need, so they are built again later.
            Ok(None) => return Ok(RunOutcome::CircuitOpen(now.saturating_add(MEMORY_WAIT_MS))),
            Err(error) => {
                self.reject_rest(format!("The requests of this message cannot be sent: {error}.")).await?;
                return Ok(RunOutcome::Finished);
            }
        };
        let for_requests = memory.bytes();
        let mut captured = Captured::default();
        // A signal after a message that was sent in this run is in time.
        let mut in_time = now.saturating_sub(self.reply.created_at) <= SIGNAL_MS;
        for (index, step) in steps.iter().enumerate() {
            let is_signal = step.kind == StepKind::Action;
            let stored = self.stored(index);
            let attempts = stored.map_or(0, |stored| stored.attempts);
            match stored.map_or(StepState::Queued, |stored| stored.state) {
                StepState::Queued => {}
                // Captured upload results are not kept across runs, so the upload is repeated.
                StepState::Sent if step.kind == StepKind::Upload => {}
                // Only one run at a time has this conversation, so the end of an earlier attempt could not be recorded.
                StepState::Sending => {
                    let end = StepEnd::Final(StepState::Ambiguous);
                    self.finish(index, outcome(SendResult::Ambiguous(unrecorded())), end).await?;
                    return Ok(RunOutcome::Finished);
                }
                _ => continue,
            }
            if is_signal && !in_time {
                self.drop_signal(index).await?;
                continue;
            }
            if let Err(at) = self.leave_to_go(&registered, step).await? {
                if is_signal {
                    self.drop_signal(index).await?;
                    continue;
                }
                return Ok(RunOutcome::RateLimited(at));
            }
            if !self.room.base.inbox.begin_attempt(self.reply.reply, index, self.room.base.clock.now()).await? {
                continue;
            }
            self.room.base.tasks.reaches(Worker::Outbox, Moment::Leaves);
            let part = tracing::error_span!("part", part = index);
            let attempted =
                self.attempt(&registered, &context, account.connection, (index, step), &mut captured, &mut memory);
            let (outcome, unread) = attempted.instrument(part).await;
            memory.shrink_to(for_requests);
            let now = self.room.base.clock.now();
            let breakers = &self.room.channels.breakers;
            if let Some(permit) = leave.take().or_else(|| breakers.admit(&self.reply.channel, Part::Outgoing, now).ok())
            {
                match unread {
                    Some(error) => self.room.channels.failed(permit, digest, &error, true),
                    None => permit.succeeded(now),
                }
            }
            if let SendResult::Unauthorized(failure) = &outcome.verdict
                && failure.category == FailureCategory::AuthExpired
            {
                // Nothing was sent. The reply waits until the account is connected again.
                let problem = [Some(failure.message.as_str()), failure.fix.as_deref()].into_iter().flatten();
                let problem = problem.collect::<Vec<_>>().join(" ");
                let end = if is_signal { StepEnd::Final(StepState::Cancelled) } else { StepEnd::Later(now) };
                self.finish(index, outcome, end).await?;
                let (inbox, state) = (&self.room.base.inbox, AccountState::NeedsReconnect);
                let now = self.room.base.clock.now();
                inbox.mark_account(account.id, account.connection, state, Some(problem), now).await?;
                return Ok(RunOutcome::RetryScheduled);
            }
            // The pause itself is stored with the outcome, for everyone it applies to.
            let pauses = outcome.pause.is_some();
            let (outcome, end) = self.end(outcome, attempts + 1);
            let sent = matches!(end, StepEnd::Final(StepState::Sent));
            let later = matches!(end, StepEnd::Later(_));
            // A signal is tried once, and its failure does not stop the message.
            let end = if is_signal && later { StepEnd::Final(StepState::Cancelled) } else { end };
            let left = outcome.reply_context.clone();
            self.finish(index, outcome, end).await?;
            if left.is_some() {
                self.reply.reply_context = left;
            }
            in_time = true;
            match (pauses, later) {
                (true, _) => return Ok(RunOutcome::RetryScheduled),
                _ if is_signal || sent => {}
                (false, true) => return Ok(RunOutcome::RetryScheduled),
                (false, false) => return Ok(RunOutcome::Finished),
            }
        }
        Ok(RunOutcome::Finished)
    }

    /// Whether a step may be sent now: no pause of the platform and no rate limit holds it back. `Err`: when to ask
    /// again.
    async fn leave_to_go(&self, registered: &LoadedChannel, step: &SendStep) -> Result<Result<(), u64>, InboxError> {
        // The pause may have come with the answer to another reply, since this run began.
        let now = self.room.base.clock.now();
        match self.room.base.inbox.paused_until(self.reply.account, Some(self.reply.conversation), now).await? {
            Some(until) => Ok(Err(until)),
            None => Ok(self.paced(registered, step).await),
        }
    }

    /// Reserves memory for all requests of the reply, a copy of the largest while it is sent, and the start of an
    /// answer.
    fn set_aside(&self, steps: &[SendStep]) -> Result<Option<Held>, TooMuch> {
        let sizes = steps.iter().map(|step| memory_of(&step.request));
        let largest = sizes.clone().max().unwrap_or(0);
        let wanted = sizes.fold(largest.saturating_add(FIRST), u64::saturating_add);
        self.room.network.memory.try_take(&self.reply.channel, wanted)
    }

    async fn drop_signal(&self, index: usize) -> Result<(), InboxError> {
        self.finish(index, late_signal(), StepEnd::Final(StepState::Cancelled)).await
    }

    /// Waits for the rate limit of the step's class. For long waits, returns when to ask again instead.
    async fn paced(&self, registered: &LoadedChannel, step: &SendStep) -> Result<(), u64> {
        let (clock, rates) = (&self.room.base.clock, &registered.capabilities.rates);
        let patient_until = clock.now().saturating_add(PATIENCE_MS);
        let mut again = !self.reply.steps.is_empty();
        loop {
            let asker = RateKey {
                channel: registered.channel.id(),
                account: self.reply.account,
                conversation: Some(self.reply.conversation),
                again,
            };
            match self.room.rate_limits.take(rates, &step.rate_class, asker) {
                Ok(()) => return Ok(()),
                Err(at) if at > patient_until => return Err(at),
                Err(at) => clock.until(at).await,
            }
            again = true;
        }
    }

    async fn finish(&self, index: usize, outcome: SendOutcome, end: StepEnd) -> Result<(), InboxError> {
        let base = &self.room.base;
        base.metrics.step(&self.reply.channel, self.reply.account, &end);
        let doubtful = matches!(outcome.verdict, SendResult::Ambiguous(_));
        let named = matches!(&outcome.verdict, SendResult::Sent(receipt) if receipt.recipient.is_some());
        base.inbox.finish_step(&self.reply, index, outcome, end, base.clock.now()).await?;
        if doubtful {
            base.wake.doubts_due.notify_one();
        }
        if named {
            // The contact named by the receipt needs a profile.
            base.wake.accounts_due.notify_waiters();
        }
        Ok(())
    }

    async fn refuse(&self, violations: Vec<Violation>) -> Result<(), InboxError> {
        self.room.base.metrics.refused(&self.reply.channel, self.reply.account);
        self.room.base.inbox.refuse_reply(self.reply.reply, violations, self.room.base.clock.now()).await
    }

    /// The requests of the reply, recorded before the first is sent; `None` if nothing can be sent.
    async fn steps(
        &self,
        registered: &LoadedChannel,
        context: &ConversationContext,
        now: u64,
        leave: &mut Option<Permit>,
    ) -> Result<Option<Vec<SendStep>>, OutboundError> {
        let place = (self.reply.conversation, &context.account);
        let message = self.room.as_channel_sees_it(registered, place, &self.reply.message).await?;
        let asked = context.clone();
        let called = self
            .room
            .channels
            .call_unreported(registered, Part::Outgoing, Worker::Outbox, move |channel| ask(channel, &message, &asked));
        let (built, remarks) = match called.await {
            Ok(((built, remarks), permit)) => {
                match built {
                    // Parsing the answer decides whether the channel succeeded, if there will be an answer.
                    Ok(_) => *leave = Some(permit),
                    Err(_) => permit.succeeded(now),
                }
                (built, remarks)
            }
            Err(CallProblem::Open(paused)) => return Err(paused.into()),
            Err(CallProblem::Failed(CallError { failure: CallFailure::Busy(_), .. })) => return Err(Busy.into()),
            Err(CallProblem::Failed(error)) => (Err(vec![channel_failed(&error)]), Remarks::default()),
            Err(CallProblem::Panicked) => (Err(vec![host_failed()]), Remarks::default()),
        };
        let built = built.and_then(|steps| if steps.is_empty() { Err(vec![nothing_to_send()]) } else { Ok(steps) });
        let first = self.reply.steps.is_empty();
        match built {
            Ok(steps) if first || self.goes_on_with(&steps) => {
                self.room.base.inbox.begin_steps(&self.reply, &steps, &remarks, now).await?;
                Ok(Some(steps))
            }
            Ok(steps) if self.matches(&steps) => Ok(Some(steps)),
            Ok(_) => {
                self.reject_rest(
                    "The channel was updated while this was being sent. Send again what is missing.".into(),
                )
                .await?;
                Ok(None)
            }
            Err(violations) if first => {
                self.refuse(violations).await?;
                Ok(None)
            }
            // Part of it was sent, and the rest has become impossible, e.g. because the window closed.
            Err(violations) => {
                let sentences: Vec<_> = violations.iter().map(|violation| violation.message.as_str()).collect();
                self.reject_rest(sentences.join(" ")).await?;
                Ok(None)
            }
        }
    }

    /// Whether the steps equal the recorded ones: a row and its request must not drift apart.
    fn matches(&self, steps: &[SendStep]) -> bool {
        self.reply.steps.len() == steps.len()
            && self.reply.steps.iter().zip(steps).all(|(stored, step)| stored.is(step))
    }

    /// Whether the steps equal the recorded ones up to where the channel asked for a rebuild.
    fn goes_on_with(&self, steps: &[SendStep]) -> bool {
        let kept = self.reply.rebuild_from.and_then(|from| self.reply.steps.get(..from));
        kept.is_some_and(|kept| {
            kept.len() < steps.len() && kept.iter().zip(steps).all(|(stored, step)| stored.is(step))
        })
    }

    /// The recorded step; `None` if it was rebuilt in this run.
    fn stored(&self, index: usize) -> Option<&StoredStep> {
        self.reply.steps.get(index).filter(|_| self.reply.rebuild_from.is_none_or(|from| index < from))
    }

    async fn reject_rest(&self, sentence: String) -> Result<(), InboxError> {
        let next = self.reply.steps.iter().position(|step| step.state == StepState::Queued);
        // The steps of a first run were recorded after the reply was read.
        let next = if self.reply.steps.is_empty() { Some(0) } else { next };
        let Some(index) = next else { return Ok(()) };
        let failure = failure(FailureCategory::ContentInvalid, sentence);
        self.finish(index, outcome(SendResult::Rejected(failure)), StepEnd::Final(StepState::Rejected)).await
    }

    /// Sends one request and has the channel parse the answer. Also returns the error if parsing failed.
    async fn attempt(
        &self,
        registered: &LoadedChannel,
        context: &ConversationContext,
        connection: i64,
        (index, step): (usize, &SendStep),
        captured: &mut Captured,
        memory: &mut Held,
    ) -> (SendOutcome, Option<CallError>) {
        let files = match self.room.media.files_of(&step.request).await {
            Ok(files) => files,
            Err(error) => return (no_files(&error), None),
        };
        let (row, id) = (self.reply.account, context.account.id.clone());
        let scope = CallScope::Account { row, id, connection, settings: context.account.settings.as_slice().into() };
        let known = self.room.network.known(registered.channel.id(), &scope);
        let asked = Sent::of(&step.request, |text| known.redact_in(text));
        let (at, started) = (self.room.base.clock.now(), Instant::now());
        let answered = self.room.network.send(registered, &scope, step.request.clone(), files, memory, captured).await;
        let place = (self.reply.reply, index);
        let answer = answered.as_ref().map_err(ToString::to_string);
        self.room.base.exchanges.note(place, (at, started.elapsed()), asked, answer);
        match answered {
            Ok(response) => read_answer(&registered.channel, &known, step, captured, response).await,
            Err(error) => (unsent(step, &error), None),
        }
    }

    fn end(&self, mut outcome: SendOutcome, attempts: u32) -> (SendOutcome, StepEnd) {
        let now = self.room.base.clock.now();
        let (failure, tired) = match &mut outcome.verdict {
            SendResult::Sent(_) => return (outcome, StepEnd::Final(StepState::Sent)),
            SendResult::Ambiguous(_) => return (outcome, StepEnd::Final(StepState::Ambiguous)),
            SendResult::Rejected(_) | SendResult::Unauthorized(_) => {
                return (outcome, StepEnd::Final(StepState::Rejected));
            }
            SendResult::Rebuild(_) if self.reply.rebuilds < MAX_REBUILDS => return (outcome, StepEnd::Later(now)),
            SendResult::Rebuild(failure) => {
                failure.message.push_str(" It was rendered anew as often as is allowed, and is given up.");
                return (outcome, StepEnd::Final(StepState::Rejected));
            }
            SendResult::RateLimited(failure) => (failure, false),
            SendResult::Transient(failure) => {
                let unreached = failure.code.is_none();
                (failure, attempts >= MAX_ATTEMPTS && !unreached)
            }
        };
        if tired || now.saturating_sub(self.reply.created_at) >= MAX_AGE_MS {
            failure.message.push_str(" It was tried again and again, and is given up.");
            failure.fix = Some("Send it again when the platform works.".into());
            return (outcome, StepEnd::Final(StepState::Rejected));
        }
        let wait = FIRST_WAIT_MS.saturating_mul(1 << attempts.saturating_sub(1).min(20)).min(LONGEST_WAIT_MS);
        let wait = wait.max(failure.retry_after.unwrap_or(0).min(DAY_MS));
        (outcome, StepEnd::Later(now.saturating_add(wait)))
    }
}
