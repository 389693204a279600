//! Owns: replies and their steps, in SQLite.
//! Does not own: sending, steps with an ambiguous outcome (`doubts`).

use std::collections::HashSet;

use async_trait::async_trait;
use harness_contract::{SendOutcome, SendStep, Violation};
use rusqlite::params;

use crate::{
    error::InboxError,
    model::{AccountId, ChangeKind, ConversationId, DueReply, NewReply, OpenReply, Queued, Remarks, ReplyId, StepEnd},
    sqlite::{
        columns::{as_millis, index, next_after},
        outbox::{attempts, pauses, queue, turns},
        rows::{
            changes::note_reply,
            conversations::touch,
            replies::{
                Attempt, NewStep, close_finished, conversation_of, take_out_queued, take_out_what_is_rebuilt,
                write_step,
            },
        },
        store::SqliteStore,
    },
    store::Outbox,
};

#[async_trait]
impl Outbox for SqliteStore {
    async fn queue_reply(&self, new: NewReply) -> Result<Queued, InboxError> {
        self.writer.write(move |tx| queue::queue(tx, new)).await
    }

    async fn due_replies(
        &self,
        now: u64,
        of_each_account: usize,
        except: HashSet<String>,
    ) -> Result<Vec<DueReply>, InboxError> {
        let except = serde_json::to_string(&except)?;
        self.readers.read(move |connection| turns::due(connection, now, of_each_account, &except)).await
    }

    async fn next_reply(&self, after: u64) -> Result<Option<u64>, InboxError> {
        self.readers
            .read(move |connection| {
                next_after(
                    connection,
                    "SELECT min(at) FROM (
                         SELECT (SELECT min(r.next_attempt_at) FROM reply r WHERE r.account_id = a.id
                                   AND r.state IN ('queued', 'sending') AND r.next_attempt_at > ?1) AS at FROM account a
                         UNION ALL SELECT min(until) FROM pause WHERE until > ?1)",
                    after,
                )
            })
            .await
    }

    async fn open_reply(&self, reply: ReplyId) -> Result<Option<OpenReply>, InboxError> {
        match self.readers.read(move |connection| turns::open(connection, reply)).await {
            Err(error @ (InboxError::Json(_) | InboxError::UnknownState { .. })) => {
                tracing::error!(reply = reply.get(), %error, "a reply in the outbox cannot be read by this version and is refused");
                let due: u64 = self.readers.read(move |connection| turns::due_since(connection, reply)).await?;
                self.refuse_reply(reply, Vec::new(), due).await?;
                Ok(None)
            }
            read => read,
        }
    }

    async fn refuse_reply(&self, reply: ReplyId, violations: Vec<Violation>, now: u64) -> Result<(), InboxError> {
        let violations = serde_json::to_string(&violations)?;
        self.writer
            .write(move |tx| {
                let refused = tx
                    .prepare_cached("UPDATE reply SET state = 'refused', violations = ?2 WHERE id = ?1")?
                    .execute(params![reply, violations])?;
                if refused == 0 {
                    return Err(InboxError::NotFound { what: "reply", id: reply.to_string() });
                }
                note_reply(tx, ChangeKind::ReplyUpdated, reply, now)
            })
            .await
    }

    async fn begin_steps(
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
        self.writer
            .write(move |tx| {
                let conversation = conversation_of(tx, id)?;
                tx.prepare_cached(
                    "UPDATE reply SET state = 'sending', violations = ?2, degradations = ?3 WHERE id = ?1",
                )?
                .execute(params![id, warnings, degraded])?;
                take_out_what_is_rebuilt(tx, id, now)?;
                for (step, row) in (0i64..).zip(&rows) {
                    write_step(tx, &Attempt { reply: id, account, conversation, step, now }, &author, row)?;
                }
                take_out_queued(tx, id, now)?;
                touch(tx, conversation, now)?;
                note_reply(tx, ChangeKind::ReplyUpdated, id, now)
            })
            .await
    }

    async fn begin_attempt(&self, reply: ReplyId, step: usize, now: u64) -> Result<bool, InboxError> {
        let step = index(step);
        self.writer
            .write(move |tx| {
                // The result of an upload is not stored, so a finished upload may be repeated.
                let begun = tx
                    .prepare_cached(
                        "UPDATE step SET state = 'sending', attempts = attempts + 1, begun_at = ?3, look_at = NULL
                         WHERE reply_id = ?1 AND step = ?2
                           AND (state = 'queued' OR (kind = 'upload' AND state = 'sent'))",
                    )?
                    .execute(params![reply, step, as_millis(now)])?;
                if begun == 1 {
                    note_reply(tx, ChangeKind::ReplyUpdated, reply, now)?;
                }
                Ok(begun == 1)
            })
            .await
    }

    async fn finish_step(
        &self,
        reply: &OpenReply,
        step: usize,
        outcome: SendOutcome,
        end: StepEnd,
        now: u64,
    ) -> Result<(), InboxError> {
        let (id, account, given) = (reply.reply, reply.account, reply.reply_context.clone());
        self.writer
            .write(move |tx| {
                let conversation = conversation_of(tx, id)?;
                let attempt = Attempt { reply: id, account, conversation, step: index(step), now };
                attempts::finish(tx, &attempt, &outcome, &end, given.as_deref())
            })
            .await
    }

    async fn close_reply(&self, reply: ReplyId, now: u64) -> Result<(), InboxError> {
        self.writer
            .write(move |tx| {
                tx.prepare_cached("UPDATE step SET state = 'cancelled' WHERE reply_id = ?1 AND state = 'queued'")?
                    .execute(params![reply])?;
                tx.prepare_cached("UPDATE reply SET state = 'sending' WHERE id = ?1 AND state = 'queued'")?
                    .execute(params![reply])?;
                close_finished(tx, reply)?;
                note_reply(tx, ChangeKind::ReplyUpdated, reply, now)
            })
            .await
    }

    async fn defer(&self, reply: ReplyId, until: u64) -> Result<(), InboxError> {
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

    async fn paused_until(
        &self,
        account: AccountId,
        conversation: Option<ConversationId>,
        now: u64,
    ) -> Result<Option<u64>, InboxError> {
        self.readers
            .read(move |connection| {
                pauses::until(
                    connection,
                    "SELECT max(p.until) FROM account a JOIN pause p ON p.channel = a.channel AND p.until > ?1
                       AND (p.scope = 'app' OR (p.scope = 'account' AND p.whose = a.platform_id)
                            OR (p.scope = 'conversation' AND p.whose = CAST(?3 AS TEXT)))
                     WHERE a.id = ?2",
                    params![as_millis(now), account, conversation],
                )
            })
            .await
    }

    async fn channel_paused_until(&self, channel: &str, now: u64) -> Result<Option<u64>, InboxError> {
        let channel = channel.to_owned();
        self.readers
            .read(move |connection| {
                pauses::until(
                    connection,
                    "SELECT max(until) FROM pause WHERE scope = 'app' AND until > ?1 AND channel = ?2",
                    params![as_millis(now), channel],
                )
            })
            .await
    }
}
