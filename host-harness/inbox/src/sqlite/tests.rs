//! What a pause holds, by its scope, over a restart.
//! Not here: what any store promises (`conformance`).

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, HashSet};

use harness_contract::{OutboundMessage, Pause, PauseScope, Sender};
use rusqlite::Transaction;

use super::{
    outbox::pauses::note,
    rows::{conversations, replies::Attempt},
    store::SqliteStore,
};
use crate::{
    error::InboxError,
    model::{NewAccount, NewReply, Remarks},
    store::{Accounts as _, Outbox as _},
};

/// Four accounts, two of each channel, each with two conversations of which each has a reply that waits.
async fn filled(inbox: &SqliteStore) -> BTreeMap<(String, String), (i64, Vec<i64>)> {
    let mut all = BTreeMap::new();
    for (channel, id) in [("one", "a"), ("one", "b"), ("two", "a"), ("two", "b")] {
        let account = connect(inbox, channel, id).await;
        let make = move |tx: &Transaction<'_>| {
            let contacts = ["x", "y"].into_iter().map(|id| {
                let contact = serde_json::from_value(serde_json::json!({
                    "id": id, "name": null, "username": null, "addresses": []
                }))?;
                conversations::find_or_make(tx, account, &contact, &format!("c:{id}"), None, 1)
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

async fn connect(inbox: &SqliteStore, channel: &str, id: &str) -> i64 {
    let (channel, platform_id) = (channel.to_owned(), id.to_owned());
    let new = NewAccount { channel, platform_id, name: "N".into(), now: 1, ..NewAccount::default() };
    inbox.connect_account(new).await.unwrap()
}

#[tokio::test]
async fn a_pause_holds_what_belongs_to_its_scope_and_nothing_else() {
    for scope in [PauseScope::App, PauseScope::Account, PauseScope::Conversation] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("inbox.db");
        let inbox = SqliteStore::open(&path).unwrap();
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
        let inbox = SqliteStore::open(&path).unwrap();
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
