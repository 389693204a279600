//! Parts of replies of which nobody knows whether they were delivered: when each is looked for, what was seen, and
//! what somebody decided. Belongs here: that. Looking is the gateway's; an echo that confirms is `messages`'.

use harness_contract::{Failure, FailureCategory, Receipt, SendResult};
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use crate::{
    Inbox, InboxError, Update,
    journal::{as_millis, from_millis},
    messages,
    outbox::{close_finished, index, note_answered},
    read::collect,
};

/// How long an echo has to come before a part is looked for, in milliseconds.
pub(crate) const FIRST_LOOK_MS: i64 = 60_000;
/// The waits before further looks, in milliseconds. After the last one it is a person's to decide.
const NEXT_LOOKS_MS: [i64; 2] = [5 * 60_000, 30 * 60_000];
/// How far the clocks of platform and host may be apart, in milliseconds: an older message is not the one.
const SKEW_MS: i64 = 60_000;
/// A part that is proved not to have arrived is sent again by itself only when it is no older, in milliseconds.
const STILL_MEANT_MS: i64 = 15 * 60_000;
/// How often a part is sent by itself, the first time included.
const SENDS: u32 = 3;

/// A part that may have been delivered.
#[derive(Clone, Debug)]
pub struct Doubt {
    /// The reply's row.
    pub reply: i64,
    /// The part's place among the reply's steps.
    pub step: usize,
    /// The account's row.
    pub account: i64,
    /// The platform's id of the account.
    pub account_id: String,
    /// The channel's id.
    pub channel: String,
    /// The conversation's row.
    pub conversation: i64,
    /// The platform's id of the customer.
    pub contact: String,
    /// When the request left.
    pub begun_at: u64,
    /// When the newest message was written that the platform certainly has and that is older; none where there is
    /// no such message, so that nothing can be proved.
    pub since: Option<u64>,
}

/// A message as the platform's archive has it.
#[derive(Clone, Debug)]
pub struct SeenMessage {
    /// The platform's id.
    pub id: String,
    /// Platform time, in milliseconds since 1970.
    pub at: u64,
    /// Whether the business wrote it.
    pub ours: bool,
    /// What it says.
    pub text: Option<String>,
}

/// What looking for a part showed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Seen {
    /// It arrived.
    Arrived,
    /// It did not, and goes out again.
    SentAgain,
    /// It did not, and is not sent again by itself.
    NotArrived,
    /// Nothing is proved.
    Unproved,
    /// It is in doubt no longer: an echo came, or somebody decided.
    Over,
}

/// What somebody found out about the part of a reply that was in doubt.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Settlement {
    /// It arrived.
    Arrived,
    /// It did not, and is not wanted any more.
    NotArrived,
    /// It is to be sent again, with what stands behind it.
    SendAgain,
}

impl Inbox {
    /// The parts that are to be looked for now.
    pub async fn due_doubts(&self, now: u64) -> Result<Vec<Doubt>, InboxError> {
        self.readers
            .read(move |connection| {
                collect(
                    connection,
                    "SELECT s.reply_id, s.step, r.account_id, a.platform_id, a.channel, r.conversation_id,
                         k.platform_id, coalesce(s.begun_at, s.finished_at),
                         (SELECT max(m.at) FROM message m WHERE m.conversation_id = r.conversation_id
                            AND m.platform_id IS NOT NULL AND m.deleted_at IS NULL AND m.origin <> 'test'
                            AND m.at < coalesce(s.begun_at, s.finished_at))
                     FROM step s JOIN reply r ON r.id = s.reply_id JOIN account a ON a.id = r.account_id
                     JOIN conversation c ON c.id = r.conversation_id JOIN contact k ON k.id = c.contact_id
                     WHERE s.look_at <= ?1 AND s.state = 'unknown' AND a.state = 'connected'
                       -- No archive is asked about somebody without an id; an echo still tells.
                       AND k.unnamed = 0
                     ORDER BY s.look_at LIMIT 64",
                    params![as_millis(now)],
                    |row| {
                        Ok(Doubt {
                            reply: row.get(0)?,
                            step: usize::try_from(row.get::<_, i64>(1)?).unwrap_or(usize::MAX),
                            account: row.get(2)?,
                            account_id: row.get(3)?,
                            channel: row.get(4)?,
                            conversation: row.get(5)?,
                            contact: row.get(6)?,
                            begun_at: from_millis(row.get(7)?),
                            since: row.get::<_, Option<i64>>(8)?.map(from_millis),
                        })
                    },
                )
            })
            .await
    }

    /// Decides by what the archive showed: `None` where it could not be read now, or shows nothing of this
    /// conversation.
    ///
    /// That it arrived is proved by a message of ours that nobody else accounts for, with the same words and not
    /// older. That it did not arrive is proved by an archive that reaches back to a message which was there before,
    /// and holds none of ours that nobody accounts for.
    pub async fn note_look(
        &self,
        doubt: &Doubt,
        shown: Option<Vec<SeenMessage>>,
        now: u64,
    ) -> Result<Seen, InboxError> {
        let of = doubt.clone();
        let seen = self.writer.write(move |tx| look(tx, &of, shown.as_deref(), now)).await?;
        if seen != Seen::Unproved {
            self.announce([Update::Conversation { conversation: doubt.conversation, kind: "outcome" }]);
        }
        Ok(seen)
    }

    /// It is not looked for again by itself: the platform has nothing to look into.
    pub async fn stop_looking(&self, doubt: &Doubt) -> Result<(), InboxError> {
        let (reply, step) = (doubt.reply, index(doubt.step));
        self.writer
            .write(move |tx| {
                tx.prepare_cached("UPDATE step SET look_at = NULL WHERE reply_id = ?1 AND step = ?2")?
                    .execute(params![reply, step])?;
                Ok(())
            })
            .await
    }

    /// Somebody decides about the part of a reply of which it is not known whether it was delivered.
    ///
    /// # Errors
    /// [`InboxError::NotAmbiguous`] where there is no such part.
    pub async fn settle(&self, reply: i64, settlement: Settlement, now: u64) -> Result<(), InboxError> {
        let conversation = self
            .writer
            .write(move |tx| {
                let found: Option<(i64, i64)> = tx
                    .prepare_cached(
                        "SELECT s.step, r.conversation_id FROM step s JOIN reply r ON r.id = s.reply_id
                         WHERE s.reply_id = ?1 AND s.state = 'unknown' AND r.state = 'done' ORDER BY s.step LIMIT 1",
                    )?
                    .query_row(params![reply], |row| Ok((row.get(0)?, row.get(1)?)))
                    .optional()?;
                let Some((step, conversation)) = found else {
                    let known: bool = tx
                        .prepare_cached("SELECT EXISTS (SELECT 1 FROM reply WHERE id = ?1)")?
                        .query_row(params![reply], |row| row.get(0))?;
                    return Err(if known {
                        InboxError::NotAmbiguous(reply)
                    } else {
                        InboxError::NotFound { what: "reply", id: reply.to_string() }
                    });
                };
                match settlement {
                    Settlement::Arrived => {
                        let receipt = Receipt { message_ids: Vec::new(), recipient: None, media_handle: None };
                        end(tx, (reply, step), "sent", &SendResult::Sent(receipt), now)?;
                    }
                    Settlement::NotArrived => {
                        let sentence = "Somebody looked for it on the platform, and it had not arrived.";
                        end(tx, (reply, step), "rejected", &not_arrived(sentence), now)?;
                    }
                    Settlement::SendAgain if is_emptied(tx, reply)? => {
                        return Err(InboxError::NotFound { what: "message of the reply", id: reply.to_string() });
                    }
                    Settlement::SendAgain => send_again(tx, (reply, step), now)?,
                }
                Ok(conversation)
            })
            .await?;
        self.announce([Update::Conversation { conversation, kind: "outcome" }]);
        Ok(())
    }

    /// After a start: what was on its way when the process ended may have arrived.
    pub async fn settle_interrupted(&self, now: u64) -> Result<usize, InboxError> {
        let sentence = "The host stopped while this was being sent, and it may have been delivered.";
        self.in_doubt("state = 'sending'", sentence, now).await
    }

    /// What the host was sending for a reply when it failed itself may have arrived; what it had not begun is
    /// refused.
    pub async fn settle_failed(&self, reply: i64, now: u64) -> Result<(), InboxError> {
        let sentence = "The host failed while this was being sent, and it may have been delivered.";
        self.in_doubt(&format!("state = 'sending' AND reply_id = {reply}"), sentence, now).await?;
        let refused = "The host failed while preparing this, and nothing of it was sent.";
        let outcome = serde_json::to_string(&SendResult::Rejected(failure(FailureCategory::Internal, refused, None)))?;
        self.writer
            .write(move |tx| {
                tx.prepare_cached(
                    "UPDATE step SET state = 'rejected', outcome = ?2, finished_at = ?3
                     WHERE reply_id = ?1 AND step = (SELECT min(step) FROM step WHERE reply_id = ?1 AND state = 'queued')
                       AND NOT EXISTS (SELECT 1 FROM step WHERE reply_id = ?1 AND state = 'unknown')",
                )?
                .execute(params![reply, outcome, as_millis(now)])?;
                tx.prepare_cached(
                    "UPDATE reply SET state = 'sending' WHERE id = ?1 AND state = 'queued'
                       AND EXISTS (SELECT 1 FROM step WHERE reply_id = ?1)",
                )?
                .execute(params![reply])?;
                close_finished(tx, reply)
            })
            .await
    }

    async fn in_doubt(&self, which: &str, sentence: &str, now: u64) -> Result<usize, InboxError> {
        let fix = "Look into the conversation on the platform before sending it again.";
        let failure = failure(FailureCategory::Ambiguous, sentence, Some(fix));
        let outcome = serde_json::to_string(&SendResult::Ambiguous(failure))?;
        let sql = format!(
            "UPDATE step SET state = 'unknown', outcome = ?1, finished_at = ?2, look_at = iif(kind = 'message', ?3, NULL)
             WHERE {which} RETURNING reply_id"
        );
        self.writer
            .write(move |tx| {
                let (ended, look) = (as_millis(now), as_millis(now).saturating_add(FIRST_LOOK_MS));
                let mut statement = tx.prepare(&sql)?;
                let replies = statement.query_map(params![outcome, ended, look], |row| row.get::<_, i64>(0))?;
                let replies = replies.collect::<rusqlite::Result<Vec<_>>>()?;
                for reply in &replies {
                    close_finished(tx, *reply)?;
                }
                Ok(replies.len())
            })
            .await
    }
}

fn look(tx: &Transaction<'_>, doubt: &Doubt, shown: Option<&[SeenMessage]>, now: u64) -> Result<Seen, InboxError> {
    let at = (doubt.reply, index(doubt.step));
    let found: Option<(Option<String>, u32, i64)> = tx
        .prepare_cached(
            "SELECT s.text, s.attempts, r.created_at FROM step s JOIN reply r ON r.id = s.reply_id
             WHERE s.reply_id = ?1 AND s.step = ?2 AND s.state = 'unknown'",
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
    // The archive lists the newest first; of several with the same words the first is the one.
    let arrived = strangers.iter().filter(|message| same(&message.text)).min_by_key(|message| message.at);
    if let Some(message) = arrived {
        messages::adopt_platform_id(tx, doubt.account, at, &message.id)?;
        let receipt = Receipt { message_ids: vec![message.id.clone()], recipient: None, media_handle: None };
        end(tx, at, "sent", &SendResult::Sent(receipt), now)?;
        return Ok(Seen::Arrived);
    }
    if !strangers.is_empty() || !reaches_back(tx, doubt, shown)? {
        return again_later(tx, at, now);
    }
    let later: bool = tx
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM reply later JOIN reply this ON this.id = ?1
               WHERE later.conversation_id = this.conversation_id AND later.id > this.id AND later.state <> 'refused')",
        )?
        .query_row(params![at.0], |row| row.get(0))?;
    if later || is_emptied(tx, at.0)? || attempts >= SENDS || as_millis(now).saturating_sub(created_at) > STILL_MEANT_MS
    {
        let sentence = "It was looked for in the platform's archive, and it had not arrived.";
        end(tx, at, "rejected", &not_arrived(sentence), now)?;
        return Ok(Seen::NotArrived);
    }
    send_again(tx, at, now)?;
    Ok(Seen::SentAgain)
}

/// Whether a message of ours is known to be something else than what is looked for: another reply's, or what was
/// deleted. What an echo or the archive brought without a word on where it came from may be the one.
fn accounted_for(tx: &Connection, account: i64, id: &str) -> Result<bool, InboxError> {
    Ok(tx
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM message WHERE account_id = ?1 AND platform_id = ?2 AND reply_id IS NOT NULL)
                 OR EXISTS (SELECT 1 FROM deletion WHERE account_id = ?1 AND target = ?2)",
        )?
        .query_row(params![account, id], |row| row.get(0))?)
}

/// Whether what is shown goes back to a message that was there before the part was sent.
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

/// Whether what was to be sent is not kept any more, since a part of it was taken back.
fn is_emptied(tx: &Connection, reply: i64) -> Result<bool, InboxError> {
    Ok(tx
        .prepare_cached("SELECT message = '' FROM reply WHERE id = ?1")?
        .query_row(params![reply], |row| row.get(0))?)
}

fn again_later(tx: &Transaction<'_>, (reply, step): (i64, i64), now: u64) -> Result<Seen, InboxError> {
    let looks: i64 = tx
        .prepare_cached("UPDATE step SET looks = looks + 1 WHERE reply_id = ?1 AND step = ?2 RETURNING looks")?
        .query_row(params![reply, step], |row| row.get(0))?;
    let wait = usize::try_from(looks - 1).ok().and_then(|looks| NEXT_LOOKS_MS.get(looks));
    let next = wait.map(|wait| as_millis(now).saturating_add(*wait));
    tx.prepare_cached("UPDATE step SET look_at = ?3 WHERE reply_id = ?1 AND step = ?2")?
        .execute(params![reply, step, next])?;
    Ok(Seen::Unproved)
}

fn end(
    tx: &Transaction<'_>,
    (reply, step): (i64, i64),
    state: &str,
    outcome: &SendResult,
    now: u64,
) -> Result<(), InboxError> {
    tx.prepare_cached(
        "UPDATE step SET state = ?3, outcome = ?4, finished_at = ?5, look_at = NULL WHERE reply_id = ?1 AND step = ?2",
    )?
    .execute(params![reply, step, state, serde_json::to_string(outcome)?, as_millis(now)])?;
    if matches!(outcome, SendResult::Sent(_)) {
        note_answered(tx, reply, step)?;
    }
    Ok(())
}

/// Puts a part back into the outbox, with the messages behind it that were not tried for its sake.
fn send_again(tx: &Transaction<'_>, (reply, step): (i64, i64), now: u64) -> Result<(), InboxError> {
    tx.prepare_cached(
        "UPDATE step SET state = 'queued', look_at = NULL, looks = 0, finished_at = NULL
         WHERE reply_id = ?1 AND (step = ?2 OR (step > ?2 AND state = 'cancelled'))",
    )?
    .execute(params![reply, step])?;
    tx.prepare_cached("UPDATE reply SET state = 'sending', next_attempt_at = ?2 WHERE id = ?1")?
        .execute(params![reply, as_millis(now)])?;
    Ok(())
}

fn not_arrived(sentence: &str) -> SendResult {
    SendResult::Rejected(failure(
        FailureCategory::PlatformTransient,
        sentence,
        Some("Send it again if it is still wanted."),
    ))
}

fn failure(category: FailureCategory, sentence: &str, fix: Option<&str>) -> Failure {
    Failure {
        category,
        code: None,
        subcode: None,
        sentence: sentence.to_owned(),
        fix: fix.map(str::to_owned),
        retry_after: None,
        trace_id: None,
    }
}
