//! Owns: pauses requested by a platform: their scope and their end.
//! Does not own: enforcing them.

use harness_contract::{Pause, Scope};
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use crate::{
    error::InboxError,
    sqlite::{
        columns::{as_millis, from_millis},
        rows::{continued, replies::Attempt},
    },
};

/// The maximum length of a pause, in milliseconds.
const LONGEST_MS: u64 = 24 * 3_600_000;
/// SQL: whether a pause holds the account `a` at the time `?1`. A pause of one conversation does not.
pub(crate) const ACCOUNT_PAUSED: &str = "EXISTS (SELECT 1 FROM pause p WHERE p.channel = a.channel AND p.until > ?1
      AND (p.scope = 'app' OR (p.scope = 'account' AND p.whose = a.platform_id)))";

/// Stores the pause requested in a response. A longer pause already stored stays.
pub(crate) fn note(tx: &Transaction<'_>, at: &Attempt, pause: &Pause) -> Result<(), InboxError> {
    let (channel, account): (String, String) = tx
        .prepare_cached("SELECT channel, platform_id FROM account WHERE id = ?1")?
        .query_row(params![at.account], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let (scope, whose) = match pause.scope {
        Scope::App => ("app", String::new()),
        Scope::Account => ("account", account),
        // The host knows no narrower scope than the conversation of the attempt.
        Scope::Conversation | Scope::Other => ("conversation", at.conversation.to_string()),
    };
    let now = as_millis(at.now);
    tx.prepare_cached("DELETE FROM pause WHERE until <= ?1")?.execute(params![now])?;
    let mut all = vec![whose];
    if scope == "conversation" {
        // It is the same thread.
        all.extend(Some(continued::current(tx, at.conversation)?.to_string()).filter(|current| !all.contains(current)));
    }
    for whose in all {
        tx.prepare_cached(
            "INSERT INTO pause (channel, scope, whose, until) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO UPDATE SET until = max(until, excluded.until)",
        )?
        .execute(params![
            channel,
            scope,
            whose,
            now.saturating_add(as_millis(pause.duration.min(LONGEST_MS)))
        ])?;
    }
    Ok(())
}

pub(crate) fn until(
    connection: &Connection,
    sql: &str,
    params: impl rusqlite::Params,
) -> Result<Option<u64>, InboxError> {
    let until: Option<Option<i64>> = connection.prepare_cached(sql)?.query_row(params, |row| row.get(0)).optional()?;
    Ok(until.flatten().map(from_millis))
}
