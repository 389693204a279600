//! Owns: the search's index in SQLite: filling it, and asking it.
//! Does not own: taking out what changes or goes, which the schema's triggers do.

use std::{borrow::Cow, collections::HashMap};

use async_trait::async_trait;
use rusqlite::{Connection, Transaction, params};

use crate::{
    error::InboxError,
    model::{ConversationHit, MessageHit, MessageSearch, Page, Place, WorkspaceId},
    sqlite::{
        columns::collect,
        store::SqliteStore,
        views::search::{key, messages, names, scope},
        writer::LEAST,
    },
    store::{SearchIndex, SearchViews},
    words::{MarkKey, marks},
};

#[async_trait]
impl SearchViews for SqliteStore {
    async fn search_messages(
        &self,
        search: MessageSearch,
        before: Option<Place>,
        limit: usize,
    ) -> Result<Page<MessageHit>, InboxError> {
        self.readers.read(move |connection| messages(connection, &search, before, limit)).await
    }

    async fn search_names(
        &self,
        workspace: WorkspaceId,
        text: String,
        limit: usize,
    ) -> Result<Vec<ConversationHit>, InboxError> {
        self.readers.read(move |connection| names(connection, workspace, &text, limit)).await
    }
}

#[async_trait]
impl SearchIndex for SqliteStore {
    async fn index(&self, limit: usize) -> Result<usize, InboxError> {
        let prepared = self.readers.read(move |connection| prepared(connection, limit)).await?;
        if prepared.iter().all(HashMap::is_empty) {
            return Ok(0);
        }
        let people = self.writer.people();
        self.writer
            .write_in_bulk(move |tx| {
                let (key, mut taken) = (key(tx)?, 0);
                for (queue, prepared) in QUEUES.iter().zip(prepared) {
                    let left = limit.saturating_sub(taken);
                    taken += index(tx, &key, (queue, &prepared), left, || people.wait())?;
                }
                Ok(taken)
            })
            .await
    }
}

/// Rows that wait, and the index that they go into.
struct Queue {
    /// The first rows in the order of their ids: ids, workspaces and texts. A row without text only stops waiting.
    first: &'static str,
    add: &'static str,
    /// The rows up to this one wait no more. One statement for all: whatever opens a savepoint makes the index write out
    /// what it gathered.
    done: &'static str,
}

/// Messages whose words changed after they were indexed.
const CHANGED: Queue = Queue {
    first: "SELECT q.message_id, c.workspace_id, m.text FROM message_to_index q
            LEFT JOIN message m ON m.id = q.message_id LEFT JOIN conversation c ON c.id = m.conversation_id
            ORDER BY q.message_id LIMIT ?1",
    add: ADD_MESSAGE,
    done: "DELETE FROM message_to_index WHERE message_id <= ?1",
};
const MESSAGES: Queue = Queue {
    first: "SELECT m.id, c.workspace_id, m.text FROM message m LEFT JOIN conversation c ON c.id = m.conversation_id
            WHERE m.id > (SELECT indexed_to FROM search) ORDER BY m.id LIMIT ?1",
    add: ADD_MESSAGE,
    done: "UPDATE OR FAIL search SET indexed_to = ?1",
};
const ADD_MESSAGE: &str = "INSERT INTO message_words (rowid, marks) VALUES (?1, ?2)";
const NAMES: Queue = Queue {
    first: "SELECT q.conversation_id, c.workspace_id,
                concat_ws(' ', json_extract(c.thread, '$.title'), k.name, k.username) FROM conversation_to_index q
            LEFT JOIN conversation c ON c.id = q.conversation_id LEFT JOIN contact k ON k.id = c.contact_id
            ORDER BY q.conversation_id LIMIT ?1",
    add: "INSERT INTO conversation_words (rowid, marks) VALUES (?1, ?2)",
    done: "DELETE FROM conversation_to_index WHERE conversation_id <= ?1",
};

const QUEUES: [Queue; 3] = [CHANGED, MESSAGES, NAMES];

type Waits = (i64, Option<WorkspaceId>, Option<String>);

fn first(connection: &Connection, queue: &Queue, limit: usize) -> Result<Vec<Waits>, InboxError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    collect(connection, queue.first, params![limit], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
}

/// Marks by the row for which they were made, with its text.
type Prepared = HashMap<i64, (String, String)>;

/// What probably has to be added, by queue: making marks takes longer than adding them, and other writes need not wait for
/// it.
fn prepared(connection: &Connection, limit: usize) -> Result<Vec<Prepared>, InboxError> {
    let key = key(connection)?;
    let of = |queue| {
        let rows = first(connection, queue, limit)?.into_iter();
        Ok(rows
            .map(|(id, _, text)| {
                let text = text.unwrap_or_default();
                let marks = marks(&key, &text);
                (id, (text, marks))
            })
            .collect())
    };
    QUEUES.iter().map(of).collect()
}

/// Indexes the first rows, until others `wait`. Returns how many wait no more.
fn index(
    tx: &Transaction<'_>,
    key: &MarkKey,
    (queue, prepared): (&Queue, &Prepared),
    limit: usize,
    wait: impl Fn() -> bool,
) -> Result<usize, InboxError> {
    let (mut taken, mut last) = (0, None);
    for (id, workspace, text) in first(tx, queue, limit)? {
        if taken >= LEAST && wait() {
            break;
        }
        let text = text.unwrap_or_default();
        let marks = match prepared.get(&id) {
            Some((same, marks)) if *same == text => Cow::Borrowed(marks),
            _ => Cow::Owned(marks(key, &text)),
        };
        if let Some(workspace) = workspace.filter(|_| !marks.is_empty()) {
            tx.prepare_cached(queue.add)?.execute(params![id, format!("{marks} {}", scope(workspace))])?;
        }
        (taken, last) = (taken + 1, Some(id));
    }
    if let Some(last) = last {
        tx.prepare_cached(queue.done)?.execute(params![last])?;
    }
    Ok(taken)
}
