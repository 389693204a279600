//! Owns: steps with an ambiguous outcome: lookup times, findings and decisions, in SQLite.
//! Does not own: performing the lookup, echoes that confirm a step.

use async_trait::async_trait;
use harness_contract::{Receipt, SendResult};
use rusqlite::{OptionalExtension as _, params};

use crate::{
    error::InboxError,
    model::{Doubt, ReplyId, Seen, SeenMessage, Settlement},
    sqlite::{
        columns::{as_millis, collect, from_millis, index, next_after},
        outbox::doubts::{
            doubt_what_is_under_way, end, is_emptied, look, not_arrived, refuse_what_was_not_begun, send_again,
        },
        store::SqliteStore,
    },
    store::Doubts,
};

#[async_trait]
impl Doubts for SqliteStore {
    async fn due_doubts(&self, now: u64) -> Result<Vec<Doubt>, InboxError> {
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
                     WHERE s.look_at <= ?1 AND s.state = 'ambiguous' AND a.state = 'connected'
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

    async fn next_doubt(&self, after: u64) -> Result<Option<u64>, InboxError> {
        self.readers
            .read(move |connection| {
                next_after(
                    connection,
                    "SELECT min(s.look_at) FROM step s JOIN reply r ON r.id = s.reply_id
                     JOIN account a ON a.id = r.account_id
                     JOIN conversation c ON c.id = r.conversation_id JOIN contact k ON k.id = c.contact_id
                     WHERE s.look_at > ?1 AND s.state = 'ambiguous' AND a.state = 'connected' AND k.unnamed = 0",
                    after,
                )
            })
            .await
    }

    async fn note_look(&self, doubt: &Doubt, shown: Option<Vec<SeenMessage>>, now: u64) -> Result<Seen, InboxError> {
        let doubt = doubt.clone();
        self.writer.write(move |tx| look(tx, &doubt, shown.as_deref(), now)).await
    }

    async fn stop_looking(&self, doubt: &Doubt) -> Result<(), InboxError> {
        let (reply, step) = (doubt.reply, index(doubt.step));
        self.writer
            .write(move |tx| {
                tx.prepare_cached("UPDATE step SET look_at = NULL WHERE reply_id = ?1 AND step = ?2")?
                    .execute(params![reply, step])?;
                Ok(())
            })
            .await
    }

    async fn settle(&self, reply: ReplyId, settlement: Settlement, now: u64) -> Result<(), InboxError> {
        self.writer
            .write(move |tx| {
                let found: Option<i64> = tx
                    .prepare_cached(
                        "SELECT s.step FROM step s JOIN reply r ON r.id = s.reply_id
                         WHERE s.reply_id = ?1 AND s.state = 'ambiguous' AND r.state = 'done' ORDER BY s.step LIMIT 1",
                    )?
                    .query_row(params![reply], |row| row.get(0))
                    .optional()?;
                let Some(step) = found else {
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
                        let receipt = Receipt {
                            messages: Vec::new(),
                            thread: None,
                            correlation: None,
                            recipient: None,
                            media_handle: None,
                        };
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
                    Settlement::Look => {
                        tx.prepare_cached(
                            "UPDATE step SET look_at = ?3 WHERE reply_id = ?1 AND step = ?2 AND kind = 'message'",
                        )?
                        .execute(params![reply, step, as_millis(now)])?;
                    }
                }
                Ok(())
            })
            .await
    }

    async fn settle_interrupted(&self, now: u64) -> Result<usize, InboxError> {
        let sentence = "The host stopped while this was being sent, and it may have been delivered.";
        self.writer.write(move |tx| doubt_what_is_under_way(tx, None, sentence, now)).await
    }

    async fn settle_failed(&self, reply: ReplyId, now: u64) -> Result<(), InboxError> {
        let sentence = "The host failed while this was being sent, and it may have been delivered.";
        self.writer
            .write(move |tx| {
                doubt_what_is_under_way(tx, Some(reply), sentence, now)?;
                refuse_what_was_not_begun(tx, reply, now)
            })
            .await
    }
}
