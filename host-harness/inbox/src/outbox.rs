//! The outbox: replies under an idempotency key, a row for every step, every step with an end that
//! has a name. Belongs here: states and their changes. Not here: sending, deciding what to send.

use harness_contract::{
    AccountSettings, Degradation, FailureCategory, OutboundMessage, SendOutcome, SendResult, SendStep, StepKind,
    Violation,
};
use rusqlite::{OptionalExtension as _, Transaction, params};

use crate::{
    Inbox, InboxError, Update, conversations::MAX_REPLY_CONTEXT, doubt::FIRST_LOOK_MS, journal::as_millis, messages,
    pauses,
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

/// A reply that somebody asked for.
#[derive(Clone, Debug)]
pub struct NewReply {
    /// The conversation's row.
    pub conversation: i64,
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

impl Remarks {
    /// Each as JSON; none where there is nothing to say.
    fn columns(&self) -> Result<(Option<String>, Option<String>), InboxError> {
        let warnings = (!self.warnings.is_empty()).then(|| serde_json::to_string(&self.warnings)).transpose()?;
        let degraded =
            (!self.degradations.is_empty()).then(|| serde_json::to_string(&self.degradations)).transpose()?;
        Ok((warnings, degraded))
    }
}

/// What asking did.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Queued {
    /// The reply's row.
    pub reply: i64,
    /// False when the key was used before: nothing was queued.
    pub new: bool,
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
    /// Puts a reply into the outbox, once for every key.
    pub async fn queue_reply(&self, new: NewReply) -> Result<Queued, InboxError> {
        self.writer.write(move |tx| queue(tx, new)).await
    }

    /// Whether a reply was asked for under this key, in the account of this conversation, and not refused.
    pub async fn has_reply(&self, conversation: i64, key: &str) -> Result<bool, InboxError> {
        let key = key.to_owned();
        self.readers
            .read(move |connection| {
                Ok(connection
                    .prepare_cached(
                        "SELECT EXISTS (SELECT 1 FROM reply JOIN conversation ON conversation.id = ?1
                           WHERE reply.account_id = conversation.account_id AND reply.key = ?2
                             AND reply.state <> 'refused')",
                    )?
                    .query_row(params![conversation, key], |row| row.get(0))?)
            })
            .await
    }

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
        let (id, account, conversation) = (reply.reply, reply.account, reply.conversation);
        let author = serde_json::to_string(&reply.message.sender)?;
        let (warnings, degraded) = remarks.columns()?;
        self.writer
            .write(move |tx| {
                tx.prepare_cached(
                    "UPDATE reply SET state = 'sending', violations = ?2, degradations = ?3 WHERE id = ?1",
                )?
                .execute(params![id, warnings, degraded])?;
                for (step, row) in (0i64..).zip(&rows) {
                    write_step(tx, &Attempt { reply: id, account, conversation, step, now }, &author, row)?;
                }
                tx.prepare_cached("UPDATE conversation SET last_at = max(last_at, ?2) WHERE id = ?1")?
                    .execute(params![conversation, as_millis(now)])?;
                Ok(())
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
        let (id, account, conversation) = (reply.reply, reply.account, reply.conversation);
        self.writer
            .write(move |tx| {
                finish(tx, &Attempt { reply: id, account, conversation, step: index(step), now }, &outcome, &end)
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

fn queue(tx: &Transaction<'_>, new: NewReply) -> Result<Queued, InboxError> {
    let NewReply { conversation, key, mut message, remarks, now } = new;
    let (warnings, degraded) = remarks.columns()?;
    let account: i64 = tx
        .prepare_cached("SELECT account_id FROM conversation WHERE id = ?1")?
        .query_row(params![conversation], |row| row.get(0))
        .optional()?
        .ok_or(InboxError::NotFound { what: "conversation", id: conversation.to_string() })?;
    // One that was refused was never asked of the platform: its key asks anew, for whatever it likes.
    tx.prepare_cached(
        "DELETE FROM reply WHERE account_id = ?1 AND key = ?2 AND state = 'refused'
           AND NOT EXISTS (SELECT 1 FROM step WHERE step.reply_id = reply.id)",
    )?
    .execute(params![account, key])?;
    let inserted = tx
        .prepare_cached(
            "INSERT INTO reply (account_id, conversation_id, key, message, created_at, state, next_attempt_at,
                 violations, degradations)
             VALUES (?1, ?2, ?3, '', ?4, 'queued', ?4, ?5, ?6) ON CONFLICT (account_id, key) DO NOTHING RETURNING id",
        )?
        .query_row(params![account, conversation, key, as_millis(now), warnings, degraded], |row| row.get::<_, i64>(0))
        .optional()?;
    let Some(reply) = inserted else { return same_reply(tx, account, conversation, &key, message) };
    // Unique beyond this file: it travels to the platform and comes back in echoes.
    message.id = format!("{reply}-{}", key_digest(&key, now));
    tx.prepare_cached("UPDATE reply SET message = ?2 WHERE id = ?1")?
        .execute(params![reply, serde_json::to_string(&message)?])?;
    tx.prepare_cached("UPDATE conversation SET unread = 0 WHERE id = ?1")?.execute(params![conversation])?;
    Ok(Queued { reply, new: true })
}

/// The reply that this key asked for before, if it is the same one.
fn same_reply(
    tx: &Transaction<'_>,
    account: i64,
    conversation: i64,
    key: &str,
    mut message: OutboundMessage,
) -> Result<Queued, InboxError> {
    let (reply, of, stored): (i64, i64, String) = tx
        .prepare_cached("SELECT id, conversation_id, message FROM reply WHERE account_id = ?1 AND key = ?2")?
        .query_row(params![account, key], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    // What was taken back is not kept, so there is nothing to compare with.
    let same = match serde_json::from_str::<OutboundMessage>(&stored) {
        Ok(stored) => {
            message.id.clone_from(&stored.id);
            stored == message
        }
        Err(_) => true,
    };
    if of == conversation && same {
        Ok(Queued { reply, new: false })
    } else {
        Err(InboxError::KeyReused(key.to_owned()))
    }
}

/// Tells apart replies of the same row number in different files.
fn key_digest(key: &str, now: u64) -> String {
    use std::hash::{BuildHasher as _, RandomState};
    format!("{:016x}", RandomState::new().hash_one((key, now)))
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
    Ok(())
}

/// The account as a channel sees it.
pub(crate) fn account_settings(id: String, settings: &str) -> Result<AccountSettings, InboxError> {
    Ok(AccountSettings { id, settings: serde_json::from_str(settings)? })
}
