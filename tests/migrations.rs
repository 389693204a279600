//! Inbox files of every earlier version: each row is there after the start of this one, and the inbox works. A
//! migration that fails changes nothing.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use std::{collections::BTreeMap, fs, path::Path};

use channel_tests::{World, connect, end, eventually, message, open_host, serve, text};
use harness_engine::Clock;
use harness_inbox::{ConversationId, Inbox, ReplyId, StepState};
use rusqlite::{Connection, functions::FunctionFlags, types::Value};
use sha2::{Digest as _, Sha256};
use simulator::{Config, Login, Simulator};

/// The schemas as they were released, in their order.
const SCHEMAS: [&str; 8] = [
    include_str!("../host-harness/inbox/src/sqlite/migrations/0001_inbox.sql"),
    include_str!("../host-harness/inbox/src/sqlite/migrations/0002_connected_accounts.sql"),
    include_str!("../host-harness/inbox/src/sqlite/migrations/0003_delivery_waiting_index.sql"),
    include_str!("../host-harness/inbox/src/sqlite/migrations/0004_outbox_turns.sql"),
    include_str!("../host-harness/inbox/src/sqlite/migrations/0005_arrivals.sql"),
    include_str!("../host-harness/inbox/src/sqlite/migrations/0006_connections.sql"),
    include_str!("../host-harness/inbox/src/sqlite/migrations/0007_counts.sql"),
    include_str!("../host-harness/inbox/src/sqlite/migrations/0008_names.sql"),
];
/// What an inbox of the first version holds, of every table something.
const ROWS_1: &str = include_str!("migrations/rows-1.sql");
/// And what one of the second does besides.
const ROWS_2: &str = include_str!("migrations/rows-2.sql");
/// And what one of the sixth does besides.
const ROWS_6: &str = include_str!("migrations/rows-6.sql");
/// And what one of the eighth does besides.
const ROWS_8: &str = include_str!("migrations/rows-8.sql");

/// Tables, columns and states that have another name since schema 8.
const TABLES: [(&str, &str); 6] = [
    ("alias", "account_alias"),
    ("file", "upload"),
    ("notice", "activity"),
    ("opening", "window_opening"),
    ("repeat", "duplicate_delivery"),
    ("storage", "channel_kv"),
];
const COLUMNS: [((&str, &str), &str); 2] = [(("arrival", "moved"), "position"), (("delivery", "redact"), "purge")];
const STATES: [((&str, &str), &str); 2] = [(("delivery", "redacted"), "purged"), (("step", "unknown"), "ambiguous")];

/// What the contract 0.1 said, and how the contract 0.2 says it, since schema 9.
const REWORDED: [(&str, &str); 12] = [
    ("archive", "history"),
    ("policy", "account_update"),
    (r#"{"human":"kim"}"#, r#"{"kind":"human","id":"kim"}"#),
    (
        r#"{"id":"1-abc","sender":{"human":"kim"},"parts":[{"text":{"text":"an old answer"}}],"quick_replies":[],"fallback":"refuse","try_anyway":false}"#,
        r#"{"id":"1-abc","sender":{"kind":"human","id":"kim"},"parts":[{"text":{"text":"an old answer"}}],"quick_replies":[],"fallback":"refuse","try_anyway":false}"#,
    ),
    (
        r#"{"id":"2-abc","sender":{"human":"kim"},"parts":[{"text":{"text":"interrupted"}}],"quick_replies":[],"fallback":"refuse","try_anyway":false}"#,
        r#"{"id":"2-abc","sender":{"kind":"human","id":"kim"},"parts":[{"text":{"text":"interrupted"}}],"quick_replies":[],"fallback":"refuse","try_anyway":false}"#,
    ),
    (
        r#"{"sent":{"message_ids":["old-2"],"recipient":null,"media_handle":null}}"#,
        r#"{"sent":{"messages":[{"part":0,"message":{"id":"old-2"}}],"recipient":null,"media_handle":null}}"#,
    ),
    (
        r#"{"policy":{"action":"blocked","reason":"spam"}}"#,
        r#"{"account_update":{"change":"policy","detail":"blocked: spam"}}"#,
    ),
    (
        r#"{"delivery_status":{"target":"old-2","state":"failed","failure":{"category":"other","sentence":"It failed."}}}"#,
        r#"{"delivery_status":{"target":{"message":"old-2"},"state":"failed","failure":{"category":"other","message":"It failed."}}}"#,
    ),
    (
        r#"{"id":"3-abc","sender":{"bot":"b"},"parts":[{"delete":"old-2"},{"reaction":{"target":"old-1","action":"added"}}],"quick_replies":[{"title":"Yes","payload":"YES"}],"reply_to":"old-1","fallback":"usual","try_anyway":false}"#,
        r#"{"id":"3-abc","sender":{"kind":"bot","id":"b"},"parts":[{"delete":{"id":"old-2"}},{"reaction":{"target":{"id":"old-1"},"action":"added"}}],"quick_replies":[{"title":"Yes","action":{"postback":"YES"}}],"reply_to":{"id":"old-1"},"fallback":"usual","try_anyway":false}"#,
    ),
    (
        r#"[{"severity":"error","code":"text_too_long","path":"parts[0]","sentence":"It is too long."}]"#,
        r#"[{"severity":"error","code":"text_too_long","path":"parts[0]","message":"It is too long."}]"#,
    ),
    (
        r#"{"rejected":{"category":"other","sentence":"It failed."}}"#,
        r#"{"rejected":{"category":"other","message":"It failed."}}"#,
    ),
    (
        r#"{"contact":{"id":"5551230000000001","name":"Ada"},"follower_count":5,"verified":true}"#,
        r#"{"contact":{"id":"5551230000000001","name":"Ada","details":[{"key":"follower_count","label":"Followers","value":"5"},{"key":"verified","label":"Verified","value":"yes"}]}}"#,
    ),
];

/// A value in today's words: JSON without regard to the order of its members.
fn reworded(value: &Value) -> Value {
    match value {
        Value::Text(text) => {
            let text = REWORDED.iter().find(|(old, _)| old == text).map_or(text.as_str(), |(_, new)| new);
            let json = serde_json::from_str::<serde_json::Value>(text);
            Value::Text(json.map_or_else(|_| text.to_owned(), |json| json.to_string()))
        }
        other => other.clone(),
    }
}

/// The newer name of the two.
fn renamed<K: PartialEq>(names: &[(K, &'static str)], old: K) -> Option<&'static str> {
    names.iter().find(|(name, _)| *name == old).map(|(_, new)| *new)
}

/// An inbox file as this version wrote it, with rows in every table.
fn written_by(schema: usize, path: &Path) {
    let sql = Connection::open(path).unwrap();
    sql.pragma_update(None, "journal_mode", "WAL").unwrap();
    sql.pragma_update(None, "foreign_keys", "ON").unwrap();
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    sql.create_scalar_function("digest", 1, flags, |context| Ok(digest(context.get_raw(0).as_str()?))).unwrap();
    for (number, migration) in (1..=schema).zip(SCHEMAS) {
        sql.execute_batch(migration).unwrap();
        match number {
            1 => sql.execute_batch(ROWS_1).unwrap(),
            2 => sql.execute_batch(ROWS_2).unwrap(),
            6 => sql.execute_batch(ROWS_6).unwrap(),
            8 => sql.execute_batch(ROWS_8).unwrap(),
            _ => {}
        }
    }
    sql.pragma_update(None, "user_version", i64::try_from(schema).unwrap()).unwrap();
    let empty: Vec<_> =
        tables(&sql).into_iter().filter(|table| table != "probe" && rows(&sql, table).is_empty()).collect();
    assert!(empty.is_empty(), "tables without a row prove nothing: {empty:?}");
}

/// What stands for an event's id since schema 5.
fn digest(id: &str) -> Vec<u8> {
    Sha256::digest(id)[..16].to_vec()
}

fn tables(sql: &Connection) -> Vec<String> {
    let mut statement = sql.prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
}

/// Every row of a table, by the names of its columns.
fn rows(sql: &Connection, table: &str) -> Vec<BTreeMap<String, Value>> {
    let mut statement = sql.prepare(&format!("SELECT * FROM {table}")).unwrap();
    let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let read = |row: &rusqlite::Row<'_>| {
        names.iter().enumerate().map(|(at, name)| Ok((name.clone(), row.get(at)?))).collect::<rusqlite::Result<_>>()
    };
    statement.query_map([], read).unwrap().collect::<Result<_, _>>().unwrap()
}

fn everything(path: &Path) -> BTreeMap<String, Vec<BTreeMap<String, Value>>> {
    let sql = Connection::open(path).unwrap();
    tables(&sql).into_iter().map(|table| (table.clone(), rows(&sql, &table))).collect()
}

/// What is counted with every change is what is there.
fn counts_agree(path: &Path) {
    let sql = Connection::open(path).unwrap();
    let lines = |sql_text: &str| -> Vec<String> {
        let mut statement = sql.prepare(sql_text).unwrap();
        let columns = statement.column_count();
        let line = |row: &rusqlite::Row<'_>| {
            (0..columns).map(|at| Ok(format!("{:?}", row.get::<_, Value>(at)?))).collect::<rusqlite::Result<String>>()
        };
        statement.query_map([], line).unwrap().collect::<Result<_, _>>().unwrap()
    };
    assert_eq!(
        lines("SELECT channel, state, count, bytes FROM delivery_count WHERE count <> 0 ORDER BY channel, state"),
        lines(
            "SELECT channel, state, count(*), sum(length(body)) FROM delivery WHERE state <> 'received'
             GROUP BY channel, state ORDER BY channel, state"
        )
    );
    assert_eq!(
        lines("SELECT state, count FROM media_count WHERE count <> 0 ORDER BY state"),
        lines("SELECT state, count(*) FROM media GROUP BY state ORDER BY state")
    );
}

#[tokio::test]
async fn every_row_of_every_released_schema_is_there_after_the_migration() {
    for schema in 1..=SCHEMAS.len() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("inbox.sqlite");
        written_by(schema, &path);
        let before = everything(&path);
        drop(Inbox::open(&path).unwrap());
        let after = everything(&path);
        for (table, rows) in &before {
            // They are counted anew: see `counts_agree`.
            if table == "delivery_count" {
                continue;
            }
            let now = &after[renamed(&TABLES, table.as_str()).unwrap_or(table)];
            assert_eq!(rows.len(), now.len(), "{table} of schema {schema}");
            for (old, new) in rows.iter().zip(now) {
                for (column, value) in old {
                    if let ("event", "event_id", Value::Text(id)) = (table.as_str(), column.as_str(), value) {
                        assert_eq!(new["event"], Value::Blob(digest(id)), "event {id} of schema {schema}");
                        continue;
                    }
                    if (table.as_str(), column.as_str()) == ("conversation", "unread") {
                        // It is counted by the messages now.
                        let unread = after["unread"].iter().filter(|row| row["conversation_id"] == old["id"]);
                        assert_eq!(Value::Integer(unread.count().try_into().unwrap()), *value, "schema {schema}");
                        continue;
                    }
                    if (table.as_str(), column.as_str()) == ("message", "unread") {
                        // They have their own table now.
                        let unread = after["unread"].iter().any(|row| row["message_id"] == old["id"]);
                        assert_eq!(Value::Integer(unread.into()), *value, "schema {schema}");
                        continue;
                    }
                    if let ("step", "part", Value::Integer(part)) = (table.as_str(), column.as_str(), value) {
                        assert_eq!(new["parts"], Value::Text(format!("[{part}]")), "schema {schema}");
                        continue;
                    }
                    let state = match (column.as_str(), value) {
                        ("state", Value::Text(state)) => renamed(&STATES, (table.as_str(), state.as_str())),
                        _ => None,
                    };
                    let expected = state.map_or_else(|| value.clone(), |state| Value::Text(state.into()));
                    let name = renamed(&COLUMNS, (table.as_str(), column.as_str())).unwrap_or(column);
                    let now = new.get(name).map(reworded);
                    assert_eq!(now, Some(reworded(&expected)), "{table}.{column} of schema {schema}");
                }
            }
        }
        assert_eq!(harness_inbox::check_file(&path).unwrap(), Vec::<String>::new());
        counts_agree(&path);
        let sql = Connection::open(&path).unwrap();
        let version: i64 = sql.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
        assert_eq!(version, harness_inbox::known_schema(), "a schema was added: put its file into this test");
        // The two newest are not released yet.
        assert_eq!(usize::try_from(version).unwrap(), SCHEMAS.len() + 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_goes_on_with_the_inbox_of_every_released_schema() {
    for schema in 1..=SCHEMAS.len() {
        let sim = Simulator::start(Config::demo()).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        written_by(schema, &folder.path().join("inbox.sqlite"));
        let host = open_host(folder.path(), &sim, Clock::default()).await;
        connect(&host, &sim, Login::Facebook).await;
        let (address, server) = serve(&host).await;
        sim.set_webhook_url(format!("{address}/webhooks/instagram"));
        let inbox = host.inbox();
        // What waited in its journal is translated, and what it had read is not read again.
        eventually("an empty queue", async || (inbox.delivery_counts().await.unwrap().received == 0).then_some(()))
            .await;
        let texts = async || {
            let timeline = inbox.timeline(ConversationId::new(1), 99).await.unwrap();
            timeline.into_iter().filter_map(|entry| entry.text).collect::<Vec<_>>()
        };
        let old = ["hello from the old version", "an old answer", "it waited in the journal"];
        assert_eq!(texts().await, old, "schema {schema}");
        sim.customer(Config::DEMO_CUSTOMER).text("a new message").await;
        eventually("the new message", async || texts().await.contains(&"a new message".to_owned()).then_some(())).await;
        assert_eq!(inbox.conversations(9).await.unwrap().len(), 1, "in the same conversation");
        let queued = host.reply(ConversationId::new(1), "new", message(vec![text("a new answer")])).await.unwrap();
        let view = eventually("the reply's end", async || {
            let view = inbox.reply(queued.reply).await.unwrap();
            matches!(view.state, harness_inbox::ReplyState::Done | harness_inbox::ReplyState::Refused).then_some(view)
        })
        .await;
        assert_eq!(view.steps[0].state, StepState::Sent, "{view:?}");
        // A step that was on its way when the old version ended.
        assert_eq!(inbox.reply(ReplyId::new(2)).await.unwrap().steps[0].state, StepState::Ambiguous);
        // Whoever reads it keeps the file open.
        drop(inbox);
        server.abort();
        end(host, folder.path()).await;
        counts_agree(&folder.path().join("inbox.sqlite"));
    }
}

/// In the way of what migration 9 alone does.
const OBSTACLE: &str =
    "CREATE TRIGGER obstacle BEFORE UPDATE OF message ON reply BEGIN SELECT RAISE(ABORT, 'an obstacle'); END";

#[tokio::test]
async fn a_migration_that_fails_halfway_leaves_the_file_as_it_was() {
    for schema in 1..=SCHEMAS.len() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("inbox.sqlite");
        written_by(schema, &path);
        // A statement in the middle of the last migration will fail, after all others were carried out.
        Connection::open(&path).unwrap().execute_batch(OBSTACLE).unwrap();
        let before = everything(&path);
        let error = Inbox::open(&path).err().unwrap().to_string();
        assert!(
            error.contains(&format!("from schema {schema} to {}", harness_inbox::known_schema()))
                && error.contains("left as it was"),
            "{error}"
        );
        assert_eq!(everything(&path), before);
        let sql = Connection::open(&path).unwrap();
        let version: i64 = sql.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
        assert_eq!(usize::try_from(version).unwrap(), schema);
        // The obstacle gone, it goes on.
        sql.execute_batch("DROP TRIGGER obstacle").unwrap();
        drop(sql);
        assert!(Inbox::open(&path).is_ok());
    }
}

#[test]
fn an_inbox_of_every_released_schema_can_be_copied_and_its_files_are_named() {
    for schema in 1..=SCHEMAS.len() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("inbox.sqlite");
        written_by(schema, &path);
        let named = harness_inbox::named_files(&path).unwrap();
        let copied = harness_inbox::copy_file(&path, &folder.path().join("copy"), 0).unwrap();
        assert_eq!((copied.schema, copied.files), (harness_inbox::known_schema(), named), "schema {schema}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_schema_is_refused_and_left_as_it_is() {
    let world = World::new().await;
    let (_sim, _clock, folder) = world.stop().await;
    let path = folder.path().join("inbox.sqlite");
    eventually("the end of the host", async || (!harness_inbox::beside(&path, "-wal").exists()).then_some(())).await;
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let before = fs::read(&path).unwrap();
    let error = Inbox::open(&path).err().unwrap().to_string();
    assert!(error.contains("has schema 99, this version knows up to"), "{error}");
    assert!(fs::read(&path).unwrap() == before);
    let copied = harness_inbox::copy_file(&path, &folder.path().join("copy"), 0).err().unwrap().to_string();
    assert!(copied.contains("has schema 99"), "{copied}");
}
