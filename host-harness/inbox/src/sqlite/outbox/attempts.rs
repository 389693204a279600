//! Owns: recording how an attempt at a step ended, with all consequences in the tables.
//! Does not own: determining how it ended.

use std::collections::HashSet;

use harness_contract::{FailureCategory, SendOutcome, SendResult};
use rusqlite::{Transaction, params};

use super::{doubts::FIRST_LOOK_MS, pauses};
use crate::{
    error::InboxError,
    model::{ChangeKind, StepEnd, StepState},
    sqlite::{
        columns::as_millis,
        rows::{
            changes::note_reply,
            continued,
            conversations::MAX_REPLY_CONTEXT,
            messages, people, reactions,
            replies::{Attempt, close_finished, conversation_of, note_answered},
            threads,
        },
    },
};

/// `given` is the conversation's `reply-context` with which the channel built the request.
pub(crate) fn finish(
    tx: &Transaction<'_>,
    at: &Attempt,
    outcome: &SendOutcome,
    end: &StepEnd,
    given: Option<&[u8]>,
) -> Result<(), InboxError> {
    let result = serde_json::to_string(&outcome.verdict)?;
    let now = as_millis(at.now);
    let (state, finished) = match end {
        StepEnd::Final(state) => (*state, Some(now)),
        StepEnd::Later(_) => (StepState::Queued, None),
    };
    // An ambiguous message is looked up in the history, after its echo has had time to arrive.
    let look = (state == StepState::Ambiguous).then(|| now.saturating_add(FIRST_LOOK_MS));
    // An echo may have confirmed the step before its response arrived.
    tx.prepare_cached(
        "UPDATE step SET state = ?3, outcome = ?4, finished_at = coalesce(finished_at, ?5),
             look_at = iif(kind = 'message', ?6, NULL)
         WHERE reply_id = ?1 AND step = ?2 AND (state <> 'sent' OR ?3 = 'sent')",
    )?
    .execute(params![at.reply, at.step, state.name(), result, finished, look])?;
    if let Some(pause) = &outcome.pause {
        pauses::note(tx, at, pause)?;
    }
    if let SendResult::Sent(receipt) = &outcome.verdict {
        let (mut named, ours) = (HashSet::new(), (at.reply, at.step));
        for sent in &receipt.messages {
            if named.insert(sent.part) {
                messages::adopt_platform_id(tx, at.owner(), ours, Some(sent.part), &sent.message)?;
            } else {
                messages::adopt_alias(tx, at.owner(), ours, sent.part, &sent.message)?;
            }
        }
        if let Some(correlation) = &receipt.correlation {
            tx.prepare_cached("UPDATE step SET correlation = ?3 WHERE reply_id = ?1 AND step = ?2")?
                .execute(params![at.reply, at.step, correlation])?;
        }
        reactions::note_sent(tx, at)?;
        note_answered(tx, (at.reply, at.step), at.now)?;
        if let Some(recipient) = &receipt.recipient {
            people::name(tx, at.owner(), at.conversation, recipient)?;
        }
        if let Some(thread) = &receipt.thread {
            threads::stands_in(tx, at.owner(), conversation_of(tx, at.reply)?, thread)?;
        }
    }
    // What is known of the platform's thread is known in the conversation that goes on.
    let current = continued::current(tx, at.conversation)?;
    if let Some(failure) = outcome.verdict.failure().map(|failure| failure.category)
        && matches!(failure, FailureCategory::WindowClosed | FailureCategory::WindowNeedsHuman)
    {
        tx.prepare_cached("UPDATE conversation SET refused_at = ?2 WHERE id = ?1")?.execute(params![current, now])?;
    }
    if let Some(context) = outcome.reply_context.as_ref().filter(|context| context.len() <= MAX_REPLY_CONTEXT) {
        // Not over a fresher one that a delivery brought while the request was under way.
        tx.prepare_cached("UPDATE conversation SET reply_context = ?2 WHERE id = ?1 AND reply_context IS ?3")?
            .execute(params![current, context, given])?;
    }
    if let (SendResult::Rebuild(_), StepEnd::Later(_)) = (&outcome.verdict, end) {
        tx.prepare_cached("UPDATE reply SET rebuild_from = ?2, rebuilds = rebuilds + 1 WHERE id = ?1")?
            .execute(params![at.reply, at.step])?;
    }
    if let StepEnd::Later(next) = end {
        tx.prepare_cached("UPDATE reply SET next_attempt_at = ?2 WHERE id = ?1")?
            .execute(params![at.reply, as_millis(*next)])?;
    }
    close_finished(tx, at.reply)?;
    note_reply(tx, ChangeKind::ReplyUpdated, at.reply, at.now)
}
