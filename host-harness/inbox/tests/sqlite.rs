//! What only the SQLite store does: how it handles rows that this version did not write.
//! Not here: what every store promises (`conformance`).

#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "a test fails by panicking")]

use std::path::Path;

use harness_inbox::{
    AccountId, CollectionId, ConversationChange, ConversationFilter, ConversationId, FromDialog, Inbox, InboxError,
    LabelChange, LabelId, MediaId, NewAccount, NewNote, Organised, ReplyId, UserId, WorkspaceId,
};
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

/// A conversation in a file with two workspaces, a user, a collection and a label in each: 1 is ours.
async fn two_teams(path: &Path) -> (Inbox, ConversationId) {
    let (inbox, _) = connected(path).await;
    change(
        path,
        "INSERT INTO workspace (id, name, created_at) VALUES (2, 'Other', 1);
         INSERT INTO user (id, workspace_id, email, name, role, created_at)
             VALUES (1, 1, 'ada@example.org', 'Ada', 'agent', 1), (2, 2, 'bob@example.org', 'Bob', 'agent', 1),
                    (3, 1, 'eve@example.org', 'Eve', 'agent', 1);
         INSERT INTO collection (id, workspace_id, name, created_at) VALUES (1, 1, 'Sales', 1), (2, 2, 'Sales', 1);
         INSERT INTO label (id, workspace_id, name, color, created_at) VALUES (1, 1, 'Late', 'red', 1), (2, 2, 'Late', 'red', 1);
         INSERT INTO contact (id, account_id, platform_id) VALUES (1, 1, 'ada');
         INSERT INTO conversation (id, account_id, contact_id, key, last_at) VALUES (1, 1, 1, 'c:ada', 1)",
    );
    (inbox, ConversationId::new(1))
}

fn assign(user: Option<i64>, if_assignee: Option<Option<UserId>>) -> ConversationChange {
    ConversationChange { assignee: Some(user.map(UserId::new)), if_assignee, ..ConversationChange::default() }
}

#[tokio::test]
async fn of_two_who_take_a_conversation_one_learns_who_was_first() {
    let folder = tempfile::tempdir().unwrap();
    let (inbox, conversation) = two_teams(&folder.path().join("inbox.sqlite")).await;
    let take = |user| inbox.change_conversation(conversation, assign(Some(user), Some(None)), 2);
    let (ada, eve) = tokio::join!(take(1), take(3));
    let mut both = [ada.unwrap(), eve.unwrap()];
    both.sort_by_key(|one| *one != Organised::Changed);
    let owner = inbox.conversation(conversation).await.unwrap().assignee;
    assert_eq!(both, [Organised::Changed, Organised::AssignedBefore(owner)]);
    assert!(owner.is_some());
    // Who does not mind takes it over, and it can be given back.
    assert_eq!(
        inbox.change_conversation(conversation, assign(Some(3), None), 2).await.unwrap() == Organised::Changed,
        owner != Some(UserId::new(3))
    );
    assert_eq!(inbox.change_conversation(conversation, assign(None, None), 2).await.unwrap(), Organised::Changed);
    assert_eq!(inbox.conversation(conversation).await.unwrap().assignee, None);
}

#[tokio::test]
async fn nothing_of_another_workspace_is_put_on_a_conversation() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("inbox.sqlite");
    let (inbox, conversation) = two_teams(&path).await;
    let missing = |found: Result<Organised, InboxError>| matches!(found, Err(InboxError::NotFound { .. }));
    assert!(missing(inbox.change_conversation(conversation, assign(Some(2), None), 2).await));
    let collection =
        |id| ConversationChange { collection: Some(Some(CollectionId::new(id))), ..ConversationChange::default() };
    assert!(missing(inbox.change_conversation(conversation, collection(2), 2).await));
    let label = |id| LabelChange::Add(vec![LabelId::new(id)]);
    let foreign = inbox.change_labels(conversation, label(2), 2).await;
    assert!(matches!(foreign, Err(InboxError::NotFound { what: "label", .. })));
    let note = NewNote {
        conversation,
        user: Some(UserId::new(2)),
        author: "Bob".into(),
        text: "hi".into(),
        key: None,
        now: 2,
    };
    assert!(matches!(inbox.add_note(note).await, Err(InboxError::NotFound { what: "user", .. })));
    // Whoever left takes nothing; their own are taken.
    change(&path, "UPDATE user SET disabled_at = 2 WHERE id = 3");
    assert!(missing(inbox.change_conversation(conversation, assign(Some(3), None), 2).await));
    inbox.change_conversation(conversation, assign(Some(1), None), 2).await.unwrap();
    inbox.change_conversation(conversation, collection(1), 2).await.unwrap();
    inbox.change_labels(conversation, label(1), 2).await.unwrap();
    let shown = inbox.conversation(conversation).await.unwrap();
    assert_eq!((shown.assignee, shown.collection), (Some(UserId::new(1)), Some(CollectionId::new(1))));
    // An account that moves takes its conversations along, and leaves behind what the team put on them.
    change(&path, "UPDATE account SET workspace_id = 2");
    let of = async |workspace| {
        let filter =
            ConversationFilter { workspace: Some(WorkspaceId::new(workspace)), ..ConversationFilter::default() };
        inbox.conversations_of(filter, None, 9).await.unwrap().entries.len()
    };
    assert_eq!((of(1).await, of(2).await), (0, 1));
    let shown = inbox.conversation(conversation).await.unwrap();
    assert_eq!((shown.assignee, shown.collection, shown.labels), (None, None, vec![]), "of the others' team");
}

#[tokio::test]
async fn the_log_is_written_from_its_beginning_again_while_writes_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("inbox.sqlite");
    let (inbox, conversation) = two_teams(&path).await;
    let log = || std::fs::metadata(folder.path().join("inbox.sqlite-wal")).map_or(0, |file| file.len());
    let note = || NewNote {
        conversation,
        user: Some(UserId::new(1)),
        author: "Ada".into(),
        text: "A long note. ".repeat(2_000),
        key: None,
        now: 2,
    };
    // So often without growing that it can only be written over.
    let (mut longest, mut without_growing) = (0, 0);
    while longest < 64 << 20 {
        inbox.add_note(note()).await.unwrap();
        let long = log();
        without_growing = if long > longest { 0 } else { without_growing + 1 };
        longest = longest.max(long);
        if longest > 4 << 20 && without_growing == 200 {
            return;
        }
    }
    panic!("the log has {longest} bytes and goes on growing");
}

#[tokio::test]
async fn many_messages_are_marked_as_read_without_writing_each_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("inbox.sqlite");
    let (inbox, conversation) = two_teams(&path).await;
    change(
        &path,
        "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 5000)
             INSERT INTO message (account_id, conversation_id, direction, author, at, received_at, origin, text)
             SELECT 1, 1, 'inbound', '\"contact\"', n, n, 'live', hex(zeroblob(400)) FROM n;
         INSERT INTO unread (conversation_id, message_id) SELECT 1, id FROM message;
         UPDATE conversation SET has_unread = 1 WHERE id = 1;
         PRAGMA wal_checkpoint(TRUNCATE)",
    );
    assert_eq!(inbox.conversation(conversation).await.unwrap().unread, 1_000, "counted as far as anybody looks");
    assert_eq!(inbox.mark_read(conversation, 2).await.unwrap(), 5_000);
    let written = std::fs::metadata(folder.path().join("inbox.sqlite-wal")).unwrap().len();
    assert!(written < 256 << 10, "{written} bytes were written");
    assert_eq!(inbox.conversation(conversation).await.unwrap().unread, 0);
}

/// All bytes of the inbox's files.
fn bytes_in(folder: &Path) -> Vec<u8> {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.flat_map(|path| std::fs::read(path).unwrap()).collect()
}

#[tokio::test]
async fn words_that_were_taken_back_are_in_no_file_of_the_index() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("inbox.sqlite");
    let (inbox, _) = connected(&path).await;
    // As the inbox opens it.
    let file = Connection::open(&path).unwrap();
    file.pragma_update(None, "secure_delete", "ON").unwrap();
    let change = |sql: &str| file.execute_batch(sql).unwrap();
    change(
        "INSERT INTO contact (id, account_id, platform_id, name) VALUES (1, 1, 'ada', 'Zyxwvut Kowalski');
         INSERT INTO conversation (id, account_id, contact_id, key, last_at) VALUES (1, 1, 1, 'c:ada', 1)",
    );
    let writes = |text: &str| {
        format!(
            "INSERT INTO message (account_id, conversation_id, direction, author, at, received_at, origin, text)
             VALUES (1, 1, 'inbound', '\"contact\"', 1, 1, 'live', '{text}')"
        )
    };
    // Enough for several segments of the index and merges between them.
    for nth in 0..400 {
        change(&writes(&format!("qwertzuiop{nth} plain{} yxcvbnm and the like", nth % 7)));
        if nth % 5 == 0 {
            inbox.index(99).await.unwrap();
        }
    }
    while inbox.index(99).await.unwrap() > 0 {}
    let count = |sql: &str| file.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    let all = "SELECT count(*) FROM message_words_content";
    assert_eq!(count(all), 400);
    change(
        "UPDATE message SET text = NULL WHERE id % 2 = 0; UPDATE message SET text = 'short' WHERE id % 4 = 1;
         DELETE FROM message WHERE id % 4 = 3; UPDATE contact SET name = 'Ada'",
    );
    assert_eq!(count(all), 0, "at once, before anything is indexed again");
    while inbox.index(99).await.unwrap() > 0 {}
    assert_eq!(count(all), 100);
    change("INSERT INTO message_words (message_words) VALUES ('integrity-check')");
    drop((inbox, file));
    let bytes = bytes_in(folder.path());
    for words in ["qwertzuiop", "yxcvbnm", "zyxwvut", "Zyxwvut", "kowalski"] {
        assert!(!bytes.windows(words.len()).any(|window| window == words.as_bytes()), "{words} is still in a file");
    }
}
