//! What came in and what went out last, for whoever looks after an account. Belongs here: counting and
//! finding, for reading alone.

use harness_contract::{Failure, SendResult};
use rusqlite::{OptionalExtension as _, params};

use crate::{Inbox, InboxError, journal::from_millis};

/// The last traffic of an account.
#[derive(Clone, Debug, Default)]
pub struct Traffic {
    /// The newest of each kind of event, with its time.
    pub events: Vec<(String, u64)>,
    /// How the newest step of a reply ended, when, and what the platform said.
    pub last_send: Option<(String, u64, Option<Failure>)>,
    /// Replies that wait.
    pub waiting: u64,
}

impl Inbox {
    /// The last traffic of an account.
    pub async fn traffic(&self, account: i64) -> Result<Traffic, InboxError> {
        self.readers
            .read(move |connection| {
                let events = crate::read::collect(
                    connection,
                    "SELECT 'message', max(at) FROM message WHERE account_id = ?1 AND direction = 'inbound'
                     UNION ALL SELECT 'echo', max(at) FROM message
                         WHERE account_id = ?1 AND direction = 'outbound' AND platform_id IS NOT NULL
                     UNION ALL SELECT 'seen', max(seen_at) FROM conversation WHERE account_id = ?1
                     UNION ALL SELECT 'reaction', max(at) FROM reaction WHERE account_id = ?1
                     UNION ALL SELECT kind, max(at) FROM notice WHERE account_id = ?1 GROUP BY kind",
                    params![account],
                    |row| Ok((row.get::<_, String>(0)?, row.get::<_, Option<i64>>(1)?)),
                )?;
                let last: Option<(String, i64, Option<String>)> = connection
                    .prepare_cached(
                        "SELECT s.state, s.finished_at, s.outcome FROM step s JOIN reply r ON r.id = s.reply_id
                         WHERE r.account_id = ?1 AND s.finished_at IS NOT NULL AND s.kind = 'message'
                         ORDER BY s.finished_at DESC LIMIT 1",
                    )?
                    .query_row(params![account], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
                    .optional()?;
                let waiting: i64 = connection
                    .prepare_cached(
                        "SELECT count(*) FROM reply WHERE account_id = ?1 AND state IN ('queued', 'sending')",
                    )?
                    .query_row(params![account], |row| row.get(0))?;
                Ok(Traffic {
                    events: events.into_iter().filter_map(|(kind, at)| Some((kind, from_millis(at?)))).collect(),
                    last_send: last.map(|(state, at, outcome)| (state, from_millis(at), outcome.and_then(failure))),
                    waiting: u64::try_from(waiting).unwrap_or(0),
                })
            })
            .await
    }

    /// Whether a message came in by webhook: neither missing, nor filled in from the archive.
    pub async fn came_live(&self, account: i64, platform_id: &str) -> Result<bool, InboxError> {
        let platform_id = platform_id.to_owned();
        self.readers
            .read(move |connection| {
                let sql = "SELECT origin <> 'history' FROM message WHERE account_id = ?1 AND platform_id = ?2";
                let mut statement = connection.prepare_cached(sql)?;
                Ok(statement.query_row(params![account, platform_id], |row| row.get(0)).optional()?.unwrap_or(false))
            })
            .await
    }

    /// Whether anything came in for an account since a time, by the platform's clock.
    pub async fn received_since(&self, account: i64, since: u64) -> Result<bool, InboxError> {
        self.readers
            .read(move |connection| {
                let sql = "SELECT EXISTS (SELECT 1 FROM message WHERE account_id = ?1 AND direction = 'inbound'
                               AND origin <> 'history' AND received_at >= ?2)";
                Ok(connection
                    .prepare_cached(sql)?
                    .query_row(params![account, crate::journal::as_millis(since)], |row| row.get(0))?)
            })
            .await
    }
}

fn failure(outcome: String) -> Option<Failure> {
    serde_json::from_str::<SendResult>(&outcome).ok()?.failure().cloned()
}
