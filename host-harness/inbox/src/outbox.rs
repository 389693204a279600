//! The outbox: replies under an idempotency key, a row for every step, every step with an end that
//! has a name. Belongs here: states and their changes. Not here: sending, deciding what to send.

use harness_contract::{
    AccountSettings, FailureCategory, OutboundMessage, SendOutcome, SendResult, SendStep, StepKind, Violation,
};
use rusqlite::{Transaction, params};

use crate::{
    Inbox, InboxError, Update, conversations::MAX_REPLY_CONTEXT, doubt::FIRST_LOOK_MS, gone, journal::as_millis,
    messages, pauses, queue::Remarks, unnamed,
};

/// Where a step stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// Waits for its turn, or for another attempt.
    Queued,
    /// The request is on its way.
    Sending,
    /// The platform has it.
    Sent,
    /// The platform, or the host's rules, refused it.
    Rejected,
    /// The platform may have it: never sent again by itself.
    Unknown,
    /// An earlier step was refused, so this one was not tried.
    Cancelled,
}

impl StepState {
    /// The name in SQL and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Rejected => "rejected",
            Self::Unknown => "unknown",
            Self::Cancelled => "cancelled",
        }
    }

    pub(crate) fn from_name(name: &str) -> Self {
        match name {
            "queued" => Self::Queued,
            "sending" => Self::Sending,
            "sent" => Self::Sent,
            "rejected" => Self::Rejected,
            "cancelled" => Self::Cancelled,
            _ => Self::Unknown,
        }
    }
}

/// A reply that has steps to send.
#[derive(Clone, Debug)]
pub struct OpenReply {
    /// Its row.
    pub reply: i64,
    /// The conversation's row; replies of one conversation are sent one after the other.
    pub conversation: i64,
    /// The account's row.
    pub account: i64,
    /// The channel's id.
    pub channel: String,
    /// What to send.
    pub message: OutboundMessage,
    /// Its steps as they were written down; empty before the first attempt.
    pub steps: Vec<StoredStep>,
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
    part: u32,
    kind: String,
    correlation: Option<String>,
}

impl StoredStep {
    pub(crate) fn from_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            state: StepState::from_name(&row.get::<_, String>(0)?),
            attempts: row.get(1)?,
            part: row.get(2)?,
            kind: row.get(3)?,
            correlation: row.get(4)?,
        })
    }

    /// Whether this is the same step of the same reply, built again.
    pub fn is(&self, step: &SendStep) -> bool {
        self.part == step.part && self.kind == step.kind.name() && self.correlation == step.correlation
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

impl Inbox {
    /// Notes the channel's verdict that a reply cannot be sent, and why.
    pub async fn refuse_reply(&self, reply: i64, violations: Vec<Violation>) -> Result<(), InboxError> {
        let violations = serde_json::to_string(&violations)?;
        let conversation = self
            .writer
            .write(move |tx| {
                Ok(tx
                    .prepare_cached(
                        "UPDATE reply SET state = 'refused', violations = ?2 WHERE id = ?1 RETURNING conversation_id",
                    )?
                    .query_row(params![reply, violations], |row| row.get(0))?)
            })
            .await?;
        self.announce([Update::Conversation { conversation, kind: "outcome" }]);
        Ok(())
    }

    /// Writes down the steps of a reply before the first one is sent, and shows its messages.
    /// What the validation remarked is kept with it.
    pub async fn begin_steps(
        &self,
        reply: &OpenReply,
        steps: &[SendStep],
        remarks: &Remarks,
        now: u64,
    ) -> Result<(), InboxError> {
        let rows = steps.iter().map(|step| NewStep::of(&reply.message, step)).collect::<Result<Vec<_>, _>>()?;
        let (id, account) = (reply.reply, reply.account);
        let author = serde_json::to_string(&reply.message.sender)?;
        let (warnings, degraded) = remarks.columns()?;
        let conversation = self
            .writer
            .write(move |tx| {
                let conversation = conversation_of(tx, id)?;
                tx.prepare_cached(
                    "UPDATE reply SET state = 'sending', violations = ?2, degradations = ?3 WHERE id = ?1",
                )?
                .execute(params![id, warnings, degraded])?;
                for (step, row) in (0i64..).zip(&rows) {
                    write_step(tx, &Attempt { reply: id, account, conversation, step, now }, &author, row)?;
                }
                tx.prepare_cached("UPDATE conversation SET last_at = max(last_at, ?2) WHERE id = ?1")?
                    .execute(params![conversation, as_millis(now)])?;
                Ok(conversation)
            })
            .await?;
        self.announce([Update::Conversation { conversation, kind: "reply" }]);
        Ok(())
    }

    /// Notes that the request of a step leaves now. False if the step has an end already: it must not
    /// leave. After a crash such a step is unknown, not queued.
    pub async fn begin_attempt(&self, reply: i64, step: usize, now: u64) -> Result<bool, InboxError> {
        let step = index(step);
        self.writer
            .write(move |tx| {
                // What an upload gave is not kept, so an upload may be made again.
                let begun = tx
                    .prepare_cached(
                        "UPDATE step SET state = 'sending', attempts = attempts + 1, begun_at = ?3, look_at = NULL
                         WHERE reply_id = ?1 AND step = ?2
                           AND (state = 'queued' OR (kind = 'upload' AND state = 'sent'))",
                    )?
                    .execute(params![reply, step, as_millis(now)])?;
                Ok(begun == 1)
            })
            .await
    }

    /// Writes down how an attempt ended. A refusal or an unknown outcome cancels the steps behind it.
    pub async fn finish_step(
        &self,
        reply: &OpenReply,
        step: usize,
        outcome: SendOutcome,
        end: StepEnd,
        now: u64,
    ) -> Result<(), InboxError> {
        let (id, account) = (reply.reply, reply.account);
        let conversation = self
            .writer
            .write(move |tx| {
                let conversation = conversation_of(tx, id)?;
                finish(tx, &Attempt { reply: id, account, conversation, step: index(step), now }, &outcome, &end)?;
                conversation_of(tx, id)
            })
            .await?;
        self.announce([Update::Conversation { conversation, kind: "outcome" }]);
        Ok(())
    }

    /// Ends a reply in which nothing is left to do: what is still open is cancelled.
    pub async fn close_reply(&self, reply: i64) -> Result<(), InboxError> {
        self.writer
            .write(move |tx| {
                tx.prepare_cached("UPDATE step SET state = 'cancelled' WHERE reply_id = ?1 AND state = 'queued'")?
                    .execute(params![reply])?;
                tx.prepare_cached("UPDATE reply SET state = 'sending' WHERE id = ?1 AND state = 'queued'")?
                    .execute(params![reply])?;
                close_finished(tx, reply)
            })
            .await
    }

    /// Lets a reply wait that cannot be tried now.
    pub async fn defer(&self, reply: i64, until: u64) -> Result<(), InboxError> {
        self.writer
            .write(move |tx| {
                tx.prepare_cached(
                    "UPDATE reply SET next_attempt_at = max(next_attempt_at, ?2)
                     WHERE id = ?1 AND state IN ('queued', 'sending')",
                )?
                .execute(params![reply, as_millis(until)])?;
                Ok(())
            })
            .await
    }
}

pub(crate) fn index(step: usize) -> i64 {
    i64::try_from(step).unwrap_or(i64::MAX)
}

pub(crate) struct NewStep {
    pub(crate) part: u32,
    pub(crate) kind: &'static str,
    pub(crate) correlation: Option<String>,
    pub(crate) text: Option<String>,
    pub(crate) content: Option<String>,
    pub(crate) shown: bool,
}

impl NewStep {
    fn of(message: &OutboundMessage, step: &SendStep) -> Result<Self, InboxError> {
        let part = usize::try_from(step.part).ok().and_then(|part| message.parts.get(part));
        Ok(Self {
            part: step.part,
            kind: step.kind.name(),
            correlation: step.correlation.clone(),
            text: step.text.clone(),
            content: part.map(serde_json::to_string).transpose()?,
            shown: step.kind == StepKind::Message,
        })
    }
}

/// Writes a step down, and shows its message where it is one.
pub(crate) fn write_step(tx: &Transaction<'_>, at: &Attempt, author: &str, row: &NewStep) -> Result<(), InboxError> {
    tx.prepare_cached(
        "INSERT INTO step (reply_id, step, part, kind, state, correlation, text)
         VALUES (?1, ?2, ?3, ?4, 'queued', ?5, ?6) ON CONFLICT DO NOTHING",
    )?
    .execute(params![at.reply, at.step, row.part, row.kind, row.correlation, row.text])?;
    if row.shown {
        tx.prepare_cached(
            "INSERT INTO message (account_id, conversation_id, direction, author, at, received_at,
                 origin, text, part, reply_id, step)
             VALUES (?1, ?2, 'outbound', ?3, ?4, ?4, 'live', ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            at.account,
            at.conversation,
            author,
            as_millis(at.now),
            row.text,
            row.content,
            at.reply,
            at.step
        ])?;
    }
    Ok(())
}

pub(crate) struct Attempt {
    pub(crate) reply: i64,
    pub(crate) account: i64,
    pub(crate) conversation: i64,
    pub(crate) step: i64,
    pub(crate) now: u64,
}

/// The conversation of a reply now: it may have become another one since the reply was taken up.
pub(crate) fn conversation_of(tx: &Transaction<'_>, reply: i64) -> Result<i64, InboxError> {
    Ok(tx
        .prepare_cached("SELECT conversation_id FROM reply WHERE id = ?1")?
        .query_row(params![reply], |row| row.get(0))?)
}

fn finish(tx: &Transaction<'_>, at: &Attempt, outcome: &SendOutcome, end: &StepEnd) -> Result<(), InboxError> {
    let result = serde_json::to_string(&outcome.result)?;
    let now = as_millis(at.now);
    let (state, finished) = match end {
        StepEnd::Final(state) => (*state, Some(now)),
        StepEnd::Later(_) => (StepState::Queued, None),
    };
    // What may have been delivered is looked for, after its echo had time to come.
    let look = (state == StepState::Unknown).then(|| now.saturating_add(FIRST_LOOK_MS));
    // An echo may have confirmed the step while its answer was still on the way.
    tx.prepare_cached(
        "UPDATE step SET state = ?3, outcome = ?4, finished_at = coalesce(finished_at, ?5),
             look_at = iif(kind = 'message', ?6, NULL)
         WHERE reply_id = ?1 AND step = ?2 AND (state <> 'sent' OR ?3 = 'sent')",
    )?
    .execute(params![at.reply, at.step, state.name(), result, finished, look])?;
    if let Some(pause) = &outcome.pause {
        pauses::note(tx, at, pause)?;
    }
    if let SendResult::Sent(receipt) = &outcome.result
        && let Some(id) = receipt.message_ids.first()
    {
        messages::adopt_platform_id(tx, at.account, (at.reply, at.step), id)?;
    }
    if let SendResult::Sent(receipt) = &outcome.result {
        note_answered(tx, at.reply, at.step)?;
        if let Some(recipient) = &receipt.recipient {
            unnamed::name(tx, at.account, at.conversation, recipient)?;
        }
    }
    if let Some(failure) = outcome.result.failure().map(|failure| failure.category)
        && matches!(failure, FailureCategory::WindowClosed | FailureCategory::WindowNeedsHuman)
    {
        tx.prepare_cached("UPDATE conversation SET refused_at = ?2 WHERE id = ?1")?
            .execute(params![at.conversation, now])?;
    }
    if let Some(context) = outcome.reply_context.as_ref().filter(|context| context.len() <= MAX_REPLY_CONTEXT) {
        tx.prepare_cached("UPDATE conversation SET reply_context = ?2 WHERE id = ?1")?
            .execute(params![at.conversation, context])?;
    }
    if let StepEnd::Later(next) = end {
        tx.prepare_cached("UPDATE reply SET next_attempt_at = ?2 WHERE id = ?1")?
            .execute(params![at.reply, as_millis(*next)])?;
    }
    close_finished(tx, at.reply)
}

/// What a person has answered is not unread. Whom a bot answers still waits for a person, and so does whom somebody
/// only shows that he is typing: that is no message.
pub(crate) fn note_answered(tx: &Transaction<'_>, reply: i64, step: i64) -> Result<(), InboxError> {
    tx.prepare_cached(
        "UPDATE message AS answered SET unread = 0 FROM message AS answer
         WHERE answer.reply_id = ?1 AND answer.step = ?2 AND json_extract(answer.author, '$.human') IS NOT NULL
           AND answered.conversation_id = answer.conversation_id AND answered.unread = 1 AND answered.id < answer.id",
    )?
    .execute(params![reply, step])?;
    Ok(())
}

/// A message that was refused or whose end is unknown stops the steps behind it, since order is part of what was
/// asked for. A signal stops nothing. A reply without an open step is done.
pub(crate) fn close_finished(tx: &Transaction<'_>, reply: i64) -> Result<(), InboxError> {
    tx.prepare_cached(
        "UPDATE step SET state = 'cancelled' WHERE reply_id = ?1 AND state = 'queued' AND EXISTS (
             SELECT 1 FROM step AS earlier WHERE earlier.reply_id = ?1 AND earlier.step < step.step
               AND earlier.kind <> 'action' AND earlier.state IN ('rejected', 'unknown', 'cancelled'))",
    )?
    .execute(params![reply])?;
    tx.prepare_cached(
        "UPDATE reply SET state = 'done' WHERE id = ?1 AND state = 'sending'
           AND NOT EXISTS (SELECT 1 FROM step WHERE step.reply_id = ?1 AND step.state IN ('queued', 'sending'))",
    )?
    .execute(params![reply])?;
    gone::empty_finished_reply(tx, reply)
}

/// The account as a channel sees it.
pub(crate) fn account_settings(id: String, settings: &str) -> Result<AccountSettings, InboxError> {
    Ok(AccountSettings { id, settings: serde_json::from_str(settings)? })
}
