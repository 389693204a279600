//! Owns: reading workspaces and people, and the workspace of any row, in SQLite.
//! Does not own: changes to them (`users`).

use async_trait::async_trait;
use rusqlite::{OptionalExtension as _, types::ToSql};

use crate::{
    error::InboxError,
    model::{InvitationView, Row, UserId, UserView, WorkspaceId, WorkspaceView},
    sqlite::{
        columns::{as_millis, collect, from_millis},
        rows::users::{self, INVITATION, USER, read_invitation, read_user},
        store::SqliteStore,
    },
    store::People,
};

#[async_trait]
impl People for SqliteStore {
    async fn workspaces(&self) -> Result<Vec<WorkspaceView>, InboxError> {
        self.readers
            .read(|connection| {
                collect(connection, "SELECT id, name, created_at FROM workspace ORDER BY id", [], |row| {
                    Ok(WorkspaceView { id: row.get(0)?, name: row.get(1)?, created_at: from_millis(row.get(2)?) })
                })
            })
            .await
    }

    async fn users(&self, workspace: WorkspaceId) -> Result<Vec<UserView>, InboxError> {
        self.readers
            .read(move |connection| {
                let sql = format!("SELECT {USER} FROM user WHERE workspace_id = ?1 ORDER BY id");
                collect(connection, &sql, [workspace], read_user)
            })
            .await
    }

    async fn user(&self, user: UserId) -> Result<UserView, InboxError> {
        self.readers.read(move |connection| users::user(connection, user)).await
    }

    async fn invitations(&self, workspace: WorkspaceId, now: u64) -> Result<Vec<InvitationView>, InboxError> {
        self.readers
            .read(move |connection| {
                let sql = format!(
                    "SELECT {INVITATION} FROM invitation WHERE workspace_id = ?1 AND expires_at > ?2 ORDER BY id"
                );
                collect(connection, &sql, rusqlite::params![workspace, as_millis(now)], read_invitation)
            })
            .await
    }

    async fn workspace_of(&self, row: Row) -> Result<Option<WorkspaceId>, InboxError> {
        let (sql, id) = place_of(row);
        self.readers
            .read(move |connection| Ok(connection.prepare_cached(sql)?.query_row([id], |row| row.get(0)).optional()?))
            .await
    }
}

/// A query for the workspace of a row, and its parameter.
fn place_of(row: Row) -> (&'static str, Box<dyn ToSql + Send>) {
    /// Of a row with a column `account_id`.
    macro_rules! by_account {
        ($table:literal) => {
            concat!(
                "SELECT account.workspace_id FROM ",
                $table,
                " row JOIN account ON account.id = row.account_id WHERE row.id = ?1"
            )
        };
    }
    macro_rules! own {
        ($table:literal) => {
            concat!("SELECT workspace_id FROM ", $table, " WHERE id = ?1")
        };
    }
    match row {
        Row::Account(id) => (own!("account"), Box::new(id)),
        Row::Activity(id) => (by_account!("activity"), Box::new(id)),
        Row::CannedAnswer(id) => (own!("canned_answer"), Box::new(id)),
        Row::Collection(id) => (own!("collection"), Box::new(id)),
        Row::Contact(id) => (by_account!("contact"), Box::new(id)),
        Row::Conversation(id) => (by_account!("conversation"), Box::new(id)),
        // A delivery whose proof names an account is that account's; any other may speak for every account of its
        // channel.
        Row::Delivery(id) => (
            "SELECT account.workspace_id FROM delivery
                 JOIN account ON account.channel = delivery.channel
                     AND account.platform_id = coalesce(json_extract(iif(json_valid(proof), proof, 'null'), '$.account.account'),
                                                       json_extract(iif(json_valid(proof), proof, 'null'), '$.archive.account'))
             WHERE delivery.id = ?1",
            Box::new(id),
        ),
        Row::Invitation(id) => (own!("invitation"), Box::new(id)),
        Row::Label(id) => (own!("label"), Box::new(id)),
        Row::Media(id) => (
            "SELECT account.workspace_id FROM media JOIN message ON message.id = media.message_id
                 JOIN account ON account.id = message.account_id WHERE media.id = ?1",
            Box::new(id),
        ),
        Row::Message(id) => (by_account!("message"), Box::new(id)),
        Row::Note(id) => (
            "SELECT account.workspace_id FROM note JOIN conversation ON conversation.id = note.conversation_id
                 JOIN account ON account.id = conversation.account_id WHERE note.id = ?1",
            Box::new(id),
        ),
        Row::Reply(id) => (by_account!("reply"), Box::new(id)),
        Row::SavedView(id) => (own!("saved_view"), Box::new(id)),
        Row::Upload(handle) => ("SELECT workspace_id FROM upload WHERE handle = ?1", Box::new(handle)),
        Row::User(id) => (own!("user"), Box::new(id)),
        Row::Webhook(id) => (own!("webhook"), Box::new(id)),
    }
}
