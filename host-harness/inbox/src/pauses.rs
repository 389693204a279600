//! A platform's wish to be left alone: whom it concerns, and until when. Belongs here: keeping it, and asking for
//! it. What it holds is asked by whoever sends: `turns`, the gateway's account calls.

use harness_contract::{Pause, PauseScope};
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use crate::{
    Inbox, InboxError,
    journal::{as_millis, from_millis},
    outbox::Attempt,
};

/// The longest pause that is kept, in milliseconds.
const LONGEST_MS: u64 = 24 * 3_600_000;

/// SQL: whether a pause holds the account `a` at the time `?1`. A conversation's holds that conversation alone.
pub(crate) const ACCOUNT_PAUSED: &str = "EXISTS (SELECT 1 FROM pause p WHERE p.channel = a.channel AND p.until > ?1
      AND (p.scope = 'app' OR (p.scope = 'account' AND p.whose = a.platform_id)))";

/// Keeps the wish that came with the answer to an attempt. A longer one that is known already stays.
pub(crate) fn note(tx: &Transaction<'_>, at: &Attempt, pause: &Pause) -> Result<(), InboxError> {
    let (channel, account): (String, String) = tx
        .prepare_cached("SELECT channel, platform_id FROM account WHERE id = ?1")?
        .query_row(params![at.account], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let (scope, whose) = match pause.scope {
        PauseScope::App => ("app", String::new()),
        PauseScope::Account => ("account", account),
        PauseScope::Conversation => ("conversation", at.conversation.to_string()),
    };
    let now = as_millis(at.now);
    tx.prepare_cached("DELETE FROM pause WHERE until <= ?1")?.execute(params![now])?;
    tx.prepare_cached(
        "INSERT INTO pause (channel, scope, whose, until) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET until = max(until, excluded.until)",
    )?
    .execute(params![channel, scope, whose, now.saturating_add(as_millis(pause.duration.min(LONGEST_MS)))])?;
    Ok(())
}

impl Inbox {
    /// Until when the platform wants to be left alone by an account, and in one of its conversations where one is
    /// given: in milliseconds since 1970; none where nothing holds it now.
    pub async fn paused_until(
        &self,
        account: i64,
        conversation: Option<i64>,
        now: u64,
    ) -> Result<Option<u64>, InboxError> {
        self.readers
            .read(move |connection| {
                until(
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

    /// The same for a whole channel: what concerns every account of it.
    pub async fn channel_paused_until(&self, channel: &str, now: u64) -> Result<Option<u64>, InboxError> {
        let channel = channel.to_owned();
        self.readers
            .read(move |connection| {
                until(
                    connection,
                    "SELECT max(until) FROM pause WHERE scope = 'app' AND until > ?1 AND channel = ?2",
                    params![as_millis(now), channel],
                )
            })
            .await
    }
}

fn until(connection: &Connection, sql: &str, params: impl rusqlite::Params) -> Result<Option<u64>, InboxError> {
    let until: Option<Option<i64>> = connection.prepare_cached(sql)?.query_row(params, |row| row.get(0)).optional()?;
    Ok(until.flatten().map(from_millis))
}
