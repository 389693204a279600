//! Owns: workspaces, people, how they sign in, their sessions and invitations.
//! Does not own: hashing passwords, making secrets, what a role may do.

use async_trait::async_trait;

use crate::{
    error::InboxError,
    model::{
        Accepted, AtProvider, InvitationId, InvitationView, NewInvitation, NewSession, NewUser, SessionView,
        UserChange, UserCredentials, UserId, UserView, WorkspaceId,
    },
};

/// Workspaces and people. Secrets arrive as SHA-256, passwords as hashes.
///
/// Changes to workspaces, people and invitations are in the change feed; sessions are not.
#[async_trait]
pub trait Users: Send + Sync {
    /// Adds a workspace.
    async fn create_workspace(&self, name: String, now: u64) -> Result<WorkspaceId, InboxError>;

    /// Renames a workspace.
    async fn rename_workspace(&self, workspace: WorkspaceId, name: String, now: u64) -> Result<(), InboxError>;

    /// Adds a person.
    ///
    /// # Errors
    /// [`InboxError::EmailTaken`] if somebody on this host has the e-mail address.
    async fn create_user(&self, new: NewUser, now: u64) -> Result<UserId, InboxError>;

    /// Changes a person. Disabling ends all of their sessions in the same transaction.
    ///
    /// # Errors
    /// [`InboxError::LastAdmin`] if nobody would be left who can manage the workspace.
    async fn update_user(&self, user: UserId, change: UserChange, now: u64) -> Result<UserView, InboxError>;

    /// Sets a person's password and ends their sessions, except the one given.
    async fn set_password(
        &self,
        user: UserId,
        password: String,
        except: Option<[u8; 32]>,
        now: u64,
    ) -> Result<(), InboxError>;

    /// The person with this e-mail address, in upper or lower case.
    async fn credentials_of(&self, email: &str) -> Result<Option<UserCredentials>, InboxError>;

    /// The password hash of a person; `None` if they sign in elsewhere only.
    async fn password_of(&self, user: UserId) -> Result<Option<String>, InboxError>;

    /// The person whom an identity provider knows by this subject.
    async fn user_at_provider(&self, issuer: &str, subject: &str) -> Result<Option<UserView>, InboxError>;

    /// Issues an invitation. It replaces an earlier one for the same address and workspace, and is a way back in for a
    /// person of the workspace who lost their password.
    async fn invite(&self, new: NewInvitation, now: u64) -> Result<InvitationId, InboxError>;

    /// The invitation with this secret, unless it was accepted, revoked, or has expired.
    async fn invitation(&self, secret: [u8; 32], now: u64) -> Result<Option<InvitationView>, InboxError>;

    /// Revokes an invitation.
    async fn revoke_invitation(&self, invitation: InvitationId, now: u64) -> Result<(), InboxError>;

    /// Accepts an invitation, once. Adds the person, or, for a person of that workspace, replaces how they sign in and
    /// ends their sessions; their role and whether they are disabled stay.
    ///
    /// # Errors
    /// [`InboxError::NotFound`] if it was accepted, revoked, or has expired. [`InboxError::EmailTaken`] if the address
    /// belongs to a person of another workspace, or whom the provider identifies belongs to somebody else.
    async fn accept_invitation(
        &self,
        secret: [u8; 32],
        name: String,
        accepted: Accepted,
        now: u64,
    ) -> Result<UserView, InboxError>;

    /// The person of a verified e-mail address who signs in at an identity provider for the first time: whoever is invited,
    /// is there already without an identity at a provider, or, where `open` names a workspace, joins it as an agent. The
    /// identity is theirs from then on. `None` if it is nobody. An invitation is used up; it gives a person who has
    /// another identity this one, and ends their sessions.
    ///
    /// # Errors
    /// [`InboxError::EmailTaken`] if the address belongs to a person with another identity, or of another workspace than
    /// the invitation's, or if the identity is somebody else's.
    async fn join_from_provider(
        &self,
        person: AtProvider,
        open: Option<WorkspaceId>,
        now: u64,
    ) -> Result<Option<UserView>, InboxError>;

    /// Begins a session, and forgets those that have ended. False if the person is disabled.
    async fn begin_session(&self, new: NewSession, now: u64) -> Result<bool, InboxError>;

    /// The session with this id, unless it has ended or the person is disabled.
    async fn session(&self, id: [u8; 32], now: u64) -> Result<Option<SessionView>, InboxError>;

    /// Records that a session was used, and when it ends now. Does nothing if it has ended.
    async fn use_session(&self, id: [u8; 32], expires_at: u64, now: u64) -> Result<(), InboxError>;

    /// Ends a session.
    async fn end_session(&self, id: [u8; 32]) -> Result<(), InboxError>;

    /// Ends all sessions of a person, except the one given. Returns how many.
    async fn end_sessions(&self, user: UserId, except: Option<[u8; 32]>) -> Result<usize, InboxError>;

    /// Remembers that a person has signed in with this browser. Of each person, the browsers used last are remembered.
    async fn remember_device(&self, id: [u8; 32], user: UserId, now: u64) -> Result<(), InboxError>;

    /// Whether this person has signed in with this browser before.
    async fn is_known_device(&self, id: [u8; 32], user: UserId) -> Result<bool, InboxError>;
}
