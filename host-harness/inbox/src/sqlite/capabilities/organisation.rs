//! Owns: keeping conversations in order, in SQLite.
//! Does not own: the changes themselves (`rows::organisation`, `rows::shared`).

use async_trait::async_trait;
use rusqlite::{OptionalExtension as _, Row, params};

use crate::{
    error::InboxError,
    model::{
        AccountId, CannedAnswerId, CannedAnswerText, CannedAnswerView, ChangeKind, CollectionId, CollectionView,
        ConversationChange, ConversationId, LabelChange, LabelId, LabelView, NewNote, NoteId, NoteView, Organised,
        Page, Place, WhenClosed, WorkspaceId,
    },
    sqlite::{
        columns::{collect, from_millis, next_after, with_one_more},
        rows::{
            changes::{self, Concerns},
            continued, organisation,
            shared::{CANNED_ANSWERS, COLLECTIONS, LABELS},
        },
        store::SqliteStore,
    },
    store::{Organisation, OrganisationViews},
};

const COLLECTION: &str = "SELECT id, workspace_id, name, created_at FROM collection";
const LABEL: &str = "SELECT id, workspace_id, name, created_at, color FROM label";
const CANNED_ANSWER: &str = "SELECT id, workspace_id, shortcut, created_at, title, text FROM canned_answer";
const NOTE: &str = "SELECT id, conversation_id, user_id, author, at, edited_at, text FROM note";

fn collection(row: &Row<'_>) -> rusqlite::Result<CollectionView> {
    let created_at = from_millis(row.get(3)?);
    Ok(CollectionView { id: row.get(0)?, workspace: row.get(1)?, name: row.get(2)?, created_at })
}

fn label(row: &Row<'_>) -> rusqlite::Result<LabelView> {
    let created_at = from_millis(row.get(3)?);
    Ok(LabelView { id: row.get(0)?, workspace: row.get(1)?, name: row.get(2)?, color: row.get(4)?, created_at })
}

fn canned_answer(row: &Row<'_>) -> rusqlite::Result<CannedAnswerView> {
    Ok(CannedAnswerView {
        id: row.get(0)?,
        workspace: row.get(1)?,
        shortcut: row.get(2)?,
        title: row.get(4)?,
        text: row.get(5)?,
        created_at: from_millis(row.get(3)?),
    })
}

fn note(row: &Row<'_>) -> rusqlite::Result<NoteView> {
    Ok(NoteView {
        id: row.get(0)?,
        conversation: row.get(1)?,
        user: row.get(2)?,
        author: row.get(3)?,
        at: from_millis(row.get(4)?),
        edited_at: row.get::<_, Option<i64>>(5)?.map(from_millis),
        text: row.get(6)?,
    })
}

impl SqliteStore {
    /// The row with this id.
    async fn one<T: Send + 'static>(
        &self,
        what: &'static str,
        select: &'static str,
        id: i64,
        read: fn(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, InboxError> {
        let found = self.readers.read(move |connection| {
            let sql = format!("{select} WHERE id = ?1");
            Ok(connection.prepare_cached(&sql)?.query_row(params![id], read).optional()?)
        });
        found.await?.ok_or_else(|| InboxError::NotFound { what, id: id.to_string() })
    }

    /// The rows of a workspace, by the name in the third column.
    async fn all_of<T: Send + 'static>(
        &self,
        select: &'static str,
        workspace: WorkspaceId,
        read: fn(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, InboxError> {
        self.readers
            .read(move |connection| {
                let sql = format!("{select} WHERE workspace_id = ?1 ORDER BY 3 COLLATE NOCASE, 3");
                collect(connection, &sql, params![workspace], read)
            })
            .await
    }
}

#[async_trait]
impl OrganisationViews for SqliteStore {
    async fn collections(&self, workspace: WorkspaceId) -> Result<Vec<CollectionView>, InboxError> {
        self.all_of(COLLECTION, workspace, collection).await
    }

    async fn collection(&self, id: CollectionId) -> Result<CollectionView, InboxError> {
        self.one(COLLECTIONS.what(), COLLECTION, id.get(), collection).await
    }

    async fn labels(&self, workspace: WorkspaceId) -> Result<Vec<LabelView>, InboxError> {
        self.all_of(LABEL, workspace, label).await
    }

    async fn label(&self, id: LabelId) -> Result<LabelView, InboxError> {
        self.one(LABELS.what(), LABEL, id.get(), label).await
    }

    async fn canned_answers(&self, workspace: WorkspaceId) -> Result<Vec<CannedAnswerView>, InboxError> {
        self.all_of(CANNED_ANSWER, workspace, canned_answer).await
    }

    async fn canned_answer(&self, id: CannedAnswerId) -> Result<CannedAnswerView, InboxError> {
        self.one(CANNED_ANSWERS.what(), CANNED_ANSWER, id.get(), canned_answer).await
    }

    async fn notes_before(
        &self,
        conversation: ConversationId,
        before: Option<Place>,
        limit: usize,
    ) -> Result<Page<NoteView>, InboxError> {
        let Place { at, id, .. } = before.unwrap_or(Place::FIRST);
        self.readers
            .read(move |connection| {
                let sql = format!(
                    "{NOTE} WHERE conversation_id = ?1 AND (at, id) < (?2, ?3) ORDER BY at DESC, id DESC LIMIT ?4"
                );
                let rows = collect(connection, &sql, params![conversation, at, id, with_one_more(limit)], |row| {
                    let view = note(row)?;
                    let place = Place { at: row.get(4)?, seq: 0, id: view.id.get() };
                    Ok((view, place))
                })?;
                Ok(Page::of(rows, limit))
            })
            .await
    }

    async fn note(&self, id: NoteId) -> Result<NoteView, InboxError> {
        self.one("note", NOTE, id.get(), note).await
    }

    async fn goes_on_in(&self, conversation: ConversationId) -> Result<Option<ConversationId>, InboxError> {
        let current = self.readers.read(move |connection| continued::current(connection, conversation));
        Ok(Some(current.await?).filter(|current| *current != conversation))
    }

    async fn next_snoozed(&self, after: u64) -> Result<Option<u64>, InboxError> {
        let sql = "SELECT min(snoozed_until) FROM conversation WHERE state = 'snoozed' AND snoozed_until > ?1";
        self.readers.read(move |connection| next_after(connection, sql, after)).await
    }
}

#[async_trait]
impl Organisation for SqliteStore {
    async fn change_conversation(
        &self,
        conversation: ConversationId,
        change: ConversationChange,
        now: u64,
    ) -> Result<Organised, InboxError> {
        self.writer.write(move |tx| organisation::change(tx, conversation, change, now)).await
    }

    async fn choose_when_closed(&self, account: AccountId, choice: WhenClosed, now: u64) -> Result<(), InboxError> {
        self.writer
            .write(move |tx| {
                let known: Option<WhenClosed> = tx
                    .prepare_cached("SELECT when_closed FROM account WHERE id = ?1")?
                    .query_row(params![account], |row| row.get(0))
                    .optional()?;
                let known = known.ok_or_else(|| InboxError::NotFound { what: "account", id: account.to_string() })?;
                if known == choice {
                    return Ok(());
                }
                tx.prepare_cached("UPDATE account SET when_closed = ?2 WHERE id = ?1")?
                    .execute(params![account, choice.name()])?;
                changes::note(tx, ChangeKind::AccountUpdated, Concerns::account(account), now)
            })
            .await
    }

    async fn change_labels(
        &self,
        conversation: ConversationId,
        change: LabelChange,
        now: u64,
    ) -> Result<bool, InboxError> {
        self.writer.write(move |tx| organisation::change_labels(tx, conversation, &change, now)).await
    }

    async fn open_snoozed(&self, now: u64, limit: usize) -> Result<usize, InboxError> {
        self.writer.write(move |tx| organisation::open_snoozed(tx, now, limit)).await
    }

    async fn add_note(&self, note: NewNote) -> Result<NoteId, InboxError> {
        self.writer.write(move |tx| organisation::add_note_of_team(tx, &note)).await
    }

    async fn edit_note(&self, id: NoteId, text: String, now: u64) -> Result<(), InboxError> {
        self.writer.write(move |tx| organisation::edit_note_of_team(tx, id, &text, now)).await
    }

    async fn delete_note(&self, id: NoteId, now: u64) -> Result<(), InboxError> {
        self.writer.write(move |tx| organisation::change_note(tx, id, None, now)).await
    }

    async fn add_collection(&self, workspace: WorkspaceId, name: String, now: u64) -> Result<CollectionId, InboxError> {
        self.writer.write(move |tx| COLLECTIONS.add(tx, workspace, &[&name], now).map(CollectionId::new)).await
    }

    async fn rename_collection(&self, id: CollectionId, name: String, now: u64) -> Result<(), InboxError> {
        self.writer.write(move |tx| COLLECTIONS.edit(tx, id.get(), &[&name], now)).await
    }

    async fn delete_collection(&self, id: CollectionId, now: u64) -> Result<(), InboxError> {
        self.writer.write(move |tx| COLLECTIONS.delete(tx, id.get(), now)).await
    }

    async fn add_label(
        &self,
        workspace: WorkspaceId,
        name: String,
        color: String,
        now: u64,
    ) -> Result<LabelId, InboxError> {
        self.writer.write(move |tx| LABELS.add(tx, workspace, &[&name, &color], now).map(LabelId::new)).await
    }

    async fn edit_label(&self, id: LabelId, name: String, color: String, now: u64) -> Result<(), InboxError> {
        self.writer.write(move |tx| LABELS.edit(tx, id.get(), &[&name, &color], now)).await
    }

    async fn delete_label(&self, id: LabelId, now: u64) -> Result<(), InboxError> {
        self.writer.write(move |tx| LABELS.delete(tx, id.get(), now)).await
    }

    async fn add_canned_answer(
        &self,
        workspace: WorkspaceId,
        content: CannedAnswerText,
        now: u64,
    ) -> Result<CannedAnswerId, InboxError> {
        self.writer
            .write(move |tx| {
                let CannedAnswerText { shortcut, title, text } = &content;
                CANNED_ANSWERS.add(tx, workspace, &[shortcut, title, text], now).map(CannedAnswerId::new)
            })
            .await
    }

    async fn edit_canned_answer(
        &self,
        id: CannedAnswerId,
        content: CannedAnswerText,
        now: u64,
    ) -> Result<(), InboxError> {
        self.writer
            .write(move |tx| {
                let CannedAnswerText { shortcut, title, text } = &content;
                CANNED_ANSWERS.edit(tx, id.get(), &[shortcut, title, text], now)
            })
            .await
    }

    async fn delete_canned_answer(&self, id: CannedAnswerId, now: u64) -> Result<(), InboxError> {
        self.writer.write(move |tx| CANNED_ANSWERS.delete(tx, id.get(), now)).await
    }
}
