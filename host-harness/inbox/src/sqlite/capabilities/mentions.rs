//! Owns: mentions, in SQLite.
//! Does not own: the changes themselves (`rows::mentions`).

use async_trait::async_trait;
use rusqlite::params;

use crate::{
    error::InboxError,
    model::{ConversationId, MentionView, Page, Place, UserId},
    sqlite::{
        columns::{collect, from_millis, with_one_more},
        rows::mentions,
        store::SqliteStore,
    },
    store::{MentionViews, Mentions},
};

#[async_trait]
impl MentionViews for SqliteStore {
    async fn mentions_before(
        &self,
        user: UserId,
        unseen: bool,
        before: Option<Place>,
        limit: usize,
    ) -> Result<Page<MentionView>, InboxError> {
        let Place { at, id, .. } = before.unwrap_or(Place::FIRST);
        self.readers
            .read(move |connection| {
                let sql = "SELECT n.id, n.conversation_id, n.author, n.text, n.at, m.seen_at
                           FROM mention m JOIN note n ON n.id = m.note_id
                           WHERE m.user_id = ?1 AND (NOT ?2 OR m.seen_at IS NULL) AND (n.at, n.id) < (?3, ?4)
                           ORDER BY n.at DESC, n.id DESC LIMIT ?5";
                let rows = collect(connection, sql, params![user, unseen, at, id, with_one_more(limit)], |row| {
                    let view = MentionView {
                        note: row.get(0)?,
                        conversation: row.get(1)?,
                        author: row.get(2)?,
                        text: row.get(3)?,
                        at: from_millis(row.get(4)?),
                        seen_at: row.get::<_, Option<i64>>(5)?.map(from_millis),
                    };
                    let place = Place { at: row.get(4)?, seq: 0, id: view.note.get() };
                    Ok((view, place))
                })?;
                Ok(Page::of(rows, limit))
            })
            .await
    }

    async fn unseen_mentions(&self, user: UserId) -> Result<Vec<(ConversationId, u64)>, InboxError> {
        let sql = "SELECT n.conversation_id, count(*) FROM
                       (SELECT note_id FROM mention WHERE user_id = ?1 AND seen_at IS NULL ORDER BY note_id DESC LIMIT 1000) m
                   JOIN note n ON n.id = m.note_id GROUP BY n.conversation_id";
        self.readers
            .read(move |connection| {
                collect(connection, sql, params![user], |row| Ok((row.get(0)?, from_millis(row.get(1)?))))
            })
            .await
    }
}

#[async_trait]
impl Mentions for SqliteStore {
    async fn see_mentions(&self, user: UserId, conversation: ConversationId, now: u64) -> Result<bool, InboxError> {
        // Most who look have nothing to see: that needs no transaction of the one writer.
        let nothing = self.unseen_mentions(user).await?.iter().all(|(of, _)| *of != conversation);
        if nothing {
            return Ok(false);
        }
        self.writer.write(move |tx| mentions::see(tx, user, conversation, now)).await
    }
}
