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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::collections::{BTreeMap, HashSet};

    use harness_contract::{OutboundMessage, Sender};

    use super::*;
    use crate::{NewAccount, NewReply, Remarks};

    /// Four accounts, two of each channel, each with two conversations of which each has a reply that waits.
    async fn filled(inbox: &Inbox) -> BTreeMap<(String, String), (i64, Vec<i64>)> {
        let mut all = BTreeMap::new();
        for (channel, id) in [("one", "a"), ("one", "b"), ("two", "a"), ("two", "b")] {
            let account = connect(inbox, channel, id).await;
            let make = move |tx: &Transaction<'_>| {
                let contacts = ["x", "y"].into_iter().map(|id| {
                    let contact = serde_json::from_value(serde_json::json!({
                        "id": id, "name": null, "username": null, "addresses": []
                    }))?;
                    crate::conversations::find_or_make(tx, account, &contact, &format!("c:{id}"), None, 1)
                });
                contacts.collect::<Result<Vec<_>, InboxError>>()
            };
            let conversations = inbox.writer.write(move |tx| make(tx)).await.unwrap();
            for conversation in &conversations {
                let message = OutboundMessage {
                    id: String::new(),
                    sender: Sender::Human("agent".into()),
                    parts: Vec::new(),
                    quick_replies: Vec::new(),
                    reply_to: None,
                    private_reply_to: None,
                    fallback: Default::default(),
                    try_anyway: false,
                    native: None,
                };
                let (key, remarks) = (format!("{channel}{id}{conversation}"), Remarks::default());
                let new = NewReply { conversation: *conversation, key, message, remarks, now: 1 };
                inbox.queue_reply(new).await.unwrap();
            }
            all.insert((channel.to_owned(), id.to_owned()), (account, conversations));
        }
        all
    }

    async fn connect(inbox: &Inbox, channel: &str, id: &str) -> i64 {
        let (channel, platform_id) = (channel.to_owned(), id.to_owned());
        let new = NewAccount { channel, platform_id, name: "N".into(), now: 1, ..NewAccount::default() };
        inbox.connect_account(new).await.unwrap()
    }

    #[tokio::test]
    async fn a_pause_holds_what_belongs_to_its_scope_and_nothing_else() {
        for scope in [PauseScope::App, PauseScope::Account, PauseScope::Conversation] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("inbox.db");
            let inbox = Inbox::open(&path).unwrap();
            let all = filled(&inbox).await;
            let (account, conversations) = all.values().next().unwrap().clone();
            let conversation = *conversations.first().unwrap();
            let at = Attempt { reply: 1, account, conversation, step: 1, now: 1_000 };
            let pause = Pause { scope, duration: 60_000 };
            inbox.writer.write(move |tx| note(tx, &at, &pause)).await.unwrap();
            // A shorter wish does not end it, and neither a restart nor connecting again does.
            let at = Attempt { reply: 1, account, conversation, step: 1, now: 1_001 };
            let shorter = Pause { scope, duration: 1 };
            inbox.writer.write(move |tx| note(tx, &at, &shorter)).await.unwrap();
            drop(inbox);
            let inbox = Inbox::open(&path).unwrap();
            connect(&inbox, "one", "a").await;

            for now in [2_000, 61_000] {
                let mut free = HashSet::new();
                for ((channel, _), (row, theirs)) in &all {
                    let of_app = scope == PauseScope::App && channel == "one";
                    let of_account = of_app || (scope == PauseScope::Account && *row == account);
                    let until = |held: bool| (held && now < 61_000).then_some(61_000);
                    assert_eq!(inbox.channel_paused_until(channel, now).await.unwrap(), until(of_app), "{scope:?}");
                    // What asks in an account's name, such as a look at its archive.
                    assert_eq!(inbox.paused_until(*row, None, now).await.unwrap(), until(of_account), "{scope:?}");
                    for one in theirs {
                        let held = of_account || (scope == PauseScope::Conversation && *one == conversation);
                        let found = inbox.paused_until(*row, Some(*one), now).await.unwrap();
                        assert_eq!(found, until(held), "{scope:?} {one}");
                        if found.is_none() {
                            free.insert(*one);
                        }
                    }
                }
                let due = inbox.due_replies(now, 16, HashSet::new()).await.unwrap();
                let due: HashSet<i64> = due.into_iter().map(|due| due.conversation).collect();
                assert_eq!(due, free, "{scope:?}: whose turn it is");
            }
            drop(inbox);
        }
    }
}
