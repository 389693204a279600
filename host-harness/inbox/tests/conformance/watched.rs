//! An SQLite file whose triggers refuse to commit a change of what people see, unless an entry of the change feed was
//! written after it in the same transaction.
//! Not here: whether the entry is the right one (`suite::feed`).

use std::{fmt::Write as _, sync::Arc};

use async_trait::async_trait;
use harness_inbox::{Inbox, store::Store};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::suite::Place;

/// What people see: the tables whose rows come and go only with a change, and the columns that differ only with one.
const SEEN: [(&str, &str); 19] = [
    ("account", "name, username, picture, state, problem, settings, when_closed"),
    ("activity", "body, conversation_id"),
    ("automation", "settings"),
    ("canned_answer", "shortcut, title, text"),
    ("collection", "name"),
    ("contact", "platform_id, name, username, profile, told"),
    (
        "conversation",
        "thread, last_at, closed, seen_at, seen_message, state, snoozed_until, assignee_id, collection_id, continued_in",
    ),
    ("conversation_label", "label_id"),
    ("label", "name, color"),
    ("media", "state, reason, mime, size, name"),
    ("mention", "seen_at"),
    ("message", "conversation_id, contact_id, at, seq, text, body, part, deleted_at"),
    ("note", "text"),
    ("reaction", "emoji, removed"),
    ("reply", "conversation_id, state, violations, degradations"),
    ("saved_view", "name, whose, channel, label_id, unread, text"),
    ("step", "state, outcome"),
    ("unread", "conversation_id"),
    ("user", "name, email, role, disabled_at"),
];

/// A violated reference counts when the transaction is committed.
const WITNESS: &str = "
    CREATE TABLE never (what TEXT PRIMARY KEY) STRICT;
    CREATE TABLE unnoted (what TEXT REFERENCES never (what) DEFERRABLE INITIALLY DEFERRED) STRICT;
    CREATE TRIGGER noted AFTER INSERT ON change BEGIN DELETE FROM unnoted; END;
    CREATE TRIGGER delivery_failed AFTER UPDATE OF state ON delivery WHEN NEW.state = 'failed'
        BEGIN INSERT INTO unnoted VALUES ('delivery'); END;
    CREATE TRIGGER webhook_changed AFTER UPDATE OF url, kinds, state ON webhook
        WHEN (old.url, old.kinds, old.state) IS NOT (new.url, new.kinds, new.state) BEGIN INSERT INTO unnoted VALUES ('webhook'); END;
";

pub(crate) struct Watched(pub(crate) TempDir);

#[async_trait]
impl Place for Watched {
    async fn open(&self) -> Arc<dyn Store> {
        let path = self.0.path().join("inbox.sqlite");
        if !path.exists() {
            drop(Inbox::open(&path).unwrap());
            let mut sql = WITNESS.to_owned();
            for (table, columns) in SEEN {
                let differs: Vec<_> =
                    columns.split(", ").map(|column| format!("OLD.{column} IS NOT NEW.{column}")).collect();
                let changed = format!("UPDATE ON {table} WHEN {}", differs.join(" OR "));
                for (name, event) in [
                    ("came", &format!("INSERT ON {table}")),
                    ("went", &format!("DELETE ON {table}")),
                    ("changed", &changed),
                ] {
                    writeln!(
                        sql,
                        "CREATE TRIGGER {table}_{name} AFTER {event} BEGIN INSERT INTO unnoted VALUES ('{table}'); END;"
                    )
                    .unwrap();
                }
            }
            Connection::open(&path).unwrap().execute_batch(&sql).unwrap();
        }
        Inbox::open(&path).unwrap().store()
    }
}
