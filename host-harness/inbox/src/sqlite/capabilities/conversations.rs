//! Owns: reading conversations, in SQLite.
//! Does not own: changes to them, which come from events and replies.

use async_trait::async_trait;
use harness_contract::{ConversationContext, KnownComment, Window, WindowPolicy};
use rusqlite::{OptionalExtension as _, params};

use crate::{
    error::InboxError,
    model::{
        AccountId, ActivityFilter, ActivityId, ActivityView, Around, ConversationEntry, ConversationFilter,
        ConversationId, ConversationSummary, MergedPlace, MessageId, Page, Place, TimelineEntry, WorkspaceId,
    },
    sqlite::{
        rows::conversations::{account_of, mark_read, mark_unread, must_exist},
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
        found.await?.ok_or_else(|| InboxError::no_conversation(conversation))
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

    async fn timeline_after(
        &self,
        conversation: ConversationId,
        after: Place,
        limit: usize,
    ) -> Result<Page<TimelineEntry>, InboxError> {
        self.readers.read(move |connection| views::timeline::later(connection, conversation, after, limit)).await
    }

    async fn timeline_around(
        &self,
        conversation: ConversationId,
        message: MessageId,
        limit: usize,
    ) -> Result<Option<Around>, InboxError> {
        self.readers.read(move |connection| views::timeline::around(connection, conversation, message, limit)).await
    }

    async fn activities_before(
        &self,
        filter: ActivityFilter,
        before: Option<Place>,
        limit: usize,
    ) -> Result<Page<ActivityView>, InboxError> {
        let before = before.unwrap_or(Place::FIRST);
        let placed =
            self.readers.read(move |connection| views::activities::activities(connection, &filter, before, limit));
        Ok(Page::of(placed.await?, limit))
    }

    async fn entries_before(
        &self,
        conversation: ConversationId,
        before: Option<MergedPlace>,
        limit: usize,
    ) -> Result<Page<ConversationEntry, MergedPlace>, InboxError> {
        let before = before.unwrap_or(MergedPlace::FIRST);
        self.readers.read(move |connection| views::activities::merged(connection, conversation, before, limit)).await
    }

    async fn message(&self, message: MessageId) -> Result<(ConversationId, TimelineEntry), InboxError> {
        self.readers.read(move |connection| views::timeline::one(connection, message)).await
    }

    async fn activity(&self, activity: ActivityId) -> Result<ActivityView, InboxError> {
        self.readers.read(move |connection| views::activities::one(connection, activity)).await
    }

    async fn newest_messages(
        &self,
        conversations: Vec<ConversationId>,
    ) -> Result<Vec<Option<TimelineEntry>>, InboxError> {
        self.readers
            .read(move |connection| {
                let mut newest = views::timeline::newest(connection, &conversations)?;
                Ok(conversations.iter().map(|conversation| newest.remove(conversation)).collect())
            })
            .await
    }

    async fn windows(
        &self,
        conversations: Vec<ConversationId>,
        policy: &WindowPolicy,
        now: u64,
    ) -> Result<Vec<(ConversationId, Window)>, InboxError> {
        let policy = policy.clone();
        self.readers.read(move |connection| views::context::windows(connection, &conversations, &policy, now)).await
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
                    .ok_or_else(|| InboxError::no_conversation(conversation))
            })
            .await
    }

    async fn account_of(&self, conversation: ConversationId) -> Result<AccountId, InboxError> {
        self.readers.read(move |connection| account_of(connection, conversation)).await
    }

    async fn mark_read(&self, conversation: ConversationId, now: u64) -> Result<usize, InboxError> {
        self.writer
            .write(move |tx| {
                must_exist(tx, conversation)?;
                mark_read(tx, conversation, now)
            })
            .await
    }

    async fn unread(&self, workspace: WorkspaceId, most: i64) -> Result<i64, InboxError> {
        self.readers.read(move |connection| views::conversations::unread(connection, workspace, most)).await
    }

    async fn mark_unread(&self, conversation: ConversationId, now: u64) -> Result<bool, InboxError> {
        self.writer
            .write(move |tx| {
                must_exist(tx, conversation)?;
                mark_unread(tx, conversation, now)
            })
            .await
    }
}
