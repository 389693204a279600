//! Owns: workspaces, people, their sessions and invitations, in SQLite.
//! Does not own: reading lists of them (`people`).

use async_trait::async_trait;
use rusqlite::{OptionalExtension as _, Transaction, params};

use crate::{
    error::InboxError,
    model::{
        Accepted, AtProvider, InvitationId, InvitationView, NewInvitation, NewSession, NewUser, Role, SessionView,
        UserChange, UserCredentials, UserId, UserView, WorkspaceId,
    },
    sqlite::{
        columns::{as_millis, from_millis},
        rows::users::{
            self, INVITATION, USER, by_email, end_sessions, forget_old_devices, keep_an_admin, note_settings,
            read_invitation, read_user,
        },
        store::SqliteStore,
    },
    store::Users,
};

#[async_trait]
impl Users for SqliteStore {
    async fn create_workspace(&self, name: String, now: u64) -> Result<WorkspaceId, InboxError> {
        self.writer
            .write(move |tx| {
                let id: WorkspaceId = tx
                    .prepare_cached("INSERT INTO workspace (name, created_at) VALUES (?1, ?2) RETURNING id")?
                    .query_row(params![name, as_millis(now)], |row| row.get(0))?;
                note_settings(tx, id, None, now)?;
                Ok(id)
            })
            .await
    }

    async fn rename_workspace(&self, workspace: WorkspaceId, name: String, now: u64) -> Result<(), InboxError> {
        self.writer
            .write(move |tx| {
                let renamed = tx
                    .prepare_cached("UPDATE workspace SET name = ?2 WHERE id = ?1")?
                    .execute(params![workspace, name])?;
                if renamed == 0 {
                    return Err(InboxError::NotFound { what: "workspace", id: workspace.to_string() });
                }
                note_settings(tx, workspace, None, now)
            })
            .await
    }

    async fn create_user(&self, new: NewUser, now: u64) -> Result<UserId, InboxError> {
        self.writer
            .write(move |tx| {
                if by_email(tx, &new.email)?.is_some() {
                    return Err(InboxError::EmailTaken);
                }
                add(tx, &new, now)
            })
            .await
    }

    async fn update_user(&self, user: UserId, change: UserChange, now: u64) -> Result<UserView, InboxError> {
        self.writer
            .write(move |tx| {
                let known = users::user(tx, user)?;
                let UserChange { name, role, disabled } = change;
                let disabled_at = match disabled {
                    None => known.disabled_at,
                    Some(true) => known.disabled_at.or(Some(now)),
                    Some(false) => None,
                };
                tx.prepare_cached("UPDATE user SET name = ?2, role = ?3, disabled_at = ?4 WHERE id = ?1")?.execute(
                    params![
                        user,
                        name.unwrap_or(known.name),
                        role.unwrap_or(known.role).name(),
                        disabled_at.map(as_millis)
                    ],
                )?;
                if disabled_at.is_some() {
                    end_sessions(tx, user, None)?;
                }
                if disabled == Some(true) || role.is_some_and(|role| role != known.role) {
                    keep_an_admin(tx, known.workspace)?;
                }
                note_settings(tx, known.workspace, Some(user.get()), now)?;
                users::user(tx, user)
            })
            .await
    }

    async fn set_password(
        &self,
        user: UserId,
        password: String,
        except: Option<[u8; 32]>,
        now: u64,
    ) -> Result<(), InboxError> {
        self.writer
            .write(move |tx| {
                let known = users::user(tx, user)?;
                sign_in_with(tx, user, &Accepted::Password(password))?;
                end_sessions(tx, user, except)?;
                note_settings(tx, known.workspace, Some(user.get()), now)
            })
            .await
    }

    async fn credentials_of(&self, email: &str) -> Result<Option<UserCredentials>, InboxError> {
        let email = email.to_owned();
        self.readers
            .read(move |connection| {
                Ok(connection
                    .prepare_cached(&format!("SELECT {USER}, password FROM user WHERE email = ?1"))?
                    .query_row(params![email], |row| {
                        Ok(UserCredentials { user: read_user(row)?, password: row.get(7)? })
                    })
                    .optional()?)
            })
            .await
    }

    async fn password_of(&self, user: UserId) -> Result<Option<String>, InboxError> {
        self.readers
            .read(move |connection| {
                connection
                    .prepare_cached("SELECT password FROM user WHERE id = ?1")?
                    .query_row(params![user], |row| row.get(0))
                    .optional()?
                    .ok_or_else(|| InboxError::NotFound { what: "user", id: user.to_string() })
            })
            .await
    }

    async fn user_at_provider(&self, issuer: &str, subject: &str) -> Result<Option<UserView>, InboxError> {
        let (issuer, subject) = (issuer.to_owned(), subject.to_owned());
        self.readers
            .read(move |connection| {
                Ok(connection
                    .prepare_cached(&format!("SELECT {USER} FROM user WHERE issuer = ?1 AND subject = ?2"))?
                    .query_row(params![issuer, subject], read_user)
                    .optional()?)
            })
            .await
    }

    async fn invite(&self, new: NewInvitation, now: u64) -> Result<InvitationId, InboxError> {
        self.writer
            .write(move |tx| {
                tx.prepare_cached(
                    "DELETE FROM invitation WHERE (workspace_id = ?1 AND email = ?2) OR expires_at <= ?3",
                )?
                .execute(params![new.workspace, new.email, as_millis(now)])?;
                let id: InvitationId = tx
                    .prepare_cached(
                        "INSERT INTO invitation (secret, workspace_id, email, role, invited_by, created_at, expires_at)
                         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) RETURNING id",
                    )?
                    .query_row(
                        params![
                            new.secret,
                            new.workspace,
                            new.email,
                            new.role.name(),
                            new.invited_by,
                            as_millis(now),
                            as_millis(new.expires_at)
                        ],
                        |row| row.get(0),
                    )?;
                note_settings(tx, new.workspace, Some(id.get()), now)?;
                Ok(id)
            })
            .await
    }

    async fn invitation(&self, secret: [u8; 32], now: u64) -> Result<Option<InvitationView>, InboxError> {
        self.readers
            .read(move |connection| {
                let sql = format!("SELECT {INVITATION} FROM invitation WHERE secret = ?1 AND expires_at > ?2");
                Ok(connection
                    .prepare_cached(&sql)?
                    .query_row(params![secret, as_millis(now)], read_invitation)
                    .optional()?)
            })
            .await
    }

    async fn revoke_invitation(&self, invitation: InvitationId, now: u64) -> Result<(), InboxError> {
        self.writer
            .write(move |tx| {
                let workspace: Option<WorkspaceId> = tx
                    .prepare_cached("DELETE FROM invitation WHERE id = ?1 RETURNING workspace_id")?
                    .query_row(params![invitation], |row| row.get(0))
                    .optional()?;
                let not_found = || InboxError::NotFound { what: "invitation", id: invitation.to_string() };
                note_settings(tx, workspace.ok_or_else(not_found)?, Some(invitation.get()), now)
            })
            .await
    }

    async fn accept_invitation(
        &self,
        secret: [u8; 32],
        name: String,
        accepted: Accepted,
        now: u64,
    ) -> Result<UserView, InboxError> {
        self.writer
            .write(move |tx| {
                let sql =
                    format!("DELETE FROM invitation WHERE secret = ?1 AND expires_at > ?2 RETURNING {INVITATION}");
                let invitation = tx
                    .prepare_cached(&sql)?
                    .query_row(params![secret, as_millis(now)], read_invitation)
                    .optional()?
                    .ok_or(InboxError::NotFound { what: "invitation", id: String::new() })?;
                accept(tx, invitation, Some(name), &accepted, now)
            })
            .await
    }

    async fn join_from_provider(
        &self,
        person: AtProvider,
        open: Option<WorkspaceId>,
        now: u64,
    ) -> Result<Option<UserView>, InboxError> {
        self.writer
            .write(move |tx| {
                let AtProvider { issuer, subject, email, name } = person;
                let sql = format!(
                    "DELETE FROM invitation WHERE id =
                         (SELECT id FROM invitation WHERE email = ?1 AND expires_at > ?2 ORDER BY id DESC LIMIT 1)
                     RETURNING {INVITATION}"
                );
                let invitation =
                    tx.prepare_cached(&sql)?.query_row(params![email, as_millis(now)], read_invitation).optional()?;
                let known = by_email(tx, &email)?;
                let accepted = Accepted::Provider { issuer, subject };
                if let Some(invitation) = invitation {
                    // Who is there already keeps the name that stands on their replies.
                    let name = if known.is_some() { None } else { Some(name) };
                    return accept(tx, invitation, name, &accepted, now).map(Some);
                }
                let id = match (known, open) {
                    (Some(known), _) => {
                        let another = tx
                            .prepare_cached("SELECT 1 FROM user WHERE id = ?1 AND issuer IS NOT NULL")?
                            .exists(params![known.id])?;
                        if another {
                            return Err(InboxError::EmailTaken);
                        }
                        is_nobody_elses(tx, &accepted, &email)?;
                        sign_in_with(tx, known.id, &accepted)?;
                        note_settings(tx, known.workspace, Some(known.id.get()), now)?;
                        known.id
                    }
                    (None, Some(workspace)) => {
                        is_nobody_elses(tx, &accepted, &email)?;
                        add(tx, &NewUser { workspace, email, name, role: Role::Agent, accepted }, now)?
                    }
                    (None, None) => return Ok(None),
                };
                users::user(tx, id).map(Some)
            })
            .await
    }

    async fn begin_session(&self, new: NewSession, now: u64) -> Result<bool, InboxError> {
        self.writer
            .write(move |tx| {
                tx.prepare_cached("DELETE FROM session WHERE expires_at <= ?1")?.execute(params![as_millis(now)])?;
                let begun = tx
                    .prepare_cached(
                        "INSERT INTO session (id, user_id, created_at, last_used_at, expires_at, client)
                         SELECT ?1, id, ?3, ?3, ?4, ?5 FROM user WHERE id = ?2 AND disabled_at IS NULL",
                    )?
                    .execute(params![new.id, new.user, as_millis(now), as_millis(new.expires_at), new.client])?;
                Ok(begun > 0)
            })
            .await
    }

    async fn session(&self, id: [u8; 32], now: u64) -> Result<Option<SessionView>, InboxError> {
        self.readers
            .read(move |connection| {
                let sql = format!(
                    "SELECT {USER}, session.created_at, session.last_used_at, session.expires_at
                     FROM session JOIN user ON user.id = session.user_id
                     WHERE session.id = ?1 AND session.expires_at > ?2 AND user.disabled_at IS NULL"
                );
                Ok(connection
                    .prepare_cached(&sql)?
                    .query_row(params![id, as_millis(now)], |row| {
                        Ok(SessionView {
                            user: read_user(row)?,
                            created_at: from_millis(row.get(7)?),
                            last_used_at: from_millis(row.get(8)?),
                            expires_at: from_millis(row.get(9)?),
                        })
                    })
                    .optional()?)
            })
            .await
    }

    async fn use_session(&self, id: [u8; 32], expires_at: u64, now: u64) -> Result<(), InboxError> {
        self.writer
            .write(move |tx| {
                tx.prepare_cached(
                    "UPDATE session SET last_used_at = ?2, expires_at = ?3 WHERE id = ?1 AND expires_at > ?2",
                )?
                .execute(params![id, as_millis(now), as_millis(expires_at)])?;
                Ok(())
            })
            .await
    }

    async fn end_session(&self, id: [u8; 32]) -> Result<(), InboxError> {
        self.writer
            .write(move |tx| {
                tx.prepare_cached("DELETE FROM session WHERE id = ?1")?.execute(params![id])?;
                Ok(())
            })
            .await
    }

    async fn end_sessions(&self, user: UserId, except: Option<[u8; 32]>) -> Result<usize, InboxError> {
        self.writer.write(move |tx| Ok(end_sessions(tx, user, except)?)).await
    }

    async fn remember_device(&self, id: [u8; 32], user: UserId, now: u64) -> Result<(), InboxError> {
        self.writer
            .write(move |tx| {
                tx.prepare_cached(
                    "INSERT INTO known_device (id, user_id, last_used_at) VALUES (?1, ?2, ?3)
                     ON CONFLICT DO UPDATE SET last_used_at = ?3",
                )?
                .execute(params![id, user, as_millis(now)])?;
                Ok(forget_old_devices(tx, user)?)
            })
            .await
    }

    async fn is_known_device(&self, id: [u8; 32], user: UserId) -> Result<bool, InboxError> {
        self.readers
            .read(move |connection| {
                Ok(connection
                    .prepare_cached("SELECT 1 FROM known_device WHERE id = ?1 AND user_id = ?2")?
                    .exists(params![id, user])?)
            })
            .await
    }
}

/// Whether nobody with another e-mail address is known to the provider by this subject.
fn is_nobody_elses(tx: &Transaction<'_>, accepted: &Accepted, email: &str) -> Result<(), InboxError> {
    let Accepted::Provider { issuer, subject } = accepted else { return Ok(()) };
    let others = tx
        .prepare_cached("SELECT 1 FROM user WHERE issuer = ?1 AND subject = ?2 AND email <> ?3")?
        .exists(params![issuer, subject, email])?;
    if others { Err(InboxError::EmailTaken) } else { Ok(()) }
}

/// Makes an invitation, whose row is gone already, a person, or gives a person back how they sign in.
fn accept(
    tx: &Transaction<'_>,
    invitation: InvitationView,
    name: Option<String>,
    accepted: &Accepted,
    now: u64,
) -> Result<UserView, InboxError> {
    is_nobody_elses(tx, accepted, &invitation.email)?;
    let id = match by_email(tx, &invitation.email)? {
        Some(known) if known.workspace != invitation.workspace => return Err(InboxError::EmailTaken),
        Some(known) => {
            tx.prepare_cached("UPDATE user SET name = coalesce(?2, name) WHERE id = ?1")?
                .execute(params![known.id, name])?;
            sign_in_with(tx, known.id, accepted)?;
            end_sessions(tx, known.id, None)?;
            note_settings(tx, known.workspace, Some(known.id.get()), now)?;
            known.id
        }
        None => {
            let InvitationView { workspace, email, role, .. } = invitation;
            let name = name.unwrap_or_else(|| email.clone());
            add(tx, &NewUser { workspace, email, name, role, accepted: accepted.clone() }, now)?
        }
    };
    users::user(tx, id)
}

fn add(tx: &Transaction<'_>, new: &NewUser, now: u64) -> Result<UserId, InboxError> {
    let id: UserId = tx
        .prepare_cached(
            "INSERT INTO user (workspace_id, email, name, role, created_at) VALUES (?1, ?2, ?3, ?4, ?5) RETURNING id",
        )?
        .query_row(params![new.workspace, new.email, new.name, new.role.name(), as_millis(now)], |row| row.get(0))?;
    sign_in_with(tx, id, &new.accepted)?;
    note_settings(tx, new.workspace, Some(id.get()), now)?;
    Ok(id)
}

/// Sets how a person signs in. The other way that they may have stays.
fn sign_in_with(tx: &Transaction<'_>, user: UserId, accepted: &Accepted) -> Result<(), InboxError> {
    match accepted {
        Accepted::Password(hash) => {
            tx.prepare_cached("UPDATE user SET password = ?2 WHERE id = ?1")?.execute(params![user, hash])?
        }
        Accepted::Provider { issuer, subject } => tx
            .prepare_cached("UPDATE user SET issuer = ?2, subject = ?3 WHERE id = ?1")?
            .execute(params![user, issuer, subject])?,
    };
    Ok(())
}
