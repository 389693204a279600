//! Owns: the search's index in SQLite: filling it, and asking it.
//! Does not own: taking out what changes or goes, which the schema's triggers do.

use async_trait::async_trait;
use rusqlite::{Transaction, params};

use crate::{
    error::InboxError,
    model::{ConversationHit, MessageHit, MessageSearch, Page, Place, WorkspaceId},
    sqlite::{
        columns::collect,
        store::SqliteStore,
        views::search::{key, messages, names, scope},
    },
    store::{SearchIndex, SearchViews},
    words::marks,
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
        self.writer
            .write_in_bulk(move |tx| {
                let taken = index(tx, &MESSAGES, limit)?;
                Ok(taken + index(tx, &NAMES, limit - taken.min(limit))?)
            })
            .await
    }
}

/// A queue of rows, and the index that they go into.
struct Queue {
    /// The first rows: their ids, workspaces and texts. A row without text is only taken off the queue.
    first: &'static str,
    add: &'static str,
    done: &'static str,
}

const MESSAGES: Queue = Queue {
    first: "SELECT q.message_id, c.workspace_id, m.text FROM message_to_index q
            LEFT JOIN message m ON m.id = q.message_id LEFT JOIN conversation c ON c.id = m.conversation_id
            ORDER BY q.message_id LIMIT ?1",
    add: "INSERT INTO message_words (rowid, marks) VALUES (?1, ?2)",
    done: "DELETE FROM message_to_index WHERE message_id = ?1",
};
const NAMES: Queue = Queue {
    first: "SELECT q.conversation_id, c.workspace_id,
                concat_ws(' ', json_extract(c.thread, '$.title'), k.name, k.username) FROM conversation_to_index q
            LEFT JOIN conversation c ON c.id = q.conversation_id LEFT JOIN contact k ON k.id = c.contact_id
            ORDER BY q.conversation_id LIMIT ?1",
    add: "INSERT INTO conversation_words (rowid, marks) VALUES (?1, ?2)",
    done: "DELETE FROM conversation_to_index WHERE conversation_id = ?1",
};

fn index(tx: &Transaction<'_>, queue: &Queue, limit: usize) -> Result<usize, InboxError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows: Vec<(i64, Option<WorkspaceId>, Option<String>)> =
        collect(tx, queue.first, params![limit], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let key = key(tx)?;
    for (id, workspace, text) in &rows {
        let marks = text.as_deref().map(|text| marks(&key, text)).filter(|marks| !marks.is_empty());
        if let (Some(workspace), Some(marks)) = (workspace, marks) {
            tx.prepare_cached(queue.add)?.execute(params![id, format!("{marks} {}", scope(*workspace))])?;
        }
        tx.prepare_cached(queue.done)?.execute(params![id])?;
    }
    Ok(rows.len())
}
