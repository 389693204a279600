//! Owns: reading conversations, in SQLite.
//! Does not own: changing them, which events and replies do.

use async_trait::async_trait;
use harness_contract::{ConversationContext, KnownComment, WindowPolicy};
use rusqlite::{OptionalExtension as _, params};
use serde_json::value::RawValue;

use crate::{
    error::InboxError,
    model::{AccountId, ConversationId, ConversationSummary, NoticeView, Page, Place, TimelineEntry, Update},
    sqlite::{
        columns::{collect, with_one_more},
        rows::conversations::mark_read,
        store::SqliteStore,
        views,
    },
    store::Conversations,
};

#[async_trait]
impl Conversations for SqliteStore {
    async fn conversations_before(
        &self,
        before: Option<Place>,
        limit: usize,
    ) -> Result<Page<ConversationSummary>, InboxError> {
        let Place { at, id, .. } = before.unwrap_or(Place::FIRST);
        self.readers
            .read(move |connection| {
                let rows = collect(
                    connection,
                    "SELECT c.id, a.channel, a.platform_id, iif(k.unnamed, NULL, k.platform_id),
                         coalesce(k.name, k.username), c.last_at,
                         (SELECT count(*) FROM message m WHERE m.conversation_id = c.id AND m.unread = 1),
                         c.seen_message,
                         (SELECT text FROM message m WHERE m.conversation_id = c.id
                          ORDER BY at DESC, seq DESC, id DESC LIMIT 1)
                     FROM conversation c JOIN account a ON a.id = c.account_id JOIN contact k ON k.id = c.contact_id
                     WHERE (c.last_at, c.id) < (?1, ?2)
                     ORDER BY c.last_at DESC, c.id DESC LIMIT ?3",
                    params![at, id, with_one_more(limit)],
                    |row| {
                        let summary = ConversationSummary {
                            id: row.get(0)?,
                            channel: row.get(1)?,
                            account: row.get(2)?,
                            contact: row.get(3)?,
                            name: row.get(4)?,
                            last_at: row.get(5)?,
                            unread: row.get(6)?,
                            seen_message: row.get(7)?,
                            preview: row.get(8)?,
                        };
                        let place = Place { at: summary.last_at, seq: 0, id: summary.id.get() };
                        Ok((summary, place))
                    },
                )?;
                Ok(Page::of(rows, limit))
            })
            .await
    }

    async fn timeline_before(
        &self,
        conversation: ConversationId,
        before: Option<Place>,
        limit: usize,
    ) -> Result<Page<TimelineEntry>, InboxError> {
        let before = before.unwrap_or(Place::FIRST);
        self.readers.read(move |connection| views::timeline::timeline(connection, conversation, before, limit)).await
    }

    async fn notices_before(
        &self,
        conversation: Option<ConversationId>,
        kind: Option<String>,
        before: Option<Place>,
        limit: usize,
    ) -> Result<Page<NoticeView>, InboxError> {
        let Place { at, id, .. } = before.unwrap_or(Place::FIRST);
        self.readers
            .read(move |connection| {
                let rows = collect(
                    connection,
                    "SELECT n.id, a.channel, a.platform_id, n.conversation_id, iif(k.unnamed, NULL, k.platform_id), n.at,
                         n.origin, n.kind, n.body
                     FROM notice n JOIN account a ON a.id = n.account_id
                     LEFT JOIN conversation c ON c.id = n.conversation_id LEFT JOIN contact k ON k.id = c.contact_id
                     WHERE (n.at, n.id) < (?1, ?2) AND (?4 IS NULL OR n.conversation_id = ?4)
                       AND (?5 IS NULL OR n.kind = ?5)
                     ORDER BY n.at DESC, n.id DESC LIMIT ?3",
                    params![at, id, with_one_more(limit), conversation, kind],
                    |row| {
                        let notice = NoticeView {
                            id: row.get(0)?,
                            channel: row.get(1)?,
                            account: row.get(2)?,
                            conversation: row.get(3)?,
                            contact: row.get(4)?,
                            at: row.get(5)?,
                            origin: row.get(6)?,
                            kind: row.get(7)?,
                            body: RawValue::NULL.to_owned(),
                        };
                        Ok((notice, row.get::<_, String>(8)?))
                    },
                )?;
                let placed = rows.into_iter().map(|(mut notice, body)| {
                    notice.body = RawValue::from_string(body)?;
                    let place = Place { at: notice.at, seq: 0, id: notice.id.get() };
                    Ok((notice, place))
                });
                Ok(Page::of(placed.collect::<Result<_, InboxError>>()?, limit))
            })
            .await
    }

    async fn context(
        &self,
        conversation: ConversationId,
        policy: &WindowPolicy,
        now: u64,
    ) -> Result<ConversationContext, InboxError> {
        let policy = policy.clone();
        self.readers.read(move |connection| views::context::context(connection, conversation, &policy, now)).await
    }

    async fn known_comment(
        &self,
        conversation: ConversationId,
        comment: &str,
    ) -> Result<Option<KnownComment>, InboxError> {
        let comment = comment.to_owned();
        self.readers.read(move |connection| views::context::known_comment(connection, conversation, &comment)).await
    }

    async fn channel_of(&self, conversation: ConversationId) -> Result<String, InboxError> {
        self.readers
            .read(move |connection| {
                connection
                    .prepare_cached(
                        "SELECT a.channel FROM conversation c JOIN account a ON a.id = c.account_id WHERE c.id = ?1",
                    )?
                    .query_row(params![conversation], |row| row.get(0))
                    .optional()?
                    .ok_or(InboxError::NotFound { what: "conversation", id: conversation.to_string() })
            })
            .await
    }

    async fn account_of(&self, conversation: ConversationId) -> Result<AccountId, InboxError> {
        self.readers
            .read(move |connection| {
                connection
                    .prepare_cached("SELECT account_id FROM conversation WHERE id = ?1")?
                    .query_row(params![conversation], |row| row.get(0))
                    .optional()?
                    .ok_or(InboxError::NotFound { what: "conversation", id: conversation.to_string() })
            })
            .await
    }

    async fn mark_read(&self, conversation: ConversationId) -> Result<usize, InboxError> {
        let marked = self
            .writer
            .write(move |tx| {
                if !tx.prepare_cached("SELECT 1 FROM conversation WHERE id = ?1")?.exists(params![conversation])? {
                    return Err(InboxError::NotFound { what: "conversation", id: conversation.to_string() });
                }
                mark_read(tx, conversation)
            })
            .await?;
        if marked > 0 {
            self.announce([Update::Conversation { conversation, kind: "read" }]);
        }
        Ok(marked)
    }
}
