//! Owns: rows of people, invitations and sessions.
//! Does not own: when they change.

use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};

use crate::{
    error::InboxError,
    model::{ChangeKind, InvitationView, UserId, UserView, WorkspaceId},
    sqlite::{
        columns::from_millis,
        rows::changes::{Concerns, note},
    },
};

/// Of a person, the browsers that are remembered.
const MAX_DEVICES: i64 = 20;

pub(crate) const USER: &str = "user.id, user.workspace_id, user.email, user.name, user.role, user.created_at,
                               user.disabled_at";

/// Reads [`USER`].
pub(crate) fn read_user(row: &Row<'_>) -> rusqlite::Result<UserView> {
    Ok(UserView {
        id: row.get(0)?,
        workspace: row.get(1)?,
        email: row.get(2)?,
        name: row.get(3)?,
        role: row.get(4)?,
        created_at: from_millis(row.get(5)?),
        disabled_at: row.get::<_, Option<i64>>(6)?.map(from_millis),
    })
}

pub(crate) const INVITATION: &str = "id, workspace_id, email, role, invited_by, created_at, expires_at";

/// Reads [`INVITATION`].
pub(crate) fn read_invitation(row: &Row<'_>) -> rusqlite::Result<InvitationView> {
    Ok(InvitationView {
        id: row.get(0)?,
        workspace: row.get(1)?,
        email: row.get(2)?,
        role: row.get(3)?,
        invited_by: row.get(4)?,
        created_at: from_millis(row.get(5)?),
        expires_at: from_millis(row.get(6)?),
    })
}

/// The person, who must exist.
pub(crate) fn user(connection: &Connection, user: UserId) -> Result<UserView, InboxError> {
    connection
        .prepare_cached(&format!("SELECT {USER} FROM user WHERE id = ?1"))?
        .query_row(params![user], read_user)
        .optional()?
        .ok_or_else(|| InboxError::NotFound { what: "user", id: user.to_string() })
}

/// The person with this e-mail address.
pub(crate) fn by_email(connection: &Connection, email: &str) -> rusqlite::Result<Option<UserView>> {
    connection
        .prepare_cached(&format!("SELECT {USER} FROM user WHERE email = ?1"))?
        .query_row(params![email], read_user)
        .optional()
}

/// Notes that something of a workspace's settings changed; `object` is the row.
pub(crate) fn note_settings(
    tx: &Transaction<'_>,
    workspace: WorkspaceId,
    object: Option<i64>,
    now: u64,
) -> Result<(), InboxError> {
    let concerns = Concerns { workspace: Some(workspace), object, ..Concerns::default() };
    note(tx, ChangeKind::SettingsUpdated, concerns, now)
}

/// Ends all sessions of a person, except the one given.
pub(crate) fn end_sessions(tx: &Transaction<'_>, user: UserId, except: Option<[u8; 32]>) -> rusqlite::Result<usize> {
    tx.prepare_cached("DELETE FROM session WHERE user_id = ?1 AND id IS NOT ?2")?.execute(params![user, except])
}

/// Forgets the browsers of a person, except those used last.
pub(crate) fn forget_old_devices(tx: &Transaction<'_>, user: UserId) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "DELETE FROM known_device WHERE user_id = ?1 AND id NOT IN
             (SELECT id FROM known_device WHERE user_id = ?1 ORDER BY last_used_at DESC LIMIT ?2)",
    )?
    .execute(params![user, MAX_DEVICES])?;
    Ok(())
}

/// Fails if a workspace that has people has none left who can manage it.
pub(crate) fn keep_an_admin(tx: &Transaction<'_>, workspace: WorkspaceId) -> Result<(), InboxError> {
    let any = tx
        .prepare_cached("SELECT 1 FROM user WHERE workspace_id = ?1 AND role = 'admin' AND disabled_at IS NULL")?
        .exists(params![workspace])?;
    if any { Ok(()) } else { Err(InboxError::LastAdmin) }
}
