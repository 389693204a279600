//! Owns: which replies are due: the oldest of each account, one per conversation.
//! Does not own: when they are sent, what happens to them.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::pauses::ACCOUNT_PAUSED;
use crate::{
    error::InboxError,
    model::{AccountId, DueReply, OpenReply, ReplyId},
    sqlite::{
        columns::{as_millis, collect, from_millis},
        rows::{continued, replies::stored_step},
    },
};

pub(crate) fn due(
    connection: &Connection,
    now: u64,
    of_each_account: usize,
    except: &str,
) -> Result<Vec<DueReply>, InboxError> {
    let accounts: Vec<(AccountId, String)> = collect(
        connection,
        &format!(
            "SELECT a.id, a.channel FROM account a WHERE a.state <> 'needs_reconnect'
           AND a.channel NOT IN (SELECT value FROM json_each(?2)) AND NOT {ACCOUNT_PAUSED}
           AND EXISTS (SELECT 1 FROM reply r WHERE r.account_id = a.id AND r.state IN ('queued', 'sending')
                         AND r.next_attempt_at <= ?1)"
        ),
        params![as_millis(now), except],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let mut ranked = Vec::new();
    for (account, channel) in accounts {
        let rows = collect(
            connection,
            "SELECT r.id, r.conversation_id, r.next_attempt_at FROM reply r
             WHERE r.account_id = ?1 AND r.state IN ('queued', 'sending') AND r.next_attempt_at <= ?2
               AND NOT EXISTS (SELECT 1 FROM reply o WHERE o.conversation_id = r.conversation_id AND o.id < r.id
                                 AND o.state IN ('queued', 'sending'))
               -- Those of an earlier conversation in the same thread, as well.
               AND NOT EXISTS (SELECT 1 FROM conversation c JOIN reply o ON o.conversation_id = c.id
                               WHERE c.continued_in = r.conversation_id AND o.state IN ('queued', 'sending'))
               AND NOT EXISTS (SELECT 1 FROM pause p WHERE p.channel = ?4 AND p.scope = 'conversation'
                                 AND p.whose = CAST(r.conversation_id AS TEXT) AND p.until > ?2)
             ORDER BY r.next_attempt_at, r.id LIMIT ?3",
            params![account, as_millis(now), i64::try_from(of_each_account).unwrap_or(i64::MAX), channel],
            |row| {
                let due = DueReply { reply: row.get(0)?, conversation: row.get(1)?, account, channel: channel.clone() };
                Ok((row.get::<_, i64>(2)?, due))
            },
        )?;
        ranked.extend(rows.into_iter().enumerate().map(|(rank, (at, due))| (rank, at, due)));
    }
    ranked.sort_by_key(|(rank, at, due)| (*rank, *at, due.reply));
    Ok(ranked.into_iter().map(|(_, _, due)| due).collect())
}

/// Since when a reply is due.
pub(crate) fn due_since(connection: &Connection, reply: ReplyId) -> Result<u64, InboxError> {
    let at = connection
        .prepare_cached("SELECT next_attempt_at FROM reply WHERE id = ?1")?
        .query_row(params![reply], |row| row.get(0))?;
    Ok(from_millis(at))
}

pub(crate) fn open(connection: &Connection, reply: ReplyId) -> Result<Option<OpenReply>, InboxError> {
    let found = connection
        .prepare_cached(
            "SELECT r.conversation_id, r.account_id, a.channel, r.message, r.created_at, r.rebuild_from, r.rebuilds
             FROM reply r JOIN account a ON a.id = r.account_id
             WHERE r.id = ?1 AND r.state IN ('queued', 'sending')",
        )?
        .query_row(params![reply], |row| {
            let rebuild = (row.get::<_, Option<u32>>(5)?, row.get(6)?);
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get::<_, String>(3)?, row.get(4)?, rebuild))
        })
        .optional()?;
    let Some((conversation, account, channel, message, created_at, (rebuild_from, rebuilds))) = found else {
        return Ok(None);
    };
    let reply_context = connection
        .prepare_cached("SELECT reply_context FROM conversation WHERE id = ?1")?
        .query_row(params![continued::current(connection, conversation)?], |row| row.get(0))?;
    Ok(Some(OpenReply {
        reply,
        conversation,
        account,
        channel,
        message: serde_json::from_str(&message)?,
        steps: collect(
            connection,
            "SELECT state, attempts, parts, kind, correlation FROM step WHERE reply_id = ?1 ORDER BY step",
            params![reply],
            stored_step,
        )?,
        rebuild_from: rebuild_from.and_then(|step| usize::try_from(step).ok()),
        rebuilds,
        created_at: from_millis(created_at),
        reply_context,
    }))
}
