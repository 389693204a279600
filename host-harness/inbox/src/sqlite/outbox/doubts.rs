//! Owns: steps that may have been delivered: what a lookup in the platform's history proves, and its consequences.
//! Does not own: performing the lookup, echoes that confirm a step (`apply`).

use std::collections::BTreeSet;

use harness_contract::{Failure, FailureCategory, MessageRef, SendResult};
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use crate::{
    error::InboxError,
    model::{AccountId, ChangeKind, Doubt, ReplyId, Seen, SeenMessage},
    sqlite::{
        columns::{as_millis, index},
        rows::{
            changes::{Owner, note_reply},
            continued, messages,
            replies::{close_finished, note_answered, receipt},
        },
    },
};

/// How long to wait for an echo before the first lookup, in milliseconds.
pub(crate) const FIRST_LOOK_MS: i64 = 60_000;
/// The delays before further lookups, in milliseconds. After the last one a person decides.
const NEXT_LOOKS_MS: [i64; 2] = [5 * 60_000, 30 * 60_000];
/// The largest difference expected between the platform's clock and the host's, in milliseconds. A message older than
/// that cannot be the part.
const SKEW_MS: i64 = 60_000;
/// The age in milliseconds up to which a part that is proved not to have arrived is sent again automatically.
const STILL_MEANT_MS: i64 = 15 * 60_000;
/// How often a part is sent automatically, including the first time.
const SENDS: u32 = 3;

pub(crate) fn look(
    tx: &Transaction<'_>,
    doubt: &Doubt,
    shown: Option<&[SeenMessage]>,
    now: u64,
) -> Result<Seen, InboxError> {
    let at = (doubt.reply, index(doubt.step));
    let found: Option<(Option<String>, u32, i64)> = tx
        .prepare_cached(
            "SELECT s.text, s.attempts, r.created_at FROM step s JOIN reply r ON r.id = s.reply_id
             WHERE s.reply_id = ?1 AND s.step = ?2 AND s.state = 'ambiguous'",
        )?
        .query_row(params![at.0, at.1], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let Some((text, attempts, created_at)) = found else { return Ok(Seen::Over) };
    let Some(shown) = shown else { return again_later(tx, at, now) };
    let not_before = as_millis(doubt.begun_at).saturating_sub(SKEW_MS);
    let mut strangers = Vec::new();
    for message in shown.iter().filter(|message| message.ours && as_millis(message.at) >= not_before) {
        if !accounted_for(tx, doubt.account, &message.id)? {
            strangers.push(message);
        }
    }
    let same = |said: &Option<String>| {
        let said = said.as_deref().map(str::trim);
        said.is_some_and(|said| !said.is_empty()) && said == text.as_deref().map(str::trim)
    };
    // The history is ordered newest first. Of several messages with the same text, the earliest is the part.
    let arrived = strangers.iter().filter(|message| same(&message.text)).min_by_key(|message| message.at);
    if let Some(message) = arrived {
        let named = MessageRef { id: message.id.clone(), context: None };
        let of = Owner { account: doubt.account, workspace: None, now };
        messages::adopt_platform_id(tx, of, at, None, &named)?;
        let receipt = receipt(tx, at, &message.id)?;
        end(tx, at, "sent", &SendResult::Sent(receipt), now)?;
        return Ok(Seen::Arrived);
    }
    if !strangers.is_empty() || !reaches_back(tx, doubt, shown)? {
        return again_later(tx, at, now);
    }
    let later: bool = tx
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM reply later JOIN reply this ON this.id = ?1
               WHERE later.conversation_id IN (this.conversation_id, ?2) AND later.id > this.id AND later.state <> 'refused')",
        )?
        .query_row(params![at.0, continued::current(tx, doubt.conversation)?], |row| row.get(0))?;
    if later || is_emptied(tx, at.0)? || attempts >= SENDS || as_millis(now).saturating_sub(created_at) > STILL_MEANT_MS
    {
        let sentence = "It was looked for in the platform's archive, and it had not arrived.";
        end(tx, at, "rejected", &not_arrived(sentence), now)?;
        return Ok(Seen::NotArrived);
    }
    send_again(tx, at, now)?;
    Ok(Seen::SentAgain)
}

/// Whether a message of ours is known to be something other than the part: a message of another reply, or a deleted
/// one. A message of unknown origin, from an echo or the history, may still be the part.
fn accounted_for(tx: &Connection, account: AccountId, id: &str) -> Result<bool, InboxError> {
    Ok(tx
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM message WHERE account_id = ?1 AND platform_id = ?2 AND reply_id IS NOT NULL)
                 OR EXISTS (SELECT 1 FROM deletion WHERE account_id = ?1 AND target = ?2)",
        )?
        .query_row(params![account, id], |row| row.get(0))?)
}

/// Whether the messages shown reach back to one that was known before the part was sent.
fn reaches_back(tx: &Connection, doubt: &Doubt, shown: &[SeenMessage]) -> Result<bool, InboxError> {
    for message in shown {
        let before: bool = tx
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM message WHERE account_id = ?1 AND platform_id = ?2
                   AND conversation_id = ?3 AND at < ?4)",
            )?
            .query_row(params![doubt.account, message.id, doubt.conversation, as_millis(doubt.begun_at)], |row| {
                row.get(0)
            })?;
        if before {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether the reply's content is no longer stored, because a part of it was unsent.
pub(crate) fn is_emptied(tx: &Connection, reply: ReplyId) -> Result<bool, InboxError> {
    Ok(tx
        .prepare_cached("SELECT message = '' FROM reply WHERE id = ?1")?
        .query_row(params![reply], |row| row.get(0))?)
}

fn again_later(tx: &Transaction<'_>, (reply, step): (ReplyId, i64), now: u64) -> Result<Seen, InboxError> {
    let looks: i64 = tx
        .prepare_cached("UPDATE step SET looks = looks + 1 WHERE reply_id = ?1 AND step = ?2 RETURNING looks")?
        .query_row(params![reply, step], |row| row.get(0))?;
    let wait = usize::try_from(looks - 1).ok().and_then(|looks| NEXT_LOOKS_MS.get(looks));
    let next = wait.map(|wait| as_millis(now).saturating_add(*wait));
    tx.prepare_cached("UPDATE step SET look_at = ?3 WHERE reply_id = ?1 AND step = ?2")?
        .execute(params![reply, step, next])?;
    Ok(Seen::Unproved)
}

pub(crate) fn end(
    tx: &Transaction<'_>,
    (reply, step): (ReplyId, i64),
    state: &str,
    outcome: &SendResult,
    now: u64,
) -> Result<(), InboxError> {
    tx.prepare_cached(
        "UPDATE step SET state = ?3, outcome = ?4, finished_at = ?5, look_at = NULL WHERE reply_id = ?1 AND step = ?2",
    )?
    .execute(params![reply, step, state, serde_json::to_string(outcome)?, as_millis(now)])?;
    if matches!(outcome, SendResult::Sent(_)) {
        note_answered(tx, (reply, step), now)?;
    }
    note_reply(tx, ChangeKind::ReplyUpdated, reply, now)
}

/// Puts a part back into the outbox, with the later messages that were cancelled because of it.
pub(crate) fn send_again(tx: &Transaction<'_>, (reply, step): (ReplyId, i64), now: u64) -> Result<(), InboxError> {
    tx.prepare_cached(
        "UPDATE step SET state = 'queued', look_at = NULL, looks = 0, finished_at = NULL
         WHERE reply_id = ?1 AND (step = ?2 OR (step > ?2 AND state = 'cancelled'))",
    )?
    .execute(params![reply, step])?;
    tx.prepare_cached("UPDATE reply SET state = 'sending', next_attempt_at = ?2 WHERE id = ?1")?
        .execute(params![reply, as_millis(now)])?;
    note_reply(tx, ChangeKind::ReplyUpdated, reply, now)
}

pub(crate) fn not_arrived(sentence: &str) -> SendResult {
    SendResult::Rejected(failure(
        FailureCategory::PlatformTransient,
        sentence,
        Some("Send it again if it is still wanted."),
    ))
}

pub(crate) fn failure(category: FailureCategory, sentence: &str, fix: Option<&str>) -> Failure {
    Failure {
        category,
        code: None,
        subcode: None,
        message: sentence.to_owned(),
        fix: fix.map(str::to_owned),
        retry_after: None,
        trace_id: None,
    }
}

/// Marks steps in flight as ambiguous, of one reply or of all. Returns how many there were.
pub(crate) fn doubt_what_is_under_way(
    tx: &Transaction<'_>,
    reply: Option<ReplyId>,
    sentence: &str,
    now: u64,
) -> Result<usize, InboxError> {
    let fix = "Look into the conversation on the platform before sending it again.";
    let failure = failure(FailureCategory::Ambiguous, sentence, Some(fix));
    let outcome = serde_json::to_string(&SendResult::Ambiguous(failure))?;
    let at = as_millis(now);
    let mut statement = tx.prepare_cached(
        "UPDATE step SET state = 'ambiguous', outcome = ?1, finished_at = ?2, look_at = iif(kind = 'message', ?3, NULL)
         WHERE state = 'sending' AND (?4 IS NULL OR reply_id = ?4) RETURNING reply_id",
    )?;
    let params = params![outcome, at, at.saturating_add(FIRST_LOOK_MS), reply];
    let replies = statement.query_map(params, |row| row.get::<_, ReplyId>(0))?.collect::<rusqlite::Result<Vec<_>>>()?;
    for reply in replies.iter().collect::<BTreeSet<_>>() {
        close_finished(tx, *reply)?;
        note_reply(tx, ChangeKind::ReplyUpdated, *reply, now)?;
    }
    Ok(replies.len())
}

/// Refuses the first waiting step of a reply, unless an earlier one is ambiguous. No later step is tried.
pub(crate) fn refuse_what_was_not_begun(tx: &Transaction<'_>, reply: ReplyId, now: u64) -> Result<(), InboxError> {
    let sentence = "The host failed while preparing this, and nothing of it was sent.";
    let outcome = SendResult::Rejected(failure(FailureCategory::Internal, sentence, None));
    tx.prepare_cached(
        "UPDATE step SET state = 'rejected', outcome = ?2, finished_at = ?3
         WHERE reply_id = ?1 AND step = (SELECT min(step) FROM step WHERE reply_id = ?1 AND state = 'queued')
           AND NOT EXISTS (SELECT 1 FROM step WHERE reply_id = ?1 AND state = 'ambiguous')",
    )?
    .execute(params![reply, serde_json::to_string(&outcome)?, as_millis(now)])?;
    tx.prepare_cached(
        "UPDATE reply SET state = 'sending' WHERE id = ?1 AND state = 'queued'
           AND EXISTS (SELECT 1 FROM step WHERE reply_id = ?1)",
    )?
    .execute(params![reply])?;
    close_finished(tx, reply)?;
    note_reply(tx, ChangeKind::ReplyUpdated, reply, now)
}
