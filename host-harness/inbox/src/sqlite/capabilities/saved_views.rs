//! Owns: saved views, in SQLite.
//! Does not own: the changes themselves (`rows::saved_views`).

use async_trait::async_trait;
use rusqlite::{OptionalExtension as _, Row, params};

use crate::{
    error::InboxError,
    model::{NewSavedView, SavedView, SavedViewId, UserId, ViewFilters, Whose, WorkspaceId},
    sqlite::{
        columns::{collect, from_millis},
        rows::saved_views,
        store::SqliteStore,
    },
    store::{SavedViewList, SavedViews},
};

const COLUMNS: &str =
    "SELECT id, workspace_id, user_id, name, whose, channel, label_id, unread, text, created_at FROM saved_view";

fn view(row: &Row<'_>) -> rusqlite::Result<SavedView> {
    let whose: String = row.get(4)?;
    let filters = ViewFilters {
        whose: Whose::from_name(&whose).unwrap_or_default(),
        channel: row.get(5)?,
        label: row.get(6)?,
        unread: row.get(7)?,
        text: row.get(8)?,
    };
    Ok(SavedView {
        id: row.get(0)?,
        workspace: row.get(1)?,
        user: row.get(2)?,
        name: row.get(3)?,
        filters,
        created_at: from_millis(row.get(9)?),
    })
}

#[async_trait]
impl SavedViewList for SqliteStore {
    async fn saved_views(&self, workspace: WorkspaceId, user: Option<UserId>) -> Result<Vec<SavedView>, InboxError> {
        self.readers
            .read(move |connection| {
                let sql = format!(
                    "{COLUMNS} WHERE workspace_id = ?1 AND (user_id IS NULL OR user_id = ?2)
                     ORDER BY user_id IS NULL, name COLLATE NOCASE, name"
                );
                collect(connection, &sql, params![workspace, user], view)
            })
            .await
    }

    async fn saved_view(&self, id: SavedViewId) -> Result<SavedView, InboxError> {
        let found = self.readers.read(move |connection| {
            let sql = format!("{COLUMNS} WHERE id = ?1");
            Ok(connection.prepare_cached(&sql)?.query_row(params![id], view).optional()?)
        });
        found.await?.ok_or_else(|| saved_views::missing(id))
    }
}

#[async_trait]
impl SavedViews for SqliteStore {
    async fn save_view(&self, new: NewSavedView) -> Result<SavedViewId, InboxError> {
        self.writer.write(move |tx| saved_views::save(tx, &new)).await
    }

    async fn change_view(
        &self,
        id: SavedViewId,
        name: Option<String>,
        filters: Option<ViewFilters>,
        now: u64,
    ) -> Result<(), InboxError> {
        self.writer.write(move |tx| saved_views::change(tx, id, name.as_deref(), filters.as_ref(), now)).await
    }

    async fn delete_view(&self, id: SavedViewId, now: u64) -> Result<(), InboxError> {
        self.writer.write(move |tx| saved_views::delete(tx, id, now)).await
    }
}
