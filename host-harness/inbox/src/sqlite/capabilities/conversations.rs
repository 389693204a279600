//! Owns: reading conversations, in SQLite.
//! Does not own: changes to them, which come from events and replies.

use async_trait::async_trait;
use harness_contract::{ConversationContext, KnownComment, WindowPolicy};
use rusqlite::{OptionalExtension as _, params};
use serde_json::value::RawValue;

use crate::{
    error::InboxError,
    model::{
        AccountId, ActivityView, ConversationFilter, ConversationId, ConversationSummary, Page, Place, TimelineEntry,
    },
    sqlite::{
        columns::{collect, raw, with_one_more},
        rows::conversations::mark_read,
        store::SqliteStore,
        views,
    },
    store::Conversations,
};

#[async_trait]
impl Conversations for SqliteStore {
    async fn conversations_of(
        &self,
        filter: ConversationFilter,
        before: Option<Place>,
        limit: usize,
    ) -> Result<Page<ConversationSummary>, InboxError> {
        self.readers.read(move |connection| views::conversations::list(connection, &filter, before, limit)).await
    }

    async fn conversation(&self, conversation: ConversationId) -> Result<ConversationSummary, InboxError> {
        let found = self.readers.read(move |connection| views::conversations::one(connection, conversation));
        found.await?.ok_or_else(|| InboxError::NotFound { what: "conversation", id: conversation.to_string() })
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

    async fn activities_before(
        &self,
        conversation: Option<ConversationId>,
        kind: Option<String>,
        before: Option<Place>,
        limit: usize,
    ) -> Result<Page<ActivityView>, InboxError> {
        let Place { at, id, .. } = before.unwrap_or(Place::FIRST);
        self.readers
            .read(move |connection| {
                let rows = collect(
                    connection,
                    "SELECT n.id, a.channel, a.platform_id, n.conversation_id, iif(k.unnamed, NULL, k.platform_id), n.at,
                         n.origin, n.kind, n.body, n.details
                     FROM activity n JOIN account a ON a.id = n.account_id
                     LEFT JOIN conversation c ON c.id = n.conversation_id LEFT JOIN contact k ON k.id = c.contact_id
                     WHERE (n.at, n.id) < (?1, ?2) AND (?4 IS NULL OR n.conversation_id = ?4)
                       AND (?5 IS NULL OR n.kind = ?5)
                     ORDER BY n.at DESC, n.id DESC LIMIT ?3",
                    params![at, id, with_one_more(limit), conversation, kind],
                    |row| {
                        let activity = ActivityView {
                            id: row.get(0)?,
                            channel: row.get(1)?,
                            account: row.get(2)?,
                            conversation: row.get(3)?,
                            contact: row.get(4)?,
                            at: row.get(5)?,
                            origin: row.get(6)?,
                            kind: row.get(7)?,
                            body: RawValue::NULL.to_owned(),
                            details: None,
                        };
                        Ok((activity, row.get::<_, String>(8)?, row.get(9)?))
                    },
                )?;
                let placed = rows.into_iter().map(|(mut activity, body, details)| {
                    activity.body = RawValue::from_string(body)?;
                    activity.details = raw(details)?;
                    let place = Place { at: activity.at, seq: 0, id: activity.id.get() };
                    Ok((activity, place))
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

    async fn message_context(
        &self,
        conversation: ConversationId,
        message: &str,
    ) -> Result<Option<Vec<u8>>, InboxError> {
        let message = message.to_owned();
        self.readers
            .read(move |connection| {
                Ok(connection
                    .prepare_cached(
                        "SELECT m.context FROM message m JOIN conversation c ON c.account_id = m.account_id
                         WHERE c.id = ?1 AND m.platform_id = ?2
                         UNION ALL
                         SELECT l.context FROM message_alias l JOIN conversation c ON c.account_id = l.account_id
                         WHERE c.id = ?1 AND l.platform_id = ?2 LIMIT 1",
                    )?
                    .query_row(params![conversation, message], |row| row.get(0))
                    .optional()?
                    .flatten())
            })
            .await
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

    async fn mark_read(&self, conversation: ConversationId, now: u64) -> Result<usize, InboxError> {
        self.writer
            .write(move |tx| {
                if !tx.prepare_cached("SELECT 1 FROM conversation WHERE id = ?1")?.exists(params![conversation])? {
                    return Err(InboxError::NotFound { what: "conversation", id: conversation.to_string() });
                }
                mark_read(tx, conversation, now)
            })
            .await
    }
}
