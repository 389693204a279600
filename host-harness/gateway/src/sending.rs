//! One reply on its way: ask the channel, send step by step, write down how each ended.
//! Belongs here: attempts, and what follows from a result. Not here: which reply's turn it is.

use std::{sync::Arc, time::Duration};

use harness_contract::{
    ConversationContext, Failure, FailureCategory, HttpResponse, SendOutcome, SendResult, SendStep, Severity, StepKind,
    Violation, ViolationCode, text::shown,
};
use harness_inbox::{AccountState, InboxError, OpenReply, StepEnd, StepState};
use harness_sandbox::{CallError, CallFailure, Channel};
use tracing::Instrument as _;

use crate::{
    account::Whose,
    breaker::{Part, Pass},
    capture::Captured,
    egress::EgressError,
    error::HostError,
    host::Shared,
    media::{self, FilesError},
    pace::Asker,
    setup::Registered,
};

/// Attempts at a step that the platform answered with a passing error.
const MAX_ATTEMPTS: u32 = 8;
/// How long a step is tried that the platform never got, or asked to be sent later.
const MAX_AGE_MS: u64 = DAY_MS;
/// The wait before the second attempt; it doubles with every further one.
const FIRST_WAIT_MS: u64 = 1_000;
/// The longest wait between two attempts that nobody asked for.
const LONGEST_WAIT_MS: u64 = 15 * 60_000;
/// The longest wait that a channel may ask for.
const DAY_MS: u64 = 24 * 3_600_000;
/// How long a reply waits for its pace with its requests at hand. One that waits longer gives its place to others.
const PATIENCE_MS: u64 = 1_000;
/// How often a busy sandbox is asked again for the reading of an answer that cannot be had twice.
const READINGS: u32 = 20;

/// What is left of a reply when its turn is over.
pub(crate) enum Left {
    /// Every step has its end, or none will be tried any more.
    Nothing,
    /// Another attempt, when it is due.
    Attempt,
    /// It could not be tried at all.
    Unable,
    /// The channel is left alone until then, in milliseconds since 1970.
    Until(u64),
    /// The pace of its class is used up until this time.
    Paced(u64),
    /// The platform asks the account to pause, in milliseconds.
    Pause(u64),
}

/// One reply under way.
pub(crate) struct Sending<'a> {
    pub(crate) shared: &'a Arc<Shared>,
    pub(crate) reply: OpenReply,
}

impl Sending<'_> {
    /// Sends what is left of the reply.
    pub(crate) async fn run(&self) -> Result<Left, HostError> {
        let Ok(registered) = self.shared.channel(&self.reply.channel) else { return Ok(Left::Unable) };
        let unchanged = self.shared.bindings.read().await;
        let account = self.shared.inbox.account_row(self.reply.account).await?;
        if account.state == AccountState::Disconnected {
            drop(unchanged);
            if self.reply.steps.is_empty() {
                self.refuse(vec![disconnected()]).await?;
            } else {
                self.reject_rest(disconnected().sentence).await?;
            }
            return Ok(Left::Nothing);
        }
        let now = self.shared.clock.now();
        let context = self.shared.context(&registered, self.reply.conversation).await?;
        drop(unchanged);
        let digest = &registered.channel.inspection().digest;
        let mut leave = None;
        let steps = self.steps(&registered, &context, now, &mut leave).await?;
        let Some(steps) = steps else { return Ok(Left::Nothing) };
        let mut captured = Captured::default();
        for (index, step) in steps.iter().enumerate() {
            let stored = self.reply.steps.get(index);
            let attempts = stored.map_or(0, |stored| stored.attempts);
            match stored.map_or(StepState::Queued, |stored| stored.state) {
                StepState::Queued => {}
                // What an upload gave is not kept across attempts, so it is made again.
                StepState::Sent if step.kind == StepKind::Upload => {}
                // One turn at a time has this conversation: its end could not be written down.
                StepState::Sending => {
                    let end = StepEnd::Final(StepState::Unknown);
                    self.finish(index, outcome(SendResult::Ambiguous(unrecorded())), end).await?;
                    return Ok(Left::Nothing);
                }
                _ => continue,
            }
            if let Err(at) = self.paced(&registered, step).await {
                return Ok(Left::Paced(at));
            }
            if !self.shared.inbox.begin_attempt(self.reply.reply, index).await? {
                continue;
            }
            let part = tracing::error_span!("part", part = index);
            let attempted =
                self.attempt(&registered, &context, account.connection, step, &mut captured).instrument(part);
            let (outcome, unread) = attempted.await;
            let now = self.shared.clock.now();
            let breakers = &self.shared.breakers;
            if let Some(pass) = leave.take().or_else(|| breakers.admit(&self.reply.channel, Part::Outgoing, now).ok()) {
                match unread {
                    Some(error) => self.shared.failed(pass, digest, &error, true),
                    None => pass.succeeded(now),
                }
            }
            if let SendResult::Unauthorized(failure) = &outcome.result
                && failure.category == FailureCategory::AuthExpired
            {
                // Nothing was sent. It waits until somebody connects the account again.
                let problem = [Some(failure.sentence.as_str()), failure.fix.as_deref()].into_iter().flatten();
                let problem = problem.collect::<Vec<_>>().join(" ");
                self.finish(index, outcome, StepEnd::Later(now)).await?;
                let (inbox, state) = (&self.shared.inbox, AccountState::NeedsReconnect);
                inbox.mark_account(account.id, account.connection, state, Some(problem)).await?;
                return Ok(Left::Attempt);
            }
            let pause = outcome.pause.as_ref().map(|pause| pause.duration.min(DAY_MS));
            let (outcome, end) = self.end(outcome, attempts + 1);
            let sent = matches!(end, StepEnd::Final(StepState::Sent));
            let later = matches!(end, StepEnd::Later(_));
            self.finish(index, outcome, end).await?;
            match pause {
                Some(wait) => return Ok(Left::Pause(wait)),
                None if later => return Ok(Left::Attempt),
                None if !sent => return Ok(Left::Nothing),
                None => {}
            }
        }
        Ok(Left::Nothing)
    }

    /// Waits until the pace of the step's class lets it leave; says until when it lasts where that is long.
    async fn paced(&self, registered: &Registered, step: &SendStep) -> Result<(), u64> {
        let (clock, rates) = (&self.shared.clock, &registered.capabilities.rates);
        let patient_until = clock.now().saturating_add(PATIENCE_MS);
        let mut again = !self.reply.steps.is_empty();
        loop {
            let asker = Asker {
                channel: registered.channel.id(),
                account: self.reply.account,
                conversation: Some(self.reply.conversation),
                again,
            };
            match self.shared.paces.take(rates, &step.rate_class, asker) {
                Ok(()) => return Ok(()),
                Err(at) if at > patient_until => return Err(at),
                Err(at) => clock.until(at).await,
            }
            again = true;
        }
    }

    async fn finish(&self, index: usize, outcome: SendOutcome, end: StepEnd) -> Result<(), InboxError> {
        self.shared.calls.metrics.step(&self.reply.channel, self.reply.account, &end);
        self.shared.inbox.finish_step(&self.reply, index, outcome, end, self.shared.clock.now()).await
    }

    async fn refuse(&self, violations: Vec<Violation>) -> Result<(), InboxError> {
        self.shared.calls.metrics.refused(&self.reply.channel, self.reply.account);
        self.shared.inbox.refuse_reply(self.reply.reply, violations).await
    }

    /// The requests of the reply, written down before the first leaves; none when nothing can be sent.
    async fn steps(
        &self,
        registered: &Registered,
        context: &ConversationContext,
        now: u64,
        leave: &mut Option<Pass>,
    ) -> Result<Option<Vec<SendStep>>, HostError> {
        let (channel, message, asked) = (registered.channel.clone(), self.reply.message.clone(), context.clone());
        let pass = self.shared.breakers.admit(channel.id(), Part::Outgoing, now)?;
        let span = tracing::Span::current();
        let asked = tokio::task::spawn_blocking(move || span.in_scope(|| ask(&channel, &message, &asked))).await;
        match &asked {
            // The reading of the answer decides, where there will be one.
            Ok(Ok((Ok(_), _))) => *leave = Some(pass),
            Ok(Ok(_)) => pass.succeeded(now),
            Ok(Err(error)) => self.shared.failed(pass, &registered.channel.inspection().digest, error, true),
            Err(_) => drop(pass),
        }
        let (built, warnings) = match asked {
            Ok(Ok(answer)) => answer,
            Ok(Err(CallError { failure: CallFailure::Busy(_), .. })) | Err(_) => return Err(HostError::Busy),
            Ok(Err(error)) => (Err(vec![channel_failed(&error)]), Vec::new()),
        };
        let built = built.and_then(|steps| if steps.is_empty() { Err(vec![nothing_to_send()]) } else { Ok(steps) });
        let first = self.reply.steps.is_empty();
        match built {
            Ok(steps) if first => {
                self.shared.inbox.begin_steps(&self.reply, &steps, &warnings, now).await?;
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
            // Some of it was sent, and what is left became impossible, such as by a closed window.
            Err(violations) => {
                let sentences: Vec<_> = violations.iter().map(|violation| violation.sentence.as_str()).collect();
                self.reject_rest(sentences.join(" ")).await?;
                Ok(None)
            }
        }
    }

    /// Whether the steps are those that were written down: a row and its request must not drift apart.
    fn matches(&self, steps: &[SendStep]) -> bool {
        self.reply.steps.len() == steps.len()
            && self.reply.steps.iter().zip(steps).all(|(stored, step)| stored.is(step))
    }

    async fn reject_rest(&self, sentence: String) -> Result<(), InboxError> {
        let next = self.reply.steps.iter().position(|step| step.state == StepState::Queued);
        let Some(index) = next else { return Ok(()) };
        let failure = failure(FailureCategory::ContentInvalid, sentence);
        self.finish(index, outcome(SendResult::Rejected(failure)), StepEnd::Final(StepState::Rejected)).await
    }

    /// One request and the channel's reading of the answer; with the error where that failed.
    async fn attempt(
        &self,
        registered: &Registered,
        context: &ConversationContext,
        connection: i64,
        step: &SendStep,
        captured: &mut Captured,
    ) -> (SendOutcome, Option<CallError>) {
        let files = match media::files_of(self.shared, &step.request).await {
            Ok(files) => files,
            Err(error) => return (no_files(&error), None),
        };
        let whose = Whose::Account { row: self.reply.account, id: context.account.id.clone(), connection };
        match self.shared.send(registered, &whose, step.request.clone(), &files, captured).await {
            Ok(response) => read_answer(&registered.channel, step, response).await,
            Err(error) => (unsent(step, &error), None),
        }
    }

    fn end(&self, mut outcome: SendOutcome, attempts: u32) -> (SendOutcome, StepEnd) {
        let now = self.shared.clock.now();
        let (failure, tired) = match &mut outcome.result {
            SendResult::Sent(_) => return (outcome, StepEnd::Final(StepState::Sent)),
            SendResult::Ambiguous(_) => return (outcome, StepEnd::Final(StepState::Unknown)),
            SendResult::Rejected(_) | SendResult::Unauthorized(_) => {
                return (outcome, StepEnd::Final(StepState::Rejected));
            }
            SendResult::RateLimited(failure) => (failure, false),
            SendResult::Transient(failure) => {
                let unreached = failure.code.is_none();
                (failure, attempts >= MAX_ATTEMPTS && !unreached)
            }
        };
        if tired || now.saturating_sub(self.reply.created_at) >= MAX_AGE_MS {
            failure.sentence.push_str(" It was tried again and again, and is given up.");
            failure.fix = Some("Send it again when the platform works.".into());
            return (outcome, StepEnd::Final(StepState::Rejected));
        }
        let wait = FIRST_WAIT_MS.saturating_mul(1 << attempts.saturating_sub(1).min(20)).min(LONGEST_WAIT_MS);
        let wait = wait.max(failure.retry_after.unwrap_or(0).min(DAY_MS));
        (outcome, StepEnd::Later(now.saturating_add(wait)))
    }
}

type Asked = (Result<Vec<SendStep>, Vec<Violation>>, Vec<Violation>);

/// The channel's verdict on a message, and its requests.
fn ask(
    channel: &Channel,
    message: &harness_contract::OutboundMessage,
    context: &ConversationContext,
) -> Result<Asked, CallError> {
    let validation = channel.validate_outbound(message, context)?;
    let (errors, warnings): (Vec<_>, Vec<_>) =
        validation.violations.into_iter().partition(|violation| violation.severity == Severity::Error);
    let built = if errors.is_empty() { channel.build_send_request(message, context)? } else { Err(errors) };
    Ok((built, warnings))
}

/// Reads the answer. It cannot be had twice, so a sandbox that is busy is asked again.
async fn read_answer(channel: &Channel, step: &SendStep, response: HttpResponse) -> (SendOutcome, Option<CallError>) {
    let mut reading = 0;
    loop {
        reading += 1;
        let (asked, its_step, answer) = (channel.clone(), step.clone(), response.clone());
        let span = tracing::Span::current();
        let read = move || span.in_scope(|| asked.parse_send_response(&its_step, &answer));
        let read = tokio::task::spawn_blocking(read).await;
        let problem = match read {
            Ok(Ok(outcome)) => return (outcome, None),
            Ok(Err(CallError { failure: CallFailure::Busy(_) | CallFailure::Deadline(_), .. }))
                if reading < READINGS =>
            {
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
            Ok(Err(error)) => return (unread(step, &error.to_string()), Some(error)),
            Err(error) => error.to_string(),
        };
        return (unread(step, &problem), None);
    }
}

/// The platform answered, and the channel could not say what: it may have accepted the message.
fn unread(step: &SendStep, error: &str) -> SendOutcome {
    tracing::error!(error, "the channel could not read the platform's answer");
    let failure = failure(
        FailureCategory::Internal,
        "The platform answered, but the channel could not read the answer. Look whether the message arrived before sending it again.".into(),
    );
    outcome(if step.repeatable { SendResult::Transient(failure) } else { SendResult::Ambiguous(failure) })
}

/// There is no answer: what that means depends on whether anything can have left.
fn unsent(step: &SendStep, error: &EgressError) -> SendOutcome {
    let why = shown(&error.to_string());
    tracing::warn!(error = why, "a request has no response");
    let sentence = |text: &str| format!("{text} ({why}).");
    let harmless = step.repeatable || step.kind != StepKind::Message;
    outcome(match error {
        error if error.may_have_arrived() && !harmless => SendResult::Ambiguous(failure(
            FailureCategory::Ambiguous,
            sentence("The platform's answer did not come, and it is not known whether the message arrived"),
        )),
        EgressError::Unreachable(_) => SendResult::Transient(failure(
            FailureCategory::PlatformTransient,
            sentence("The platform could not be reached"),
        )),
        error if error.may_have_arrived() => SendResult::Transient(failure(
            FailureCategory::PlatformTransient,
            sentence("The platform's answer did not come"),
        )),
        EgressError::MissingSlot(_) => SendResult::Unauthorized(failure(
            FailureCategory::AuthExpired,
            sentence("The account has no credential for this; connect it again"),
        )),
        _ => SendResult::Rejected(failure(FailureCategory::Internal, sentence("The request was not sent"))),
    })
}

/// A file that is to be sent is not at hand: nothing was sent.
fn no_files(error: &FilesError) -> SendOutcome {
    let gone = matches!(error, FilesError::Inbox(InboxError::NotFound { .. }));
    let sentence = format!("A file of this message is not at hand ({error}).");
    outcome(if gone {
        SendResult::Rejected(failure(FailureCategory::ContentInvalid, sentence))
    } else {
        SendResult::Transient(failure(FailureCategory::Internal, sentence))
    })
}

fn unrecorded() -> Failure {
    failure(
        FailureCategory::Ambiguous,
        "How this was answered could not be written down, and it is not known whether it arrived.".into(),
    )
}

fn disconnected() -> Violation {
    violation("The account of this conversation is disconnected. Connect it again to answer.".into())
}

fn channel_failed(error: &CallError) -> Violation {
    violation(format!("The channel failed while preparing this message and nothing was sent: {error}."))
}

fn nothing_to_send() -> Violation {
    violation("There is nothing in this message that could be sent.".into())
}

fn violation(sentence: String) -> Violation {
    Violation {
        severity: Severity::Error,
        code: ViolationCode::Other,
        path: String::new(),
        sentence,
        limit: None,
        actual: None,
        accepted: Vec::new(),
        split_at: None,
    }
}

fn failure(category: FailureCategory, sentence: String) -> Failure {
    Failure { category, code: None, subcode: None, sentence, fix: None, retry_after: None, trace_id: None }
}

fn outcome(result: SendResult) -> SendOutcome {
    SendOutcome { result, pause: None, reply_context: None }
}
