//! What only the SQLite store does: how it handles rows that this version did not write.
//! Not here: what every store promises (`conformance`).

#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "a test fails by panicking")]

use std::path::Path;

use harness_inbox::{AccountId, ConversationId, FromDialog, Inbox, InboxError, MediaId, NewAccount, ReplyId};
use rusqlite::Connection;

fn change(path: &Path, sql: &str) {
    Connection::open(path).unwrap().execute_batch(sql).unwrap();
}

async fn connected(path: &Path) -> (Inbox, AccountId) {
    let inbox = Inbox::open(path).unwrap();
    let new = NewAccount {
        channel: "channel".into(),
        platform_id: "shop".into(),
        name: "Shop".into(),
        dialog: Some(FromDialog::default()),
        now: 1,
        ..NewAccount::default()
    };
    let account = inbox.connect_account(new).await.unwrap();
    (inbox, account)
}

#[tokio::test]
async fn a_state_that_this_version_does_not_know_is_an_error_and_never_taken_for_another() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("inbox.sqlite");
    let (inbox, account) = connected(&path).await;
    change(
        &path,
        "INSERT INTO contact (id, account_id, platform_id) VALUES (1, 1, 'ada');
         INSERT INTO conversation (id, account_id, contact_id, key, last_at) VALUES (1, 1, 1, 'c:ada', 1);
         INSERT INTO reply (id, account_id, conversation_id, key, message, created_at, state, next_attempt_at)
             VALUES (1, 1, 1, 'key', '', 1, 'paused', 1);
         INSERT INTO message (id, account_id, conversation_id, direction, author, at, received_at, origin)
             VALUES (1, 1, 1, 'inbound', '\"contact\"', 1, 1, 'live');
         INSERT INTO media (id, message_id, attachment, kind, state, next_attempt_at)
             VALUES (1, 1, 0, 'image', 'encrypted', 1);
         INSERT INTO delivery (id, channel, source, received_at, state, headers, body)
             VALUES (1, 'channel', 'webhook', 1, 'received', '[]', x'');
         UPDATE delivery SET state = 'archived';
         UPDATE account SET state = 'suspended'",
    );
    let unknown = |error: InboxError, kind: &str, name: &str| match error {
        InboxError::UnknownState { what, state } => assert_eq!((what, state.as_str()), (kind, name)),
        error => panic!("{kind}: {error}"),
    };
    unknown(inbox.accounts().await.unwrap_err(), "account", "suspended");
    unknown(inbox.account_row(account).await.unwrap_err(), "account", "suspended");
    unknown(inbox.reply(ReplyId::new(1)).await.unwrap_err(), "reply", "paused");
    unknown(inbox.media(MediaId::new(1)).await.unwrap_err(), "file", "encrypted");
    unknown(inbox.timeline(ConversationId::new(1), 9).await.unwrap_err(), "file", "encrypted");
    unknown(inbox.delivery_counts().await.unwrap_err(), "delivery", "archived");
    change(
        &path,
        "UPDATE reply SET state = 'done'; INSERT INTO step (reply_id, step, kind, state) VALUES (1, 0, 'message', 'held')",
    );
    unknown(inbox.reply(ReplyId::new(1)).await.unwrap_err(), "step", "held");
}

#[tokio::test]
async fn no_gauge_reads_a_whole_table() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("inbox.sqlite");
    let (inbox, _) = connected(&path).await;
    // Rows that could be counted only by reading each of them.
    change(
        &path,
        "INSERT INTO delivery (id, channel, source, received_at, state, headers, body)
             VALUES (1, 'channel', 'webhook', 1, 'applied', '[]', x'00'), (2, 'channel', 'webhook', 1, 'failed', '[]', x'00');
         INSERT INTO media (id, attachment, kind, state, next_attempt_at) VALUES (1, 0, 'image', 'stored', 1);
         DELETE FROM media_count",
    );
    let counts = inbox.delivery_counts().await.unwrap();
    assert_eq!((counts.applied, counts.failed), (0, 0));
    assert!(inbox.waiting().await.unwrap().media.is_empty());
    assert!(inbox.unapplied_bytes().await.unwrap().is_empty());
}
